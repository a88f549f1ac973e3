#pragma once

#include "base/task.hpp"
#include "run/run_state.hpp"

namespace kopidocka {

/// Looks at every member once more right before the hold: what restarted while the run was prepared has a newer StartedAt,
/// which later tells our own stop from somebody else's start. Throws ErrorKind::refused when one does not run any more.
Task<> renew_members(RunState& state);

/// Looks at all containers right before the hold. Throws ErrorKind::refused when one that will not be stopped runs and may
/// write to a place that is about to be read or replaced.
Task<> refuse_other_users(RunState& state);

/// The copy is not cold: somebody else acted.
Error tainted(const std::string& why);

/// What is found of a source that was read before the hold, once its writers are down.
struct SecondLook {
  bool well = false;   ///< what the warm pass vouches for is as it was then
  bool still = false;  ///< and so is all else
};
Task<SecondLook> look_again(RunState& state, std::string path, Cancel cancel);
/// Finds out of which sources the newest snapshot must not be built on: it was read while writers were up.
Task<> note_untrusted(RunState& state);
/// Once more when the engines wait at their gates: what another program has saved of a source meanwhile is what they would build
/// on. Opens those anew. Throws ErrorKind::busy when it does not end.
Task<> look_for_other_programs(RunState& state);
/// The same for a source that was opened after that look, when it is saved. Throws when it may be built on such a snapshot.
Task<> require_known_base(RunState& state, std::string path);
/// Opens a source anew, reading all of it; nothing of what was read beforehand is trusted.
Task<> open_anew(RunState& state, std::string path);
/// Throws when a source is not the folder any more that it was when the run began.
Task<> require_same_folders(RunState& state, Cancel cancel);
/// Removes what this run has saved beside what it reports.
Task<> remove_strays(RunState& state);
/// Removes what warm passes and copies have left; empty when nothing is left, else what is and why.
Task<std::string> tidy_up(RunState& state);

/// The request as the engine gets it: with the bounds of the run and what the prepare phase found out about the source.
SnapshotRequest completed(const RunState& state, SnapshotRequest request);
/// Adds a snapshot to the report; degrades the run when it is not complete, throws when it is unusable.
void note_saved(RunState& state, SnapshotReport report, const Snapshot& snapshot);

/// Carries out one action of a plan. Throws Error when it failed; what that means for the run is the step's business.
Task<> perform(RunState& state, const Action& action);

// One function per kind of action, grouped in files by what they touch.
Task<> perform_probe_repository(RunState& state);
Task<> perform_probe_sources(RunState& state, ProbeSources step);
Task<> perform_hook(RunState& state, RunHook step);
Task<> perform_stage_folder(RunState& state, StageFolder step);
Task<> perform_snapshot(RunState& state, TakeSnapshot step);
Task<> perform_warm_up(RunState& state, WarmUp step);
Task<> perform_open(RunState& state, OpenSnapshot step);
Task<> perform_read(RunState& state, ReadSource step);
Task<> perform_save(RunState& state, SaveSnapshot step);
Task<> perform_stop(RunState& state, StopMember step);
Task<> perform_start(RunState& state, StartMember step);
Task<> perform_check_taint(RunState& state, CheckTaint step);
Task<> perform_await_health(RunState& state, AwaitHealth step);
/// Before anything is written: folders of the user's choice are empty, and there is room for all new data at once.
Task<> perform_probe_targets(RunState& state);
Task<> perform_stage_restore(RunState& state, StageRestore step);
Task<> perform_swap(RunState& state, SwapData step);
Task<> perform_drop_aside(RunState& state, DropAside step);
Task<> perform_revert(RunState& state);

}  // namespace kopidocka
