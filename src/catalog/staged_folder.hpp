#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "catalog/tags.hpp"

namespace kopidocka {

/// One file of a staging folder; `path` is relative, its folders are made.
struct StagedFile {
  std::string path;
  std::string content;
  mode_t mode = 0600;
  std::int64_t mtime_seconds = 0;  ///< 0 = now
};

/// What a recipe, networks or docker_config snapshot will hold.
struct StagedFolder {
  std::vector<StagedFile> files;
  std::vector<std::string> notes;  ///< what is missing or was changed, in plain sentences: for the run's report
  std::vector<std::string> gaps = {};  ///< what should be there and could not be had: the run is partial

  const StagedFile* file(const std::string& path) const;
};

/// Empties and fills the unit's folder in `staging_folder` (our own, below the cache) and returns its path:
/// <staging folder>/recipes|networks|docker-config/<unit>. Follows no link, writes nowhere else; refuses unit names and
/// file paths that would. Synchronous: our own disk only.
Result<std::string> write_staging(const std::string& staging_folder, SnapshotType type, const std::string& unit,
                                  const StagedFolder& content);

/// Removes the unit's folders of every type from `staging_folder`: they hold environments in clear. Missing is well.
Result<void> clear_staging(const std::string& staging_folder, const std::string& unit);

}  // namespace kopidocka
