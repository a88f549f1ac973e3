#pragma once

#include <string>

namespace kopidocka {

/// How everything is called that we make among users' data, and where nothing of ours belongs.

/// Letters, digits, '-' and '_', at most 64; throws Error (refused) for anything else.
void check_run_id(const std::string& run_id);

/// How the names begin that a run makes beside the entry `name`. Several targets of one run may lie in one folder, so
/// they carry the target's name (cut short, with a hash, when it is long).
std::string stem_beside(const std::string& run_id, const std::string& name);

/// An entry that `run_id` or any run with an id of the daemon (a UUID) made. Engines leave out the latter too.
bool is_ours(const std::string& entry, const std::string& run_id);

/// Below `folder`, not `folder` itself.
bool is_below(const std::string& path, const std::string& folder);

/// A folder that holds data of many and is never a stack's own as a whole: "/srv", "/home".
bool is_shared_folder(const std::string& path);

/// A shared folder, or at or below a folder of the system: no data of a stack.
bool belongs_to_host(const std::string& path);

}  // namespace kopidocka
