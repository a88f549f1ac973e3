#pragma once

#include "worker/types.hpp"

namespace kopidocka {

/// The operations around a warm pass as the worker child carries them out; contracts in worker/worker.hpp.
Settled settle(const std::string& path);
Touched touched_since(const Settled& settled, size_t limit, Looked looked);

}  // namespace kopidocka
