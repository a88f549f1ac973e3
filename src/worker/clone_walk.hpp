#pragma once

#include <string>

#include "worker/types.hpp"

namespace kopidocka {

/// Clones the tree (or single file) `name` of the open folder `source`, whose path is `where`, into the empty folder
/// `target`, under the same name, on a few threads. Leaves out what runs of ours made, as engines do.
/// Throws Error; what was made until then stays. The answer holds counts, no path.
CloneResult clone_into(int source, int target, const std::string& name, const std::string& where, const std::string& run_id);

}  // namespace kopidocka
