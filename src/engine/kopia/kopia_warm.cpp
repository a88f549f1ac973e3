#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <cctype>
#include <exception>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "engine/kopia/kopia_engine.hpp"
#include "engine/kopia/kopia_gate.hpp"
#include "engine/place.hpp"
#include "engine/request_checks.hpp"

/// The warm pass: a snapshot of running containers that is ended when all is read, before Kopia saves it as complete.
namespace kopidocka {
namespace {

constexpr int kLooks = 3;
/// From the interrupt to the moment Kopia may go on: it must have taken note by then. Nothing is stopped meanwhile.
constexpr Milliseconds kToTakeNote{1'000};

Result<void> require_run(const std::string& run) {
  constexpr size_t kLongest = 64;
  const bool plain = std::all_of(run.begin(), run.end(), [](unsigned char byte) {
    return (byte < 0x80 && std::isalnum(byte)) || byte == '-' || byte == '_';
  });
  if (plain && !run.empty() && run.size() <= kLongest) return {};
  return Error{ErrorKind::invalid, "'" + printable(run, 100) + "' cannot name the run of a warm snapshot"};
}

/// Interrupts Kopia once all is read. A named value and one end: g++ 12 makes an illegal instruction of it otherwise.
Task<> end_when_read(SnapshotGate& gate, KopiaGate& door, Cancel ending) {
  const bool all_read = co_await gate.all_read();
  if (all_read) {
    ending.request(CancelGrade::abort_step);
    co_await sleep_for(kToTakeNote);
    door.let_go();
  }
}

}  // namespace

Task<> KopiaEngine::require_warmable(SnapshotSource source, Cancel cancel) {
  const auto doing = "read " + printable(source.path) + " beforehand: ";
  if (!waits_at_gate() || gated_.count(normal_path(source.path)) == 0) {
    throw Error(ErrorKind::refused, doing + "Kopia does not come to our gate there, because somebody else's action stands in its policy");
  }
  const auto local = co_await real_path(source.local_path, cancel);
  if (!(co_await look_at(local, cancel)).folder()) throw Error(ErrorKind::refused, doing + "it is a single file");
}

void KopiaEngine::fail_warm(const ProcessResult& result, const ProgramCall& call) {
  if (result.timed_out || result.exit_code != 0) fail(result, call);
  throw Error(ErrorKind::failed, call.doing + ": kopia did not come to our gate, so nothing of it was kept",
              "if somebody changed the source's policy, run it again");
}

Task<> KopiaEngine::upload_warm(WarmRequest request, Cancel cancel) {
  const auto executor = co_await boost::asio::this_coro::executor;
  SnapshotRequest as_snapshot;
  as_snapshot.source = request.source;
  as_snapshot.tags[kWarmTag] = request.run;
  as_snapshot.deadline = request.deadline;
  auto call = snapshot_call(as_snapshot);
  call.doing = "read " + printable(request.source.path) + " beforehand";
  SnapshotGate gate(executor);
  gate.open();
  KopiaGate door(executor, gate, settings_.cache_folder + "/gate", settings_.gate_helper, AfterKnock::kept_waiting);
  call.environment = door.environment();
  call.args.emplace_back("--force-enable-actions");
  // What was read has still to reach the storage. Killed before that, it would be uploaded again.
  call.grace = settings_.deadlines.quick;
  Cancel ending;
  const auto asked = cancel.on_abort([ending]() mutable { ending.request(CancelGrade::abort_step); });
  TaskGroup group(executor);
  group.spawn(door.serve());
  group.spawn(end_when_read(gate, door, ending));
  ProcessResult result;
  std::exception_ptr failure;
  try {
    result = co_await program_.run(call, ending);
  } catch (...) {
    failure = std::current_exception();
  }
  const bool all_read = gate.was_read();
  gate.end();
  door.close();
  co_await group.join();
  if (failure) std::rethrow_exception(failure);
  if (cancel.grade() == CancelGrade::abort_step) throw Error(ErrorKind::cancelled, call.doing + ": asked to stop");
  if (!all_read || result.timed_out) fail_warm(result, call);
}

Task<WarmSnapshot> KopiaEngine::take_stock(std::string path, std::string run, std::vector<std::string> known, Cancel cancel) {
  const auto checkpoints = checkpoints_of_pass(identity(), path, known);
  const auto cleared = co_await clear(checkpoints, cancel);
  const auto saved = only_warm(cleared.all, identity(), path).value();
  if (saved.tags.at(kWarmTag) != run) throw Error(ErrorKind::failed, "another run left a warm snapshot of " + printable(path));
  WarmSnapshot warm;
  warm.id = saved.id;
  warm.bytes = saved.bytes;
  warm.files = saved.files;
  warm.unread = saved.errors + saved.ignored_errors;
  co_return warm;
}

Task<WarmSnapshot> KopiaEngine::warm(WarmRequest request, Cancel cancel) {
  require_source(request.source).value();
  require_run(request.run).value();
  co_await ensure_connected(cancel);
  co_await require_warmable(request.source, cancel);
  const auto path = normal_path(request.source.path);
  const std::string any_run;
  const auto earlier = warm_of_run(identity(), any_run, path);
  const auto cleared = co_await clear(earlier, cancel);
  // Told apart by their ids, not by time: clocks are set.
  const auto known = left_of_pass(identity(), path, std::vector<std::string>())(cleared.all);
  const auto left = left_of_pass(identity(), path, known);
  WarmSnapshot saved;
  std::exception_ptr failure;
  try {
    co_await upload_warm(request, cancel);
    saved = co_await take_stock(path, request.run, known, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) co_await clear_after(left, failure);
  co_return saved;
}

/// Removes and looks again, until nothing of it is there.
Task<KopiaEngine::Cleared> KopiaEngine::clear(KopiaChoice choice, Cancel cancel) {
  Cleared cleared;
  std::string why;
  for (int look = 0; look < kLooks; ++look) {
    const auto output = co_await list_text(cancel);
    cleared.all = decode_kopia_list(output).value();
    const auto ids = choice(cleared.all);
    if (ids.empty()) co_return cleared;
    if (look + 1 == kLooks) break;
    try {
      co_await remove(ids, cancel);
      cleared.gone += ids.size();
    } catch (const Error& error) {
      // Somebody else's retention may have been quicker with one of them, and then none is removed.
      if (error.kind() == ErrorKind::cancelled) throw;
      why = ": " + error.text();
    }
  }
  throw Error(ErrorKind::failed, "a snapshot that was read from running containers is still in the repository" + why,
              "remove it before the next backup, or that one may save old contents: see 'kopia snapshot list --incomplete'");
}

/// Not to be cancelled: what a failure left has to go. Throws that failure, or both when something is still there.
Task<> KopiaEngine::clear_after(KopiaChoice choice, std::exception_ptr failure) {
  std::optional<Error> left;
  try {
    co_await clear(std::move(choice), Cancel());
  } catch (const Error& error) {
    left = error;
  }
  if (!left) std::rethrow_exception(failure);
  throw Error(ErrorKind::failed, to_error(failure).text() + "; and " + left->text(), left->next_step());
}

Task<size_t> KopiaEngine::drop_warm(std::string run, std::string path, Cancel cancel) {
  if (!run.empty()) require_run(run).value();
  co_await ensure_connected(cancel);
  if (!path.empty()) path = normal_path(path);
  const auto warm = warm_of_run(identity(), run, path);
  const auto cleared = co_await clear(warm, cancel);
  co_return cleared.gone;
}

}  // namespace kopidocka
