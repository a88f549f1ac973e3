#include <boost/asio/this_coro.hpp>

#include <exception>

#include "base/text.hpp"
#include "run/actions.hpp"

/// How the data of a backup gets from its source into the repository, in three steps: opened, read, saved.
namespace kopidocka {
namespace {

bool is_cloned(const RunState& state, const std::string& path) {
  const auto reading = state.readings.find(path);
  return reading != state.readings.end() && reading->second.mode == Reading::Mode::clone;
}

Task<> open_now(RunState& state, SnapshotRequest request) {
  auto whole = completed(state, std::move(request));
  co_await state.open_snapshots.open(std::move(whole), state.context.limits.open_timeout, state.engine_cancel);
}

Task<> look_meanwhile(RunState& state, std::string path, Cancel ending, bool& as_it_was) {
  const auto look = co_await look_again(state, std::move(path), std::move(ending));
  as_it_was = look.well;
}

/// Lets the engine read, and looks at the same time whether the warm pass can be trusted. True when both are well.
Task<bool> read_in_trust(RunState& state, std::string path) {
  bool as_it_was = false;
  Cancel ending;
  const auto run_ending = state.engine_cancel.on_abort([ending]() mutable { ending.request(CancelGrade::abort_step); });
  TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(look_meanwhile(state, path, ending, as_it_was));
  std::exception_ptr failure;
  try {
    co_await state.open_snapshots.read(path);
  } catch (...) {
    failure = std::current_exception();
  }
  // Nobody waits for the answer any more, and containers are down.
  if (failure) ending.request(CancelGrade::abort_step);
  co_await group.join();
  if (failure) std::rethrow_exception(failure);
  co_return as_it_was;
}

/// What this run has saved of a source goes, and is gone when this returns: not even a lost answer leaves anything.
Task<> remove_of_this_run(RunState& state, std::string path) {
  SnapshotFilter filter;
  filter.path = path;
  filter.tags = {{"backup_id", state.plan.run}};
  std::vector<std::string> ids;
  for (const auto& snapshot : co_await state.context.engine.list(filter, state.engine_cancel)) ids.push_back(snapshot.id);
  if (!ids.empty()) co_await state.context.engine.remove(ids, state.engine_cancel);
}

/// Somebody changed a file after the warm pass and hid it: what was just read may have old content in it. Nobody may take it as
/// the state before, either.
Task<> read_again(RunState& state, SnapshotRequest request) {
  const auto path = request.source.path;
  auto& reading = state.readings[path];
  reading.mode = Reading::Mode::cold;
  co_await state.open_snapshots.give_up(path);
  co_await remove_of_this_run(state, path);
  (void)co_await state.context.engine.drop_warm(state.plan.run, path, state.engine_cancel);
  co_await open_now(state, std::move(request));
  co_await state.open_snapshots.read(path);
}

}  // namespace

Task<> open_anew(RunState& state, std::string path) {
  state.open_snapshots.drop_ahead(path);
  const auto found = state.readings.find(path);
  if (found != state.readings.end() && found->second.mode == Reading::Mode::exact) {
    found->second.mode = Reading::Mode::safe;
    found->second.reason = "another program made a snapshot of it during the run, so that all of it is read anew";
    found->second.trust = WarmTrust();
  }
  if (!state.open_snapshots.is_open(path)) co_return;
  co_await state.open_snapshots.give_up(path);
  co_await remove_of_this_run(state, path);
  (void)co_await state.context.engine.drop_warm(state.plan.run, path, state.engine_cancel);
  for (const auto& step : state.plan.steps) {
    const auto* open = std::get_if<OpenSnapshot>(&step.action);
    if (open != nullptr && open->request.source.path == path) co_await open_now(state, open->request);
  }
}

namespace {

/// False when no copy could be made (the disk is full, a file cannot be shared): then it is read like any other.
Task<bool> clone(RunState& state, SnapshotSource source) {
  CloneRequest wanted;
  wanted.source = source.local_path;
  wanted.run_id = state.plan.run;
  auto& reading = state.readings[source.path];
  std::exception_ptr failure;
  try {
    const auto made = co_await state.context.worker.clone_tree(std::move(wanted), state.context.limits.snapshot_timeout, state.engine_cancel);
    reading.clone = made.path;
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    state.engine_cancel.throw_if_requested();
    reading.mode = Reading::Mode::cold;
    reading.reason = "no clone: " + to_error(failure).text();
  }
  co_return failure == nullptr;
}

/// A copy takes its turn among the others, so that no more engines work at a time than there is memory for.
Task<Snapshot> save_clone(RunState& state, SnapshotRequest request) {
  const auto path = request.source.path;
  request.source.local_path = state.readings.at(path).clone;
  co_await open_now(state, std::move(request));
  co_await state.open_snapshots.read(path);
  co_return co_await state.open_snapshots.saved(path);
}

/// Of a source that nobody was writing to while it was read beforehand: perhaps nobody does until the stop.
Task<> read_ahead(RunState& state, SnapshotRequest request) {
  auto whole = completed(state, std::move(request));
  co_await state.open_snapshots.read_ahead(std::move(whole), state.context.limits.open_timeout, state.engine_cancel);
}

/// Inside the hold. Nothing was touched since it was read ahead: then there is nothing to read. Else it is read as ever.
Task<> read_what_was_read_ahead(RunState& state, SnapshotRequest request) {
  const auto path = request.source.path;
  const auto look = co_await look_again(state, path, state.engine_cancel);
  if (look.still && look.well) {
    state.open_snapshots.keep_ahead(path);
    state.readings[path].mode = Reading::Mode::ahead;
    co_return;
  }
  state.engine_cancel.throw_if_requested();
  state.open_snapshots.drop_ahead(path);
  if (look.well) {
    co_await state.open_snapshots.read(path);
  } else {
    co_await read_again(state, std::move(request));
  }
}

Task<> read_exactly(RunState& state, SnapshotRequest request) {
  const auto path = request.source.path;
  if (state.open_snapshots.is_ahead(path)) co_return co_await read_what_was_read_ahead(state, std::move(request));
  const bool well = co_await read_in_trust(state, path);
  if (!well) co_await read_again(state, std::move(request));
}

}  // namespace

Task<> perform_open(RunState& state, OpenSnapshot step) {
  const auto path = step.request.source.path;
  if (is_cloned(state, path)) co_return;
  state.snapshot_begun = true;
  co_await open_now(state, step.request);
  const auto reading = state.readings.find(path);
  const bool still = reading != state.readings.end() && reading->second.mode == Reading::Mode::exact && reading->second.still;
  if (still && step.room_for_two && state.context.engine.reads_ahead()) co_await read_ahead(state, std::move(step.request));
}

Task<> perform_read(RunState& state, ReadSource step) {
  const auto path = step.request.source.path;
  state.snapshot_begun = true;
  bool copied = false;
  if (is_cloned(state, path)) copied = co_await clone(state, step.request.source);
  if (!copied) {
    if (!state.open_snapshots.is_open(path)) co_await open_now(state, step.request);
    const auto reading = state.readings.find(path);
    const bool trusts = reading != state.readings.end() && reading->second.mode == Reading::Mode::exact;
    if (trusts) {
      co_await read_exactly(state, std::move(step.request));
    } else {
      co_await state.open_snapshots.read(path);
    }
  }
  state.read_ended = state.context.clock.now();
}

Task<> perform_save(RunState& state, SaveSnapshot step) {
  const auto path = step.request.source.path;
  const auto reading = state.readings.find(path);
  SnapshotReport report;
  report.type = step.type;
  report.source = step.name;
  report.warm = to_string(Reading::Mode::cold);
  if (reading != state.readings.end()) {
    report.warm = to_string(reading->second.mode);
    report.warm_reason = reading->second.reason;
  }
  if (is_cloned(state, path)) {
    // Of a run that fails nothing is kept.
    if (state.aborted() || state.cut_short) co_return;
    const auto snapshot = co_await save_clone(state, std::move(step.request));
    co_await require_known_base(state, path);
    note_saved(state, std::move(report), snapshot);
    co_return;
  }
  // A run that ended before the hold has opened nothing.
  if (!state.open_snapshots.is_open(path) && (state.aborted() || state.cut_short)) co_return;
  const auto snapshot = co_await state.open_snapshots.saved(path);
  co_await require_known_base(state, path);
  note_saved(state, std::move(report), snapshot);
}

}  // namespace kopidocka
