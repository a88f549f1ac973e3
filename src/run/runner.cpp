#include "run/runner.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>

#include "catalog/staged_folder.hpp"
#include "run/actions.hpp"
#include "run/downtime_limit.hpp"
#include "run/phase.hpp"

namespace kopidocka {
namespace {

std::vector<HeldMember> held_members(const Plan& plan) {
  std::vector<HeldMember> members;
  for (const auto& step : plan.steps) {
    if (const auto* start = std::get_if<StartMember>(&step.action)) members.push_back(start->member);
  }
  return members;
}

bool swaps_data(const Plan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
    const auto* swap = std::get_if<SwapData>(&step.action);
    return swap != nullptr && swap->target.in_place;
  });
}

void begin_journal(RunState& state) {
  JournalRecord record;
  record.type = JournalRecord::Type::begin;
  record.run = state.plan.run;
  record.unit = state.plan.unit.name;
  record.kind = to_string(state.plan.kind);
  record.engine_id = state.context.docker_engine_id;
  record.trigger = state.plan.trigger;
  record.scope = state.plan.scope;
  record.engine = state.report.engine;
  if (auto begun = state.context.journal.begin(std::move(record)); !begun) {
    state.abort(begun.error(), "journal");
    return;
  }
  state.journal_open = true;
}

/// One that has died at its gate meanwhile must not be found out with the containers down.
void require_engines(RunState& state) {
  try {
    state.open_snapshots.require_waiting();
  } catch (const Error& error) {
    state.abort(error, "snapshot");
  }
}

/// The debts, durable before the first stop.
void journal_hold(RunState& state) {
  JournalRecord record;
  record.type = JournalRecord::Type::hold;
  record.run = state.plan.run;
  record.members = held_members(state.plan);
  if (record.members.empty() && !swaps_data(state.plan)) return;
  if (!state.context.state_problem.empty()) {
    state.abort(Error(ErrorKind::refused, state.context.state_problem), "journal");
    return;
  }
  if (auto written = state.context.journal.append(state.plan.run, std::move(record)); !written) state.abort(written.error(), "journal");
}

/// True when it is durable. It holds the result, so that a report that could not be saved is not lost.
bool journal_report(RunState& state) {
  JournalRecord reported;
  reported.type = JournalRecord::Type::reported;
  reported.run = state.plan.run;
  reported.result = std::string(to_string(state.report.result));
  reported.reason = state.report.reason;
  if (state.data_in_doubt) reported.note = std::string(kDataInDoubt);
  return state.context.journal.append(state.plan.run, std::move(reported)).has_value();
}

}  // namespace

Task<> purge_snapshots(SnapshotEngine& engine, std::string backup_id) {
  Cancel never;
  // An engine that remembers the repository may take a folder that is not mounted for one without snapshots.
  (void)co_await engine.probe(never);
  SnapshotFilter filter;
  // An id is of one run alone, under whatever host name it was made.
  filter.all_hosts = true;
  filter.tags = {{"backup_id", backup_id}};
  std::vector<std::string> ids;
  for (const auto& snapshot : co_await engine.list(filter, never)) ids.push_back(snapshot.id);
  if (!ids.empty()) co_await engine.remove(ids, never);
}

Task<> drop_warm_snapshots(SnapshotEngine& engine, std::string run, std::string path) {
  if (!engine.can_warm()) co_return;
  (void)co_await engine.probe(Cancel());
  (void)co_await engine.drop_warm(run, path, Cancel());
}

Task<> Runner::run_hold(RunState& state) {
  state.hold_began = state.context.clock.now();
  DowntimeLimit limit(state);
  TaskGroup beside(co_await boost::asio::this_coro::executor);
  beside.spawn(limit.watch());
  std::exception_ptr failure;
  try {
    co_await run_phase(state, Phase::hold);
  } catch (...) {
    failure = std::current_exception();
  }
  limit.hold_ended();
  co_await beside.join();
  if (failure) std::rethrow_exception(failure);
}

