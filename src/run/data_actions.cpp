#include <exception>

#include "base/text.hpp"
#include "hooks/script.hpp"
#include "run/actions.hpp"

namespace kopidocka {

Task<> perform_probe_repository(RunState& state) {
  const auto info = co_await state.context.engine.probe(state.engine_cancel);
  const auto& limits = state.context.limits;
  const auto wanted = limits.min_free_percent > 0 ? info.bytes_total / 100 * limits.min_free_percent : limits.min_free_bytes;
  if (info.bytes_total > 0 && info.bytes_free < wanted) {
    throw Error(ErrorKind::no_space,
                "the repository " + printable(info.storage) + " has only " + format_bytes(info.bytes_free) + " free, " +
                    format_bytes(wanted) + " are wanted",
                "free some space or lower KOPI_DOCKA_MIN_FREE");
  }
}

Task<> perform_hook(RunState& state, RunHook step) {
  const bool before = step.hook.rfind("pre_", 0) == 0;
  if (!before && !state.pre_hook_ran) co_return;
  if (before) state.pre_hook_ran = true;
  auto script = find_script(state.context.hooks_folder, step.hook);
  if (!script) throw script.error();
  if (!script->has_value()) co_return;
  if (!before) state.judge();
  std::map<std::string, std::string> variables = {
      {"KOPI_DOCKA_UNIT_NAME", state.report.unit},
      {"KOPI_DOCKA_BACKUP_ID", state.report.backup_id},
      {"KOPI_DOCKA_RESULT", before ? "" : std::string(to_string(state.report.result))},
      {"KOPI_DOCKA_DOWNTIME_SECONDS", std::to_string(state.report.downtime_seconds)},
  };
  Cancel cancel = before ? state.engine_cancel : Cancel();
  const auto began = state.context.clock.steady();
  std::exception_ptr failure;
  try {
    co_await run_script(std::move(**script), std::move(variables), state.context.limits.hook_timeout, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  const std::chrono::duration<double> took = state.context.clock.steady() - began;
  state.emit(RunEvent::Kind::hook_ended, step.hook, failure ? std::string(to_string(to_error(failure).kind())) : std::string(), took.count());
  if (failure) std::rethrow_exception(failure);
}

namespace {

/// Into the report: what was saved, and whether all of it could be.
void note_saved(RunState& state, const std::string& type, const std::string& name, const Snapshot& snapshot) {
  if (!snapshot.usable()) throw Error(ErrorKind::failed, "the engine saved nothing usable (" + printable(snapshot.incomplete) + ")");
  const auto missing = snapshot.errors + snapshot.ignored_errors;
  state.report.snapshots.push_back({type, name, snapshot.id, snapshot.bytes, snapshot.files, missing});
  if (snapshot.clean()) return;
  state.degrade(Error(ErrorKind::failed,
                      type + " " + printable(name) + ": " + std::to_string(missing) + " entries could not be read and are missing from the snapshot",
                      "look at the log for their names"),
                "unreadable");
}

SnapshotRequest completed(const RunState& state, SnapshotRequest request) {
  request.deadline = state.context.limits.snapshot_timeout;
  request.single_file = state.single_files.count(request.source.path) != 0;
  // Its restore must know that the target is a file; nothing else in the repository says so.
  if (request.single_file) request.tags["kd_kind"] = "file";
  // No progress here: engines walk the tree a second time for it, while the containers are down.
  return request;
}

}  // namespace

Task<> perform_snapshot(RunState& state, TakeSnapshot step) {
  if (state.nothing_staged.count(step.type) != 0) co_return;
  state.snapshot_begun = true;
  auto request = completed(state, std::move(step.request));
  note_saved(state, step.type, step.name, co_await state.context.engine.snapshot(std::move(request), state.engine_cancel));
}

Task<> perform_open(RunState& state, OpenSnapshot step) {
  state.snapshot_begun = true;
  co_await state.open_snapshots.open(completed(state, std::move(step.request)), state.context.limits.open_timeout, state.engine_cancel);
}

Task<> perform_read(RunState& state, ReadSource step) {
  const auto path = step.request.source.path;
  state.snapshot_begun = true;
  if (!state.open_snapshots.is_open(path)) {
    co_await state.open_snapshots.open(completed(state, std::move(step.request)), state.context.limits.open_timeout, state.engine_cancel);
  }
  co_await state.open_snapshots.read(path, {});
  state.read_ended = state.context.clock.now();
}

Task<> perform_save(RunState& state, SaveSnapshot step) {
  // A run that ended before the hold has opened nothing.
  if (!state.open_snapshots.is_open(step.path) && (state.aborted() || state.cut_short)) co_return;
  const auto snapshot = co_await state.open_snapshots.saved(step.path);
  note_saved(state, step.type, step.name, snapshot);
}

}  // namespace kopidocka
