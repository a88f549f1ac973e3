#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "engine/kopia/kopia_engine.hpp"
#include "engine/kopia/kopia_gate.hpp"
#include "engine/kopia/kopia_progress.hpp"
#include "engine/request_checks.hpp"

/// How Kopia takes a snapshot, at a gate or not, and what is believed of it.
namespace kopidocka {

ProgramCall KopiaEngine::snapshot_call(const SnapshotRequest& request) const {
  const auto path = normal_path(request.source.path), local = normal_path(request.source.local_path);
  std::vector<std::string> args{"snapshot", "create", local, "--json", "--no-send-snapshot-report"};
  if (path != local) args.push_back("--override-source=" + target_of(path));
  if (request.reread) args.emplace_back("--force-hash=100");
  for (const auto& [key, value] : request.tags) args.push_back("--tags=" + key + ":" + value);
  // Kopia walks the tree a second time to estimate, but only when somebody watches.
  if (request.on_progress) args.emplace_back("--progress");
  auto call = make_call("snapshot " + printable(path), std::move(args));
  call.deadline = request.deadline.count() > 0 ? request.deadline : settings_.deadlines.transfer;
  call.on_error_line = progress_lines(request.on_progress, kopia_bytes_done);
  return call;
}

/// A kopia process that reads as soon as it is started: of a file, for which Kopia carries out no action, or of a source
/// where somebody else has an action.
Task<ProcessResult> KopiaEngine::run_outside_gate(ProgramCall call, SnapshotGate* gate, Cancel cancel) {
  co_await wait_outside(gate, cancel);
  auto result = co_await program_.run(std::move(call), cancel);
  if (gate != nullptr) gate->tell_all_read();
  co_return result;
}

namespace {

Task<> let_go_when_told(SnapshotGate& gate, KopiaGate& door, bool& told) {
  told = co_await gate.saving();
  if (told) door.let_go();
}

}  // namespace

Task<ProcessResult> KopiaEngine::run_at_gate(ProgramCall call, SnapshotGate& gate, bool held_back, Cancel cancel) {
  const auto executor = co_await boost::asio::this_coro::executor;
  KopiaGate door(executor, gate, settings_.cache_folder + "/gate", settings_.gate_helper, held_back ? AfterKnock::kept_waiting : AfterKnock::answered);
  // Ended while it is held back, it would save what it has read as a beginning of a snapshot: it gets no time for that.
  if (held_back) call.grace = Milliseconds(1);
  call.environment = door.environment();
  call.args.emplace_back("--force-enable-actions");
  bool told = false;
  Cancel ending;
  const auto asked = cancel.on_abort([ending]() mutable { ending.request(CancelGrade::abort_step); });
  door.on_lost = [ending]() mutable { ending.request(CancelGrade::abort_step); };
  TaskGroup group(executor);
  group.spawn(door.serve());
  if (held_back) group.spawn(let_go_when_told(gate, door, told));
  ProcessResult result;
  std::exception_ptr failure;
  try {
    result = co_await program_.run(call, ending);
  } catch (...) {
    failure = std::current_exception();
  }
  gate.end();
  door.close();
  co_await group.join();
  if (failure) std::rethrow_exception(failure);
  const auto lines = decode_kopia_results(result.output);
  if (held_back && !told && !lines.empty() && !lines.back().id.empty()) {
    // Whoever killed the helper made Kopia save what it had read from running containers.
    const std::vector<std::string> ids(1, lines.back().id);
    co_await remove(ids, Cancel());
    throw_unless_ended(result, call);
    throw Error(ErrorKind::failed, call.doing + ": kopia saved what it was to hold back, so nothing of it was kept");
  }
  if (door.passed() || lines.empty() || lines.back().id.empty()) co_return result;
  co_await discard(lines.back().id);
  throw_unless_ended(result, call);
  throw Error(ErrorKind::failed, call.doing + ": kopia read without having waited for its turn, so nothing of it was kept",
              "if somebody changed the source's policy, run it again; else set KOPI_DOCKA_GATE_WIDTH=0, which does without the gate");
}

Task<Snapshot> KopiaEngine::snapshot(SnapshotRequest request, Cancel cancel) {
  require_source(request.source).value();
  require_tags(request.tags).value();
  const GateEnd gate_end(request.gate);
  co_await ensure_connected(cancel);
  auto call = snapshot_call(request);
  const bool gated = request.gate != nullptr && waits_at_gate() && !request.single_file && gated_.count(normal_path(request.source.path)) != 0;
  if (request.held_back && !gated) {
    throw Error(ErrorKind::refused, call.doing + ": it cannot be held back, because Kopia does not come to our gate there");
  }
  auto running = gated ? run_at_gate(call, *request.gate, request.held_back, cancel) : run_outside_gate(call, request.gate, cancel);
  auto result = co_await std::move(running);
  co_return co_await judge(std::move(result), std::move(call));
}

Task<Snapshot> KopiaEngine::judge(ProcessResult result, ProgramCall call) {
  const auto lines = decode_kopia_results(result.output);
  const auto saved = lines.empty() ? Snapshot{} : lines.back();
  const bool ended = !result.aborted && !result.timed_out && !result.output_truncated;
  if (ended && result.exit_code == 0 && saved.usable()) co_return saved;
  if (ended && saved.usable()) co_return co_await confirm(saved, std::move(result), std::move(call));
  if (!saved.id.empty()) co_await discard(saved.id);
  if (ended && result.exit_code == 0) {
    // Kopia ends with 0 after a signal as well, whoever sent it.
    throw Error(ErrorKind::failed, call.doing + ": kopia saved nothing complete: " +
                                       (saved.incomplete.empty() ? last_words(result) : printable(saved.incomplete)),
                "run it again");
  }
  fail(result, call);
}

/// Kopia prints its result before the last upload, so after a failure only the repository can tell whether it is there.
/// Not to be cancelled: what is saved must become known.
Task<Snapshot> KopiaEngine::confirm(Snapshot claimed, ProcessResult result, ProgramCall call) {
  SnapshotFilter filter;
  filter.all_hosts = true;
  filter.path = claimed.path;
  const auto all = co_await list(filter, Cancel());
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& snapshot) { return snapshot.id == claimed.id; });
  if (found == all.end() || !found->usable()) fail(result, call);
  auto confirmed = *found;
  confirmed.errors = std::max<std::uint64_t>(confirmed.errors, 1);
  co_return confirmed;
}

/// What a cancelled snapshot left would be listed as incomplete, but other programs may take it for whole.
Task<> KopiaEngine::discard(std::string id) {
  auto call = make_call("remove what a cancelled snapshot left", {"snapshot", "delete", id, "--delete"});
  call.deadline = std::min(settings_.deadlines.quick, Milliseconds(60'000));
  try {
    co_await program_.run(std::move(call), Cancel());
  } catch (const Error&) {
    // The reason for the failed snapshot is on its way to the caller; the rest stays marked as incomplete.
  }
}

}  // namespace kopidocka
