#pragma once

#include "worker/types.hpp"

namespace kopidocka {

/// The clone operations as the worker child carries them out; contracts in worker/worker.hpp.
///
/// A clone lies beside its source, in a folder that only we may enter:
///   .kopi-docka-<run>.<name>.clone/kopi-docka     a link that names the run: all in here is ours
///                                 /draft/<name>   the clone in the making
///                                 /tree/<name>    the clone, complete

/// Throws only for a run_id that is none; everything else is a reason.
CloneFacts can_clone(const CloneRequest& request);
CloneResult clone_tree(const CloneRequest& request);
void drop_clone(const CloneRequest& request);

}  // namespace kopidocka
