#pragma once

#include "run/context.hpp"
#include "run/run_state.hpp"

namespace kopidocka {

/// Carries out any plan: journal, act, observe. Knows neither backup nor restore, only steps.
///
/// Guarantees: nothing is stopped before the journal holds it durably; whatever was stopped is started again on every
/// way out (error, cancel, exception), as long as this process lives, and stays in the journal when that fails; every
/// run ends with exactly one report in the report store; snapshots of a run that failed are removed.
/// Never throws for what goes wrong inside a run: that is in the report.
class Runner {
 public:
  explicit Runner(RunContext context) : context_(std::move(context)) {}

  Task<RunReport> carry_out(Plan plan, Cancel cancel);

  RunContext& context() { return context_; }

 private:
  Task<> run_phases(RunState& state);
  Task<> run_hold(RunState& state);
  Task<> finish(RunState& state);
  Task<std::string> remove_snapshots(RunState& state);

  RunContext context_;
};

/// Removes every snapshot of a run by its backup_id; throws what the engine throws.
Task<> purge_snapshots(SnapshotEngine& engine, std::string backup_id);
/// Removes every warm snapshot of a run; throws what the engine throws.
Task<> drop_warm_snapshots(SnapshotEngine& engine, std::string run, std::string path);

}  // namespace kopidocka
