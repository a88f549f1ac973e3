#include <exception>

#include "base/text.hpp"
#include "hooks/script.hpp"
#include "run/actions.hpp"

namespace kopidocka {

Task<> perform_probe_repository(RunState& state) {
  const auto info = co_await state.context.engine.probe(state.engine_cancel);
  if (state.plan.kind == RunKind::restore) co_return;  // which writes nothing there
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

/// Into the report: what was saved, and whether all of it could be.
void note_saved(RunState& state, SnapshotReport report, const Snapshot& snapshot) {
  if (!snapshot.usable()) throw Error(ErrorKind::failed, "the engine saved nothing usable (" + printable(snapshot.incomplete) + ")");
  report.id = snapshot.id;
  report.bytes = snapshot.bytes;
  report.files = snapshot.files;
  report.errors = snapshot.errors + snapshot.ignored_errors;
  const auto missing = report.type + " " + printable(report.source) + ": " + std::to_string(report.errors) +
                       " entries could not be read and are missing from the snapshot";
  state.report.snapshots.push_back(std::move(report));
  if (!snapshot.clean()) state.degrade(Error(ErrorKind::failed, missing, "look at the log for their names"), "unreadable");
}

SnapshotRequest completed(const RunState& state, SnapshotRequest request) {
  request.deadline = state.context.limits.snapshot_timeout;
  request.single_file = state.single_files.count(request.source.path) != 0;
  request.reread = state.untrusted.count(request.source.path) != 0;
  // Its restore must know that the target is a file; nothing else in the repository says so.
  if (request.single_file) request.tags["kd_kind"] = "file";
  // No progress here: engines walk the tree a second time for it, while the containers are down.
  return request;
}

Task<> perform_snapshot(RunState& state, TakeSnapshot step) {
  if (state.nothing_staged.count(step.type) != 0) co_return;
  state.snapshot_begun = true;
  auto request = completed(state, std::move(step.request));
  const auto snapshot = co_await state.context.engine.snapshot(std::move(request), state.engine_cancel);
  SnapshotReport report;
  report.type = step.type;
  report.source = step.name;
  note_saved(state, std::move(report), snapshot);
}

}  // namespace kopidocka
