#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "engine/program.hpp"
#include "engine/restic/restic_gate.hpp"
#include "engine/restic/restic_json.hpp"
#include "engine/settings.hpp"
#include "engine/storage.hpp"

namespace kopidocka {

/// Restic (0.14 and newer) by its command line, with the meanings of the interface: the identity path, the number of
/// unreadable entries and the mark "made by this program" are kept as tags; the retention is worked out here by Kopia's
/// rules, because restic's own differ. The user part of the identity is not used. Calls may run side by side: those that
/// restic makes only while nobody else uses the repository wait for the others, backups never for long. A lock of another
/// program is waited for, within the deadline of the settings.
class ResticEngine : public SnapshotEngine {
 public:
  explicit ResticEngine(EngineSettings settings);

  std::string name() const override { return "restic"; }
  Task<RepositoryInfo> probe(Cancel cancel) override;
  Task<RepositoryInfo> create(Cancel cancel) override;
  /// Restic has no policies: removes stale locks and waits for those of others, so that no snapshot meets one. From now on
  /// snapshots of these sources are expected.
  Task<> prepare(std::vector<SourcePolicy> policies, Cancel cancel) override;
  Task<Snapshot> snapshot(SnapshotRequest request, Cancel cancel) override;
  Task<std::vector<Snapshot>> list(SnapshotFilter filter, Cancel cancel) override;
  Task<> restore(RestoreRequest request, Cancel cancel) override;
  Task<SnapshotListing> browse(Snapshot snapshot, std::string path, Cancel cancel) override;
  Task<> read_file(Snapshot snapshot, std::string path, int output, Cancel cancel) override;
  Task<> remove(std::vector<std::string> ids, Cancel cancel) override;
  Task<> pin(std::vector<std::string> ids, bool pinned, Cancel cancel) override;
  /// When backups of ours are at work, it is left to whoever comes after them, and nothing went yet.
  Task<std::vector<std::string>> expire(std::vector<SourcePolicy> policies, Cancel cancel) override;
  /// Checks the whole repository, and reads that share of all its data.
  Task<> verify(std::vector<std::string> ids, int read_percent, Cancel cancel) override;
  /// Prunes when `full`; there is nothing between. Given up (ErrorKind::busy) for backups.
  Task<> maintain(bool full, Cancel cancel) override;

 private:
  using Version = std::pair<int, int>;
  struct Backup;  ///< what a backup prints while it runs

  ProgramCall make_call(std::string doing, std::vector<std::string> args) const;
  Task<ProcessResult> attempt(ProgramCall call, Milliseconds patience, Cancel cancel);
  Task<std::string> run(ProgramCall call, Cancel cancel);
  Task<std::string> run(ProgramCall call, Cancel cancel, Milliseconds patience);
  Task<> remove_alone(std::vector<std::string> ids, Cancel cancel);
  Task<std::vector<std::string>> expire_alone(Cancel cancel);
  bool is_postponed(const std::string& id) const;
  Task<> fail(ProcessResult result, std::string doing, Cancel cancel);
  Task<> ready(Cancel cancel);
  Task<> open(Cancel cancel);
  Task<> unlock(Cancel cancel);
  Task<RepositoryInfo> read_info(Cancel cancel);
  Task<std::string> stored_path(std::string id, std::string path, Cancel cancel);
  Task<std::vector<ResticSnapshot>> read_snapshots(std::vector<std::string> arguments, Cancel cancel);
  Task<> forget(std::vector<std::string> ids, Cancel cancel);
  Task<std::unique_ptr<ResticGate::Pass>> enter_alone(std::string doing, Cancel cancel);
  Task<> do_postponed(Cancel cancel);
  Task<> discard(std::string id);
  ProgramCall backup_call(const SnapshotRequest& request, Backup& heard) const;
  Task<Snapshot> find_saved(ResticSummary summary, std::uint64_t errors, Cancel cancel);
  Task<> mark_errors(ResticSnapshot& saved, std::uint64_t errors, Cancel cancel);
  std::vector<std::string> expired_now(const std::vector<ResticSnapshot>& all, const std::vector<SourcePolicy>& policies) const;

  /// What had to wait until nobody else uses the repository: done by the next call that has it alone.
  struct Postponed {
    std::map<std::string, std::uint64_t> errors;    ///< to be noted, by id
    std::set<std::string> removals;                 ///< ids; no longer listed
    std::map<std::string, SourcePolicy> retention;  ///< by path, of runs that have succeeded
  };

  EngineSettings settings_;
  EngineProgram program_;
  ResticGate gate_;
  Postponed postponed_;
  bool ready_ = false, pin_checked_ = false;
  Version version_{0, 0};
  std::string version_text_;
};

}  // namespace kopidocka
