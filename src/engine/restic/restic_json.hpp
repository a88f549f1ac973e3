#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/engine.hpp"
#include "engine/restic/restic_tags.hpp"

namespace kopidocka {

/// A snapshot with what only restic and we ourselves need of it.
struct ResticSnapshot {
  Snapshot snapshot;
  ResticMarks marks;
  std::vector<std::string> stored_paths;  ///< as restic read them
  std::string tree;                       ///< id of the content: stays when tags are changed
};

/// The array of `snapshots --json`, oldest first.
Result<std::vector<ResticSnapshot>> decode_restic_snapshots(const std::string& json);

/// The last line of `backup --json`.
struct ResticSummary {
  std::string id;
  std::uint64_t bytes = 0, files = 0;
};
std::optional<ResticSummary> decode_restic_summary(const std::string& line);

/// Bytes done by a status line of `backup --json`.
std::optional<std::uint64_t> restic_bytes_done(const std::string& line);

/// The path an error line on standard error is about.
std::optional<std::string> decode_restic_error(const std::string& line);

/// A line of `ls --json`; nothing for one that is no entry.
struct ResticEntry {
  std::string path;  ///< as stored
  SnapshotEntry entry;
};
std::optional<ResticEntry> decode_restic_entry(const std::string& line);

/// The repository's id in the output of `cat config`.
Result<std::string> decode_restic_config(const std::string& json);

}  // namespace kopidocka
