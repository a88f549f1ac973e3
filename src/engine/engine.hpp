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
#include "engine/warm_trust.hpp"

namespace kopidocka {

class SnapshotGate;

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
  bool gated = false;  ///< it is to wait at a gate: Kopia comes to one by an action of the policy, inert for everybody else
};

struct SnapshotRequest {
  SnapshotSource source;
  Tags tags;
  SourcePolicy policy;      ///< the same as given to prepare(); restic needs it at each call
  Milliseconds deadline{0};  ///< 0 = none
  std::function<void(std::uint64_t bytes_done)> on_progress;  ///< may be empty; called rarely
  bool single_file = false;  ///< the source is one file: no engine waits half way at those
  bool reread = false;  ///< no file counts as unchanged, whatever an earlier snapshot says of it: all are read
  SnapshotGate* gate = nullptr;  ///< outlives the call; nothing of the source is read before it is opened
  bool held_back = false;  ///< with a gate of an engine that reads ahead: when all is read, nothing is saved before it says so
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
  std::string root;                  ///< the engine's own name for what is at its top

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

/// What a snapshot holds at one place.
struct SnapshotEntry {
  enum class Type { file, folder, link, other };
  std::string name;  ///< the last part of its path
  Type type = Type::file;
  std::uint64_t bytes = 0;  ///< of a file; of all files below a folder where the engine knows (Kopia)
  std::uint32_t mode = 0, uid = 0, gid = 0;
  TimePoint mtime{};
};

struct SnapshotListing {
  bool folder = false;                 ///< false: the one entry is the place itself
  std::vector<SnapshotEntry> entries;  ///< by name
};

struct SnapshotFilter {
  bool all_hosts = false;
  Tags tags;         ///< all must match
  std::string path;  ///< empty = any
};

/// Marks a warm snapshot; its value is the run that made it. No other tag stands beside it, so nobody takes it for a backup.
inline constexpr const char* kWarmTag = "kd_warm";

/// A snapshot taken while the containers run, so that the one taken while they are down finds nearly all of it uploaded.
struct WarmRequest {
  SnapshotSource source;     ///< a folder, prepared with a gated policy
  std::string run;           ///< letters, digits, '-' and '_'
  Milliseconds deadline{0};  ///< 0 = none
};

struct WarmSnapshot {
  std::string id;
  std::uint64_t bytes = 0, files = 0;
  std::uint64_t unread = 0;  ///< entries that could not be read, most of them gone meanwhile: they are not in it
};

/// What was taken out of a warm snapshot.
struct WarmDoubt {
  std::string id;  ///< of the warm snapshot as it is now
  std::uint64_t files = 0, bytes = 0;
  WarmTrust trust;  ///< what it still vouches for
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
  /// Whether a snapshot with a gate opens the repository before it waits there, and goes on saving after it has told that
  /// all is read. Without, it begins when the gate is opened and ends with the last byte saved.
  virtual bool waits_at_gate() const { return false; }
  /// Whether a snapshot can be held back between its last byte and its being saved (SnapshotRequest::held_back). Ended in that
  /// state, it leaves nothing but uploaded data.
  virtual bool reads_ahead() const { return false; }
  /// Snapshots one source. Returns also unclean results; throws when nothing usable was saved. With a gate in the request it
  /// throws ErrorKind::failed too when it read without having waited there: that copy may be hot, and is removed.
  virtual Task<Snapshot> snapshot(SnapshotRequest request, Cancel cancel) = 0;
  /// Snapshots of this identity (or of all hosts), oldest first; incomplete ones included and marked.
  virtual Task<std::vector<Snapshot>> list(SnapshotFilter filter, Cancel cancel) = 0;
  /// Restores into an empty place with owners, modes, times; nothing outside `target` is touched.
  virtual Task<> restore(RestoreRequest request, Cancel cancel) = 0;
  /// What a snapshot (as list() gave it) has in the folder `path`, relative to the source, "" being the source itself; of a file
  /// or link that alone. not_found when there is nothing of that name. One folder of up to some 100,000 entries.
  virtual Task<SnapshotListing> browse(Snapshot snapshot, std::string path, Cancel cancel) = 0;
  /// Writes the content of the file `path` to the open file `output`, which stays open; "" for a snapshot of a single file. What
  /// was written before it throws is a beginning of it.
  virtual Task<> read_file(Snapshot snapshot, std::string path, int output, Cancel cancel) = 0;
  virtual Task<> remove(std::vector<std::string> ids, Cancel cancel) = 0;
  /// Keeps snapshots from every retention, or gives them back to it. Their ids are other ones afterwards. A pin of somebody else
  /// stays.
  virtual Task<> pin(std::vector<std::string> ids, bool pinned, Cancel cancel) = 0;
  /// Applies the retention of the given sources, once their run has succeeded; returns the ids that went. Kopia does it at
  /// each snapshot as well, by a policy that keeps one more.
  virtual Task<std::vector<std::string>> expire(std::vector<SourcePolicy> policies, Cancel cancel) = 0;
  /// Checks that the snapshots can be read; `read_percent` of the files' data is downloaded. Throws failed with details.
  virtual Task<> verify(std::vector<std::string> ids, int read_percent, Cancel cancel) = 0;
  /// Gives back the space of removed snapshots and keeps the repository's indexes small. No other call does it, so it has
  /// to be called now and then while nothing is stopped; `full` is the thorough kind (about once a day). Kopia refuses
  /// it (ErrorKind::refused) to anyone but the repository's maintenance owner.
  virtual Task<> maintain(bool full, Cancel cancel);

