#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/task.hpp"

namespace kopidocka {

/// What stands at a path outside our own folders. Looked at by a child process with a deadline: a dead network mount
/// must not stop the daemon.
struct PathState {
  bool exists = false;
  char type = 0;      ///< as of find: f, d, l, ...
  bool empty = true;  ///< a folder without entries

  bool folder() const { return type == 'd'; }
};

Task<PathState> look_at(std::string path, Cancel cancel);

/// The path without symbolic links; throws failed when it leads nowhere.
Task<std::string> real_path(std::string path, Cancel cancel);

struct Space {
  std::uint64_t free = 0, total = 0;
};

/// Space of the file system below `path`; zeros when it cannot be told.
Task<Space> space_of(std::string path, Cancel cancel);

/// Runs a system tool on the paths of a restore; throws failed with its words. `deadline` 0 = none.
Task<std::string> run_tool(std::vector<std::string> argv, std::string doing, Milliseconds deadline, Cancel cancel);

/// Throws unless `target` can take a restored folder: it is missing or empty and its parent is a folder.
Task<> require_empty_target(std::string target, bool single_file, Cancel cancel);

/// Throws unless `path` is a folder that holds nothing yet where a repository may be created: lost+found may be there, and
/// .shards, which Kopia leaves in every folder it was ever pointed at.
Task<> require_empty_repository(std::string path, Cancel cancel);

}  // namespace kopidocka
