#include <algorithm>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "engine/request_checks.hpp"
#include "engine/restic/restic_engine.hpp"
#include "engine/restic/restic_errors.hpp"
#include "engine/retention.hpp"

/// What restic does only with the repository to itself: forgetting, tagging, pruning.
namespace kopidocka {
namespace {

constexpr size_t kNamesPerCall = 200;
/// A single try to have the repository to oneself, while containers may be down.
constexpr Milliseconds kAtOnce{0};
constexpr Milliseconds kRetryAlone{1'000};
const std::vector<std::string> kAll;  ///< no ids: every snapshot

bool same_id(const std::string& id, const std::string& asked) { return id.rfind(asked, 0) == 0; }

/// After a try that met another program's lock: waits for the next one, and rethrows what is no such thing or too late. Our
/// own backups must not wait for that lock behind us, so nobody holds the gate meanwhile.
Task<> before_next_try(std::exception_ptr failure, std::chrono::steady_clock::time_point until, Cancel cancel) {
  if (to_error(failure).kind() != ErrorKind::busy || std::chrono::steady_clock::now() >= until) std::rethrow_exception(failure);
  cancel.throw_if_requested();
  co_await sleep_for(kRetryAlone);
}

}  // namespace

Task<std::unique_ptr<ResticGate::Pass>> ResticEngine::enter_alone(std::string doing, Cancel cancel) {
  auto pass = co_await gate_.enter_alone(settings_.deadlines.locked, std::move(cancel));
  if (!pass) {
    throw Error(ErrorKind::busy, doing + ": backups use the repository and did not end within " + format_duration(settings_.deadlines.locked),
                "try again when they are done");
  }
  co_return pass;
}

/// To be called with the repository to oneself.
Task<> ResticEngine::do_postponed(Cancel cancel) {
  while (!postponed_.errors.empty()) {
    const auto [id, errors] = *postponed_.errors.begin();
    auto call = make_call("note unreadable entries", {"tag", "--add", restic_errors_tag(errors), id});
    (void)co_await run(std::move(call), cancel, kAtOnce);
    postponed_.errors.erase(id);
  }
  const std::vector<std::string> removals(postponed_.removals.begin(), postponed_.removals.end());
  co_await forget(removals, cancel);
  for (const auto& id : removals) postponed_.removals.erase(id);
}

/// What a snapshot left that was ended too late. Others may be at work, and the reason for the end is on its way to the caller.
Task<> ResticEngine::discard(std::string id) {
  postponed_.removals.insert(id);
  try {
    const auto pass = co_await gate_.enter_alone(kAtOnce, Cancel());
    if (pass) co_await do_postponed(Cancel());
  } catch (const Error&) {
    // It stays hidden, and is removed with the next retention.
  }
}

/// Restic itself does not remember that entries were left out. Changing tags gives the snapshot another id, and takes the
/// repository alone: while others are at work it is left to the end of their runs, because containers are down now.
Task<> ResticEngine::mark_errors(ResticSnapshot& saved, std::uint64_t errors, Cancel cancel) {
  postponed_.errors[saved.snapshot.id] = errors;
  const auto pass = co_await gate_.enter_alone(kAtOnce, cancel);
  if (!pass) co_return;
  auto call = make_call("note unreadable entries", {"tag", "--add", restic_errors_tag(errors), saved.snapshot.id});
  const auto result = co_await attempt(call, kAtOnce, cancel);
  if (!result.ok() && restic_locked(result)) co_return;
  postponed_.errors.erase(saved.snapshot.id);
  throw_unless_ended(result, call);
  if (!result.ok()) co_await fail(result, call.doing, cancel);
  for (const auto& other : co_await read_snapshots(kAll, cancel)) {
    const bool same = other.tree == saved.tree && other.snapshot.start_time == saved.snapshot.start_time;
    if (same && other.snapshot.path == saved.snapshot.path) saved.snapshot.id = other.snapshot.id;
  }
}

Task<> ResticEngine::forget(std::vector<std::string> ids, Cancel cancel) {
  for (size_t first = 0; first < ids.size(); first += kNamesPerCall) {
    std::vector<std::string> args{"forget"};
    for (size_t i = first; i < std::min(first + kNamesPerCall, ids.size()); ++i) args.push_back(ids[i]);
    auto call = make_call("remove snapshots", std::move(args));
    (void)co_await run(std::move(call), cancel, kAtOnce);
  }
}

Task<> ResticEngine::remove(std::vector<std::string> ids, Cancel cancel) {
  require_ids(ids, 8).value();
  if (ids.empty()) co_return;
  co_await open(cancel);
  const auto until = std::chrono::steady_clock::now() + settings_.deadlines.locked;
  while (true) {
    std::exception_ptr failure;
    try {
      co_return co_await remove_alone(ids, cancel);
    } catch (...) {
      failure = std::current_exception();
    }
    co_await before_next_try(failure, until, cancel);
  }
}

/// Restic has no pins: a tag of ours is one, and our retention, the only one there, minds it.
Task<> ResticEngine::pin(std::vector<std::string> ids, bool pinned, Cancel cancel) {
  require_ids(ids, 8).value();
  if (ids.empty()) co_return;
  co_await open(cancel);
  const auto pass = co_await enter_alone(pinned ? "pin snapshots" : "unpin snapshots", cancel);
  co_await unlock(cancel);
  std::vector<std::string> args{"tag", pinned ? "--add" : "--remove", restic_pin_tag()};
  args.insert(args.end(), ids.begin(), ids.end());
  auto call = make_call(pinned ? "pin snapshots" : "unpin snapshots", std::move(args));
  (void)co_await run(std::move(call), cancel);
}

Task<> ResticEngine::remove_alone(std::vector<std::string> ids, Cancel cancel) {
  const auto pass = co_await enter_alone("remove snapshots", cancel);
  // Restic calls it a success when it finds none of them.
  const auto all = co_await read_snapshots(kAll, cancel);
  for (const auto& id : ids) {
    if (std::none_of(all.begin(), all.end(), [&](const auto& one) { return same_id(one.snapshot.id, id); })) {
      throw Error(ErrorKind::not_found, "remove snapshots: there is no snapshot " + id, "list the snapshots and name one of them");
    }
  }
  co_await forget(ids, cancel);
  // Only now: what is noted changes ids. And nothing is to be noted about those that went.
  std::erase_if(postponed_.errors, [&](const auto& note) {
    return std::any_of(ids.begin(), ids.end(), [&](const auto& id) { return same_id(note.first, id); });
  });
  co_await do_postponed(cancel);
}

std::vector<std::string> ResticEngine::expired_now(const std::vector<ResticSnapshot>& all,
                                                   const std::vector<SourcePolicy>& policies) const {
  std::vector<std::string> gone;
  for (const auto& policy : policies) {
    std::vector<Snapshot> own;
    for (const auto& one : all) {
      const bool same = one.snapshot.host == settings_.hostname && one.snapshot.path == normal_path(policy.path);
      if (same && one.marks.ours) own.push_back(one.snapshot);
    }
    for (auto& id : expired_ids(std::move(own), policy.retention)) gone.push_back(std::move(id));
  }
  return gone;
}

Task<std::vector<std::string>> ResticEngine::expire(std::vector<SourcePolicy> policies, Cancel cancel) {
  if (policies.empty()) co_return std::vector<std::string>();
  co_await open(cancel);
  for (auto& policy : policies) {
    const auto path = normal_path(policy.path);
    gate_.retract(std::vector<std::string>(1, path));
    postponed_.retention.insert_or_assign(path, std::move(policy));
  }
  const auto until = std::chrono::steady_clock::now() + settings_.deadlines.locked;
  while (true) {
    std::exception_ptr failure;
    try {
      co_return co_await expire_alone(cancel);
    } catch (...) {
      failure = std::current_exception();
    }
    co_await before_next_try(failure, until, cancel);
  }
}

Task<std::vector<std::string>> ResticEngine::expire_alone(Cancel cancel) {
  const auto pass = co_await gate_.enter_alone(settings_.deadlines.locked, cancel);
  if (!pass) co_return std::vector<std::string>();
  co_await unlock(cancel);
  co_await do_postponed(cancel);
  std::vector<SourcePolicy> due;
  for (const auto& [path, policy] : postponed_.retention) due.push_back(policy);
  auto gone = expired_now(co_await read_snapshots(kAll, cancel), due);
  co_await forget(gone, cancel);
  for (const auto& policy : due) postponed_.retention.erase(normal_path(policy.path));
  co_return gone;
}

Task<> ResticEngine::verify(std::vector<std::string> ids, int read_percent, Cancel cancel) {
  require_ids(ids, 8).value();
  co_await open(cancel);
  const auto all = co_await read_snapshots(kAll, cancel);
  for (const auto& id : ids) {
    if (std::none_of(all.begin(), all.end(), [&](const auto& one) { return same_id(one.snapshot.id, id); })) {
      throw Error(ErrorKind::failed, "verify snapshots: snapshot " + id + " is gone", "make a new backup now");
    }
  }
  // Restic's own lock would keep backups out for hours; beside one it only sees packs that no index knows yet.
  std::vector<std::string> args{"check", "--no-lock"};
  const int percent = std::clamp(read_percent, 0, 100);
  if (percent == 100) args.emplace_back("--read-data");
  if (percent > 0 && percent < 100) args.push_back("--read-data-subset=" + std::to_string(percent) + "%");
  auto call = make_call("verify snapshots", std::move(args));
  call.deadline = settings_.deadlines.transfer;
  const auto pass = co_await gate_.enter({}, settings_.deadlines.quick, cancel);
  const auto result = co_await program_.run(call, cancel);
  throw_unless_ended(result, call);
  if (result.ok()) co_return;
  const auto error = restic_error(call.doing, result);
  if (error.kind() != ErrorKind::failed) throw error;
  throw Error(ErrorKind::failed, call.doing + ": damaged or missing data: " + last_words(result),
              "make a new backup now; then look at the storage, see 'restic check'");
}

Task<> ResticEngine::maintain(bool full, Cancel cancel) {
  co_await open(cancel);
  const auto pass = co_await enter_alone("prune the repository", cancel);
  co_await unlock(cancel);
  co_await do_postponed(cancel);
  if (!full) co_return;
  auto call = make_call("prune the repository", {"prune"});
  call.deadline = settings_.deadlines.maintenance;
  Cancel end;
  const auto asked = cancel.on_abort([end]() mutable { end.request(CancelGrade::abort_step); });
  gate_.on_announce([end]() mutable { end.request(CancelGrade::abort_step); });
  std::exception_ptr failure;
  try {
    co_await run(std::move(call), end);
  } catch (...) {
    failure = std::current_exception();
  }
  gate_.on_announce({});
  if (!failure) co_return;
  if (to_error(failure).kind() != ErrorKind::cancelled || cancel.requested()) std::rethrow_exception(failure);
  throw Error(ErrorKind::busy, "prune the repository: given up for a backup", "it goes on the next time");
}

}  // namespace kopidocka
