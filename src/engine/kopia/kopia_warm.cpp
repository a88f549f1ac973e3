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

/// Interrupts Kopia once all is read, or once somebody asks for it.
Task<> end_when_read(SnapshotGate& gate, KopiaGate& door, Cancel ending) {
  if (!co_await gate.all_read()) co_return;
  ending.request(CancelGrade::abort_step);
  co_await sleep_for(kToTakeNote);
  door.let_go();
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
  const auto output = co_await list_text(cancel);
  const auto saved = only_warm(decode_kopia_list(output).value(), identity(), path).value();
  if (saved.tags.at(kWarmTag) != run) throw Error(ErrorKind::failed, "another run left a warm snapshot of " + printable(path));
  known.push_back(saved.id);
  co_await clear(left_of_pass(identity(), path, known), cancel);
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
  co_await clear(warm_of_run(identity(), {}, path), cancel);
  // Told apart by their ids, not by time: clocks are set.
  const auto output = co_await list_text(cancel);
  const auto known = left_of_pass(identity(), path, {})(decode_kopia_list(output).value());
  WarmSnapshot saved;
  std::exception_ptr failure;
  try {
    co_await upload_warm(request, cancel);
    saved = co_await take_stock(path, request.run, known, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) co_await clear_after(left_of_pass(identity(), path, known), failure);
  co_return saved;
}

/// Removes and looks again, until nothing of it is there.
Task<size_t> KopiaEngine::clear(KopiaChoice choice, Cancel cancel) {
  size_t gone = 0;
  std::string why;
  for (int look = 0; look < kLooks; ++look) {
    const auto output = co_await list_text(cancel);
    const auto ids = choice(decode_kopia_list(output).value());
    if (ids.empty()) co_return gone;
    if (look + 1 == kLooks) break;
    try {
      co_await remove(ids, cancel);
      gone += ids.size();
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
  co_return co_await clear(warm_of_run(identity(), run, path.empty() ? path : normal_path(path)), cancel);
}

}  // namespace kopidocka
