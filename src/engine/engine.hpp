#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"

namespace kopidocka {

using Tags = std::map<std::string, std::string>;

/// What is snapshotted: `path` is its identity in the repository (the path on the Docker host), `local_path` where this
/// process sees the same data. A folder or a single regular file.
struct SnapshotSource {
  std::string path;
  std::string local_path;
};

/// How many snapshots of one source stay. Numbers as in Kopia's policy; the same semantics on both engines.
struct Retention {
  int latest = 10, hourly = 0, daily = 7, weekly = 4, monthly = 12, annual = 3;
  bool operator==(const Retention&) const = default;
};

/// What must hold for a source before it is snapshotted. Kopia keeps it as the policy of user@host:path, merged.
struct SourcePolicy {
  std::string path;
  Retention retention;
  std::string compression = "zstd";     ///< engine's names; "none"
  std::vector<std::string> exclude;     ///< ignore patterns inside the data
};

struct SnapshotRequest {
  SnapshotSource source;
  Tags tags;
  SourcePolicy policy;      ///< the same as given to prepare(); restic needs it at each call
  Milliseconds deadline{0};  ///< 0 = none
  std::function<void(std::uint64_t bytes_done)> on_progress;  ///< may be empty; called rarely
};

/// A snapshot as the repository holds it.
struct Snapshot {
  std::string id;
  std::string host, user, path;
  TimePoint start_time{}, end_time{};
  Tags tags;
  std::uint64_t bytes = 0;
  std::uint64_t files = 0;
  std::uint64_t errors = 0;          ///< entries that could not be read
  std::uint64_t ignored_errors = 0;  ///< the same, ignored by somebody's policy
  std::string incomplete;            ///< empty when complete; else Kopia's reason
  bool single_file = false;          ///< its root is a file; restic does not tell
  bool pinned = false;               ///< somebody pinned it: no retention lets it go

  bool usable() const { return !id.empty() && incomplete.empty(); }
  bool clean() const { return usable() && errors == 0 && ignored_errors == 0; }
};

struct RepositoryInfo {
  std::string unique_id;       ///< of the repository itself, the same for every client
  std::string storage;         ///< "filesystem:/repository", without secrets
  std::string engine_version;  ///< "kopia 0.23.1"
  std::uint64_t bytes_free = 0;  ///< 0 = unknown
  std::uint64_t bytes_total = 0;
};

struct RestoreRequest {
  std::string id;
  std::string target;       ///< an empty folder (or a path that does not exist, below an existing folder)
  std::string source_path;  ///< identity path of the snapshot, for engines that store full paths
  bool single_file = false;  ///< the snapshot is one file; target is then the file's new path
  std::uint64_t files = 0;   ///< that the snapshot counts; 0 = not known
  Milliseconds deadline{0};
  std::function<void(std::uint64_t bytes_done)> on_progress;
  std::function<void(std::string)> on_warning;  ///< may be empty; the data is there, but not as it was
};

struct SnapshotFilter {
  bool all_hosts = false;
  Tags tags;         ///< all must match
  std::string path;  ///< empty = any
};

/// A repository behind an engine. Every call is bounded by a deadline of the settings (or the request's own), ends its
/// child processes on cancel, and throws Error: denied (password), unreachable, not_found (no repository there), no_space,
/// timeout, cancelled, failed. Exit codes are never taken for results: a Snapshot is built from the engine's own answer.
class SnapshotEngine {
 public:
  virtual ~SnapshotEngine() = default;

  virtual std::string name() const = 0;  ///< "kopia", "restic"
  /// Connects when needed and reads the repository's identity. Never creates one.
  virtual Task<RepositoryInfo> probe(Cancel cancel) = 0;
  /// Creates an empty repository. Throws busy when data is there already.
  virtual Task<RepositoryInfo> create(Cancel cancel) = 0;
  /// Makes the policies hold (merged with what is there, written only when they differ).
  virtual Task<> prepare(std::vector<SourcePolicy> policies, Cancel cancel) = 0;
  /// Snapshots one source. Returns also unclean results; throws when nothing usable was saved.
  virtual Task<Snapshot> snapshot(SnapshotRequest request, Cancel cancel) = 0;
  /// Snapshots of this identity (or of all hosts), oldest first; incomplete ones included and marked.
  virtual Task<std::vector<Snapshot>> list(SnapshotFilter filter, Cancel cancel) = 0;
  /// Restores into an empty place with owners, modes, times; nothing outside `target` is touched.
  virtual Task<> restore(RestoreRequest request, Cancel cancel) = 0;
  virtual Task<> remove(std::vector<std::string> ids, Cancel cancel) = 0;
  /// Applies the retention of the given sources, once their run has succeeded; returns the ids that went. Kopia does it at
  /// each snapshot as well, by a policy that keeps one more.
  virtual Task<std::vector<std::string>> expire(std::vector<SourcePolicy> policies, Cancel cancel) = 0;
  /// Checks that the snapshots can be read; `read_percent` of the files' data is downloaded. Throws failed with details.
  virtual Task<> verify(std::vector<std::string> ids, int read_percent, Cancel cancel) = 0;
  /// Gives back the space of removed snapshots and keeps the repository's indexes small. No other call does it, so it has
  /// to be called now and then while nothing is stopped; `full` is the thorough kind (about once a day). Kopia refuses
  /// it (ErrorKind::refused) to anyone but the repository's maintenance owner.
  virtual Task<> maintain(bool full, Cancel cancel);
};

}  // namespace kopidocka