  /// Whether the next two can be called; else they throw ErrorKind::refused, and there is nothing to drop.
  virtual bool can_warm() const { return false; }
  /// Uploads what has changed while the containers run, and leaves an incomplete snapshot tagged kWarmTag. It is in no list
  /// but one that asks for that tag, lets no other snapshot expire, and goes with the next complete one. But until it has gone,
  /// every snapshot of this source, whoever takes it, trusts what it says of unchanged files, and it was read from files that
  /// were being written: before the next one is *begun* (not: before its gate opens), remove it (drop_warm) or take out what is
  /// in doubt (distrust). So write down that it may be there before this is called.
  /// Removes earlier warm snapshots of the source first. One call per source at a time. Refused for a single file and where
  /// somebody else's action stands in the source's policy. Whenever it throws, nothing of it is left but uploaded data, unless
  /// the error says so; only the death of this process leaves more (drop_warm).
  virtual Task<WarmSnapshot> warm(WarmRequest request, Cancel cancel);
  /// Takes out of the warm snapshot `id` of the source `path` every file and link recorded with a time of `since` or later (whole
  /// seconds: up to one second before as well), everything in `touched` (paths in the source, as bytes), and their twins in
  /// content, so that the next snapshot reads them anew. Nothing else in the repository changes, which is checked. Refused when
  /// a name cannot be told apart from others, or so much is in doubt that it cannot be named. Whenever it throws, the warm
  /// snapshot is removed, unless it was none, could not be looked for, or the error says so: call drop_warm then.
  virtual Task<WarmDoubt> distrust(std::string id, std::string path, TimePoint since, std::vector<std::string> touched, Cancel cancel);
  /// Removes the warm snapshots of a run, or of every run of this identity when `run` is empty, of one source or of all when
  /// `path` is empty. Of every run: also what a pass that was killed left without a tag; that cannot be told from what a killed
  /// backup left to continue from, which goes too. Returns how many. Looks again, and throws ErrorKind::failed when one is still
  /// there. May be called at any time, but does not end a pass that is under way.
  virtual Task<size_t> drop_warm(std::string run, std::string path, Cancel cancel);
};

}  // namespace kopidocka
