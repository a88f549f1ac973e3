#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/engine.hpp"

namespace kopidocka {

/// What `repository status --json` tells.
struct KopiaStatus {
  std::string unique_id, storage_type, storage_path, hostname, username;
  std::uint64_t bytes_free = 0, bytes_total = 0;
};

Result<KopiaStatus> decode_kopia_status(const std::string& json);

/// The objects of `snapshot create --json`, one a line; lines that are no object are passed over.
std::vector<Snapshot> decode_kopia_results(const std::string& lines);

/// The array of `snapshot list --json`, oldest first.
Result<std::vector<Snapshot>> decode_kopia_list(const std::string& json);

/// How many entries a snapshot has; the source itself is one of the folders.
struct KopiaCounts {
  std::uint64_t files = 0, links = 0, folders = 0;
  bool operator==(const KopiaCounts&) const = default;
};

/// Those of one snapshot of `snapshot list --json`; not_found when it is not there.
Result<KopiaCounts> decode_kopia_counts(const std::string& json, const std::string& id);

/// A folder as `show` prints it; refused when it is none.
Result<std::vector<SnapshotEntry>> decode_kopia_folder(const std::string& json);

/// What `snapshot verify --json` says at its end: empty when it found no error.
Result<std::vector<std::string>> decode_kopia_verify(const std::string& output);

}  // namespace kopidocka
