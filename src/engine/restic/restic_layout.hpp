#pragma once

#include <string>

#include "base/cancel.hpp"
#include "base/task.hpp"

namespace kopidocka {

/// Restic restores full original paths. This is the private folder they go to, inside the target (so on its file system,
/// and nothing outside is touched) or beside it for a single file, and the way from there to the target.
class ResticStage {
 public:
  /// Makes the target (when it is missing) and the private folder.
  static Task<ResticStage> make(std::string target, bool single_file, Cancel cancel);

  const std::string& folder() const { return folder_; }
  /// Moves what stands at `stored_path` below the stage to the target, with the attributes of the folder itself.
  Task<> deliver(std::string stored_path, Cancel cancel) const;
  /// Removes the stage and everything that reached the target, which was empty before. Never throws an Error.
  Task<> undo() const;

 private:
  std::string target_, folder_;
  bool single_file_ = false, made_target_ = false;
};

}  // namespace kopidocka