namespace {

/// One look between two phases; what it finds ends the run with this word, or with another when somebody is in the way.
Task<> look_between(RunState& state, Task<> look, std::string reason, std::string in_the_way) {
  std::exception_ptr failure;
  try {
    co_await std::move(look);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  const auto error = to_error(failure);
  const bool somebody = error.kind() == ErrorKind::refused || error.kind() == ErrorKind::busy;
  state.abort(error, somebody ? in_the_way : reason);
}

Task<> look_at_containers(RunState& state) {
  co_await renew_members(state);
  co_await refuse_other_users(state);
}

/// Everything is up, and all that can be known before the stop is known.
Task<> look_before_hold(RunState& state) {
  if (!state.must_end()) co_await look_between(state, look_for_other_programs(state), "repository", "busy");
  if (!state.must_end()) co_await look_between(state, require_same_folders(state, state.engine_cancel), "source", "source");
  if (!state.must_end()) co_await look_between(state, look_at_containers(state), "docker", "busy");
  if (!state.must_end()) require_engines(state);
}

/// What was read may be of two folders, one after the other.
Task<> look_after_hold(RunState& state) {
  std::exception_ptr failure;
  try {
    co_await require_same_folders(state, Cancel());
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) state.abort(tainted(to_error(failure).message()), "tainted");
}

/// One that stayed could be restored in place of the other.
Task<> leave_no_strays(RunState& state) {
  std::exception_ptr failure;
  try {
    co_await remove_strays(state);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) state.abort(to_error(failure).in("remove what was read and not used"), "repository");
}

}  // namespace

Task<> Runner::run_phases(RunState& state) {
  co_await run_phase(state, Phase::prepare);
  co_await look_before_hold(state);
  if (!state.must_end()) journal_hold(state);
  // Nobody may be asked to stop once an end was requested; without an abort the hold would be skipped silently.
  if (state.cancel.requested()) state.abort(Error(ErrorKind::cancelled, "the run was asked to stop"), "cancelled");
  if (!state.aborted()) co_await run_hold(state);
  if (!state.aborted() && !state.cut_short) co_await look_after_hold(state);
  // Reports and cleaning up wait for nobody who saves what will be removed anyway.
  if (state.aborted() || state.cut_short) co_await state.open_snapshots.close();
  co_await run_phase(state, Phase::settle);
  co_await state.open_snapshots.close();
  if (!state.aborted() && state.open_snapshots.any_dismissed()) co_await leave_no_strays(state);
}

/// Empty when the snapshots of a run that failed are gone, else why not.
Task<std::string> Runner::remove_snapshots(RunState& state) {
  const bool failed = state.report.result == RunResult::failed || state.report.result == RunResult::skipped;
  if (!failed || !state.snapshot_begun) co_return std::string();
  std::exception_ptr failure;
  try {
    co_await purge_snapshots(context_.engine, state.plan.run);
    state.report.snapshots.clear();
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return std::string();
  co_return "snapshots of this failed run are still in the repository and are removed later: " + to_error(failure).text();
}

Task<> Runner::finish(RunState& state) {
  if (state.plan.kind == RunKind::backup) {
    const auto staging = (context_.cache_folder / "staging").string();
    if (auto cleared = clear_staging(staging, state.plan.unit.name); !cleared) state.note(cleared.error().text());
  }
  const auto left_problem = co_await tidy_up(state);
  if (!left_problem.empty()) state.note(left_problem);
  state.conclude();
  const auto purge_problem = co_await remove_snapshots(state);
  if (!purge_problem.empty()) state.note(purge_problem);
  const auto saved = context_.reports.save(state.report);
  if (!saved) state.note("the report could not be saved: " + saved.error().text());
  if (state.journal_open) {
    const bool durable = journal_report(state);
    // What is still owed (containers, data, snapshots to remove, the report) keeps the journal open; recovery goes on with it.
    if (durable && saved && state.owed.empty() && !state.data_in_doubt && purge_problem.empty() && left_problem.empty()) {
      if (auto closed = context_.journal.close(state.plan.run); !closed) state.note(closed.error().text());
    }
  }
  state.emit(RunEvent::Kind::finished);
}

Task<RunReport> Runner::carry_out(Plan plan, Cancel cancel) {
  RunState state(context_, co_await boost::asio::this_coro::executor, std::move(plan), std::move(cancel));
  state.emit(RunEvent::Kind::started);
  begin_journal(state);
  if (!state.aborted()) co_await run_phases(state);
  co_await finish(state);
  co_return state.report;
}

}  // namespace kopidocka
