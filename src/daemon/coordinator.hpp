#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/restore_points.hpp"
#include "daemon/assembly.hpp"
#include "plan/plan.hpp"
#include "run/recovery.hpp"

namespace kopidocka {

struct BackupWish {
  std::string unit;
  std::optional<Scope> scope;  ///< absent = what the unit's labels say
  std::string trigger = "request";
};

struct RestoreWish {
  std::string unit;
  std::string at = "latest";
  std::vector<std::string> volumes;  ///< empty = all
  std::string to_folder;             ///< empty = in place
};

/// A run that is going on.
struct ActiveRun {
  std::string unit;
  RunKind kind = RunKind::backup;
  std::string run;
  TimePoint since{};
};

/// Brings wishes to the runner: looks at the unit afresh, makes the plan, keeps runs of one unit apart and all runs within
/// the bound, and drives recovery. The daemon's scheduler, the control socket and `--inline` all come through here.
class Coordinator {
 public:
  explicit Coordinator(Assembly& assembly);

  /// Every unit of the engine as it is now.
  Task<std::vector<Unit>> look();
  /// not_found names the nearest unit.
  Task<Unit> look_at(std::string name);

  Task<Plan> plan_backup(BackupWish wish);
  Task<Plan> plan_restore(RestoreWish wish);

  /// One run, one report. A wish that cannot begin (unit invalid, busy, owed) is a report with result skipped; a unit that
  /// does not exist is thrown.
  Task<RunReport> back_up(BackupWish wish, std::vector<RunObserver*> observers, Cancel cancel);
  Task<RunReport> restore(Plan plan, std::vector<RunObserver*> observers, Cancel cancel);

  /// Pays debts of cut-off runs, reports them to the observers, then removes their snapshots when the repository answers.
  Task<RecoveryOutcome> recover();
  bool recovered() const { return recovered_; }
  /// Units of which something is still owed.
  const std::set<std::string>& blocked_units() const { return blocked_; }

  Task<std::vector<RestorePoint>> restore_points(bool all_hosts);

  std::vector<ActiveRun> active() const;
  /// Asks every run to end; they start their containers first. New runs are refused from now on.
  void shut_down();

  Assembly& assembly() { return assembly_; }
  /// Called after each run and each recovery that changed something.
  std::function<void()> on_change;

 private:
  Task<RunReport> carry_out(Plan plan, std::vector<RunObserver*> observers, Cancel cancel);
  RunReport refuse(const std::string& unit, RunKind kind, const std::string& trigger, const Error& error,
                   std::string reason, const std::vector<RunObserver*>& observers);
  std::optional<Error> not_now(const std::string& unit) const;
  std::set<std::string> active_ids() const;

  Assembly& assembly_;
  Semaphore slots_;
  std::map<std::string, ActiveRun> active_;  ///< by unit
  std::map<std::string, Cancel> cancels_;
  std::set<std::string> blocked_;
  bool shutting_down_ = false;
  bool recovered_ = false;
};

}  // namespace kopidocka
