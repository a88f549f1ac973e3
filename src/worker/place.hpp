#pragma once

#include "worker/types.hpp"

namespace kopidocka {

/// The place operations as the worker child carries them out; contracts in worker/worker.hpp. They throw Error.
/// Every state between two renames is recognised by which names exist, so that each may be called again after a crash.
Place prepare_place(const PlaceRequest& request);
PlaceState swap_in(const Place& place);
PlaceState swap_back(const Place& place);
PlaceState discard(const Place& place, Discard what);
PlaceState state_of(const Place& place);

}  // namespace kopidocka
