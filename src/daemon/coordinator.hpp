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
  std::string machine;               ///< whose backup; empty = this one's
  std::vector<std::string> volumes;  ///< empty = all
  std::string to_folder;             ///< empty = in place
};

/// A run that is going on.
struct ActiveRun {
  std::string unit;
  RunKind kind = RunKind::backup;
  std::string run;
  TimePoint since{};
  std::set<std::string> containers = {};  ///< ids of those it may hold, once it has a plan
};

/// Brings wishes to the runner: looks at the unit afresh, makes the plan, keeps runs of one unit apart, and those that have a
/// container in common (a unit holds writers of another one), keeps all runs within the bound, and drives recovery. The daemon's scheduler, the control socket and `--inline` all come through here.
class Coordinator {
 public:
  explicit Coordinator(Assembly& assembly);

  /// Every unit of the engine as it is now.
  Task<std::vector<Unit>> look();
  /// not_found names the nearest unit.
  Task<Unit> look_at(std::string name);

  Task<Plan> plan_backup(BackupWish wish);
  Task<Plan> plan_restore(RestoreWish wish);

  /// One run, one report. A wish that cannot begin (unit invalid, gone, busy, owed) is a report with result skipped.
  Task<RunReport> back_up(BackupWish wish, std::vector<RunObserver*> observers, Cancel cancel);
  /// One run, one report; a wish that cannot begin is thrown.
  Task<RunReport> restore(Plan plan, std::vector<RunObserver*> observers, Cancel cancel);

  /// Pays debts of cut-off runs, reports them to the observers, then removes their snapshots when the repository answers.
  /// One pass at a time: who comes meanwhile waits and then looks anew.
  Task<RecoveryOutcome> recover();
  /// Whether another pass is wanted: a run that nobody works on left its journal open, or the last pass did not do all.
  bool owes() const;
  /// Returns when it does, or when everything ends.
  Task<> wait_until_owing();
  bool recovered() const { return recovered_; }
  /// Units of which something is still owed.
  const std::set<std::string>& blocked_units() const { return blocked_; }

  /// What the repository offers. Points of runs that are not over, or that failed and whose snapshots could not be removed
  /// yet, are marked incomplete.
  Task<std::vector<RestorePoint>> restore_points(bool all_hosts);
  /// Those of one machine, or of this one when it is empty. not_found names the machine that may have been meant.
  Task<std::vector<RestorePoint>> points_of(std::string machine);
  /// The point a wish means. not_found names the machines that have points of the unit when this one has none.
  Task<RestorePoint> point_of(std::string unit, std::string at, std::string machine);

  std::vector<ActiveRun> active() const;
  bool is_active(const std::string& unit) const { return active_.count(unit) != 0; }
  /// Runs that wait for one of the others to end.
  size_t waiting() const;
  /// While there is a reason, no run begins; those going on end as usual. Recovery, which only starts, goes on.
  void stand_back(std::optional<Error> reason) { standing_back_ = std::move(reason); }
  /// Asks the unit's run to end and waits until it has; its report, when one was saved. not_found when it has none.
  Task<std::optional<RunReport>> cancel(std::string unit);
  /// Asks every run to end; they start their containers first. New runs are refused from now on.
  void shut_down();

  Assembly& assembly() { return assembly_; }
  /// A run of the unit was admitted, and has ended, whoever wished for it.
  std::function<void(const std::string& unit, RunKind kind)> on_begin, on_end;

 private:
  class Seat;
  Task<RunReport> back_up_seated(BackupWish wish, std::vector<RunObserver*> observers, Cancel cancel);
  Task<RecoveryOutcome> recover_alone();
  /// A plan none of whose containers another run has; waits for such a run to end and then looks anew.
  Task<Plan> plan_apart(BackupWish wish, Cancel cancel);
  /// The run that has one of these containers besides that of `unit`; nullptr when none has.
  const ActiveRun* other_run_with(const std::set<std::string>& containers, const std::string& unit) const;
  /// Throws ErrorKind::busy when a run that nobody works on still owes one of them a start.
  void require_unowed(const Plan& plan) const;
  /// Which of these runs made no good restore point (yet), and why, as a sentence.
  std::map<std::string, std::string> unfinished(const std::set<std::string>& runs) const;
  Task<RunReport> carry_out(Plan plan, std::vector<RunObserver*> observers, Cancel cancel);
  RunReport refuse(const std::string& unit, RunKind kind, const std::string& trigger, const Error& error,
                   std::string reason, const std::vector<RunObserver*>& observers);
  std::optional<Error> not_now(const std::string& unit) const;
  std::set<std::string> active_ids() const;

  Assembly& assembly_;
  Semaphore slots_;
  Semaphore recoveries_;
  Signal run_ended_;
  Signal debts_changed_;
  std::uint64_t ended_ = 0;  ///< runs
  std::map<std::string, ActiveRun> active_;  ///< by unit
  std::map<std::string, Cancel> cancels_;
  std::set<std::string> blocked_;
  bool shutting_down_ = false;
  bool recovered_ = false;
  bool pass_wanted_ = false;  ///< the last pass over the journal left something undone
  std::optional<Error> standing_back_;
};

}  // namespace kopidocka
