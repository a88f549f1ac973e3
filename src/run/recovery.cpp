#include "run/recovery.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "catalog/staged_folder.hpp"
#include "run/held_data.hpp"
#include "run/lost_report.hpp"
#include "run/runner.hpp"

namespace kopidocka {
namespace {

using Type = JournalRecord::Type;

constexpr Milliseconds kSwapLimit{600'000};
/// One container that cannot be started must not keep the others waiting; the daemon comes back soon.
constexpr Milliseconds kStartRetry{5'000};
constexpr size_t kRunsAtOnce = 8;
constexpr size_t kWaitersAtOnce = 16;

std::vector<Debts> open_debts(const Journal& journal, const std::set<std::string>& active) {
  std::vector<Debts> all;
  const auto runs = journal.open_runs();
  if (!runs) throw runs.error();
  for (const auto& run : *runs) {
    if (active.count(run.run) != 0) continue;
    auto debts = debts_of(run.records);
    debts.run = run.run;
    debts.problem = run.problem;
    all.push_back(std::move(debts));
  }
  return all;
}

JournalRecord about(Type type, const std::string& container, std::string note) {
  JournalRecord record;
  record.type = type;
  record.container = container;
  record.note = std::move(note);
  return record;
}

std::string still_watched(const HeldMember& member, TimePoint until) {
  return "container " + printable(member.name) + " was asked to stop and still runs; should it end before " + to_iso8601(until) +
         ", it is started";
}

}  // namespace

/// Nothing is added to a file that cannot be read to its end: it would never be read either.
void Recovery::append(const Debts& debts, JournalRecord record) {
  if (!debts.problem.empty()) return;
  record.run = debts.run;
  if (auto written = context_.journal.append(debts.run, std::move(record)); !written) throw written.error();
}

Task<RecoveryOutcome> Recovery::pay_debts(std::set<std::string> active) {
  RecoveryOutcome outcome;
  const auto executor = co_await boost::asio::this_coro::executor;
  Semaphore turns(executor, kRunsAtOnce);
  TaskGroup group(executor);
  for (auto& debts : open_debts(context_.journal, active)) group.spawn(pay_and_note(std::move(debts), outcome, turns));
  co_await group.join();
  std::sort(outcome.lost.begin(), outcome.lost.end(), [](const auto& a, const auto& b) { return a.started_at < b.started_at; });
  co_return outcome;
}

Task<> Recovery::pay_and_note(Debts debts, RecoveryOutcome& outcome, Semaphore& turns) {
  co_await turns.acquire();
  if (!debts.problem.empty()) {
    outcome.problems.push_back("journal of run " + debts.run + ": " + debts.problem);
    if (!debts.unit.empty()) outcome.blocked_units.insert(debts.unit);
  } else if (!debts.ended && !debts.reported) {
    ++outcome.runs;
  }
  std::exception_ptr failure;
  try {
    co_await pay_run(debts, outcome);
  } catch (...) {
    failure = std::current_exception();
  }
  turns.release();
  if (!failure) co_return;
  outcome.blocked_units.insert(debts.unit);
  outcome.problems.push_back(to_error(failure).in("unit " + printable(debts.unit)).text());
}

Task<> Recovery::pay_run(Debts& debts, RecoveryOutcome& outcome) {
  const bool whole = debts.problem.empty();
  if (debts.unit.empty() && !whole) co_return;  // not even its beginning can be read
  if (debts.ended && whole) {
    if (auto closed = context_.journal.close(debts.run); !closed) throw closed.error();
    co_return;
  }
  if (!debts.swaps.empty()) {
    const bool may = co_await may_put_data_back(debts);
    if (may) co_await put_data_back(debts);
  }
  for (const auto& data : debts.replaced) {
    debts.reasons.push_back("the restored data is in place at " + printable(data.target) + "; what it replaced may still lie beside it");
  }
  co_await start_members(debts, outcome);
  if (whole) co_await drop_staged(debts);
  // Until it is gone, a new run of the unit would trust it.
  if (!debts.warm.empty()) outcome.warm_units.insert(debts.unit);
  if (debts.reported) {
    save_missing_report(debts);
    co_return;
  }
  // Only a run that was lost: of one that is reported the unit may have a new run, with its own files there.
  if (whole && debts.kind == "backup") {
    if (auto cleared = clear_staging((context_.cache_folder / "staging").string(), debts.unit); !cleared) throw cleared.error();
  }
  report_lost(debts, outcome);
}

/// Old data is not put under containers that may run on the new, nor onto another machine.
Task<bool> Recovery::may_put_data_back(Debts& debts) {
  const bool other_engine = !debts.engine_id.empty() && debts.engine_id != context_.docker_engine_id;
  if (debts.problem.empty() && !other_engine) co_return true;
  size_t here = 0, down = 0;
  for (const auto& member : debts.members) {
    const auto now = co_await look_at_container(context_.docker, member.id);
    if (now) ++here;
    if (decide(member, now, false).action == DebtDecision::start) ++down;
  }
  if (debts.problem.empty() && here > 0) co_return true;
  if (!debts.problem.empty() && down > 0 && down == debts.members.size()) co_return true;
  const auto why = debts.problem.empty() ? "the state folder now serves another Docker Engine" : "the journal does not say how far it came";
  for (const auto& data : debts.swaps) {
    debts.reasons.push_back("the data from before the restore was not put back at " + printable(data.target) + ": " + why);
  }
  co_return false;
}

Task<> Recovery::put_data_back(Debts& debts) {
  Cancel never;
  for (auto data = debts.swaps.rbegin(); data != debts.swaps.rend(); ++data) {
    auto place = place_of(*data, debts.run);
    if (!place) throw place.error();
    (void)co_await context_.worker.swap_back(*place, kSwapLimit, never);
    auto record = about(Type::restored, {}, {});
    record.data = *data;
    std::exception_ptr unwritten;
    try {
      append(debts, std::move(record));
    } catch (...) {
      unwritten = std::current_exception();
    }
    // A full disk must not keep the containers down: putting back what is back already changes nothing.
    if (unwritten) debts.reasons.push_back(to_error(unwritten).text());
  }
}

Task<> Recovery::start_members(Debts& debts, RecoveryOutcome& outcome) {
  std::exception_ptr first;
  std::vector<HeldMember> waiting;
  const auto owed = debts.members;
  for (const auto& member : owed) {
    std::exception_ptr failure;
    try {
      const bool done = co_await pay_member(debts, member, outcome);
      if (!done) waiting.push_back(member);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!first) first = failure;
  }
  const auto executor = co_await boost::asio::this_coro::executor;
  Semaphore turns(executor, kWaitersAtOnce);
  TaskGroup group(executor);
  for (const auto& member : waiting) group.spawn(wait_and_pay(debts, member, outcome, turns));
  std::exception_ptr failure;
  try {
    co_await group.join();
  } catch (...) {
    failure = std::current_exception();
  }
  if (!first) first = failure;
  if (first) std::rethrow_exception(first);
}

/// False when Docker may be stopping it just now, so that it is to be waited for.
Task<bool> Recovery::pay_member(Debts& debts, HeldMember member, RecoveryOutcome& outcome) {
  const auto until = stop_may_come_until(debts, member, context_.limits.stop_margin);
  Payment payment;
  payment.member = member;
  payment.stop_on_its_way = until && context_.clock.now() < *until;
  payment.start_asked = debts.starting.count(member.id) != 0;
  payment.limit = kStartRetry;
  payment.before_start = [this, &debts, id = member.id] {
    // A full disk must not keep the container down: without this record, a start whose own record is lost looks like a
    // stranger's, and no more.
    try {
      append(debts, about(Type::starting, id, {}));
    } catch (const Error&) {
    }
  };
  const auto decision = co_await pay_debt(context_.docker, context_.clock, std::move(payment));
  if (decision.action != DebtDecision::wait) {
    close_debt(debts, member, decision, outcome);
    co_return true;
  }
  if (debts.unconfirmed.count(member.id) == 0) co_return false;
  // Nobody waits an hour here: the daemon comes back every few seconds, and until then the unit has no new run.
  const auto watched = still_watched(member, *until);
  debts.reasons.push_back(watched);
  outcome.problems.push_back("unit " + printable(debts.unit) + ": " + watched);
  outcome.blocked_units.insert(debts.unit);
  co_return true;
}

Task<> Recovery::wait_and_pay(Debts& debts, HeldMember member, RecoveryOutcome& outcome, Semaphore& turns) {
  co_await turns.acquire();
  std::exception_ptr failure;
  try {
    // Docker finishes a stop whose client is gone: starting now would be undone by it. A record of the future is a clock
    // that was put back, and no reason to wait longer than a stop takes.
    const auto longest = Milliseconds(Seconds(member.grace) + context_.limits.stop_margin);
    const auto until = stop_may_come_until(debts, member, context_.limits.stop_margin).value_or(context_.clock.now());
    const auto left = std::chrono::ceil<Milliseconds>(until - context_.clock.now());
    (void)co_await ended_within(context_.docker, context_.clock, member, std::clamp(left, Milliseconds(0), longest));
    // Whatever is on its way now never arrived.
    std::erase(debts.stopping, member.id);
    (void)co_await pay_member(debts, member, outcome);
  } catch (...) {
    failure = std::current_exception();
  }
  turns.release();
  if (failure) std::rethrow_exception(failure);
}

void Recovery::close_debt(Debts& debts, const HeldMember& member, const Decision& decision, RecoveryOutcome& outcome) {
  if (decision.action == DebtDecision::start) {
    outcome.started.push_back(member.name);
    debts.restarted.push_back(member.name);
    append(debts, about(Type::started, member.id, std::string(kByRecovery)));
  } else if (decision.action == DebtDecision::disowned) {
    const bool other_engine = !debts.engine_id.empty() && debts.engine_id != context_.docker_engine_id;
    const auto reason = decision.reason + (other_engine ? "; the state folder now serves another Docker Engine" : "");
    append(debts, about(Type::disowned, member.id, reason));
    debts.reasons.push_back(reason);
  } else {
    append(debts, about(Type::started, member.id, decision.reason));
  }
  std::erase_if(debts.members, [&](const HeldMember& other) { return other.id == member.id; });
  debts.last_start = context_.clock.now();
}

Task<> Recovery::drop_staged(const Debts& debts) {
  Cancel never;
  for (const auto& data : debts.staged) {
    Place place;
    if (data.mode.empty()) {
      // Killed while the place was being made: making it again finds what there is.
      PlaceRequest request;
      request.target = data.target;
      request.run_id = debts.run;
      request.scratch = data.scratch;
      request.single_file = data.single_file;
      place = co_await context_.worker.prepare_place(request, never);
    } else {
      auto known = place_of(data, debts.run);
      if (!known) throw known.error();
      place = *known;
    }
    (void)co_await context_.worker.discard(place, Discard::staged, kSwapLimit, never);
  }
}

/// Throws the first failure, when all have been tried.
Task<> Recovery::drop_clones(Debts debts) {
  Cancel never;
  std::exception_ptr first;
  for (const auto& data : debts.clones) {
    CloneRequest request;
    request.source = data.target;
    request.run_id = debts.run;
    std::exception_ptr failure;
    try {
      co_await context_.worker.drop_clone(std::move(request), kSwapLimit, never);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!first) first = failure;
    if (failure) continue;
    auto record = about(Type::uncloned, {}, {});
    record.data = data;
    append(debts, std::move(record));
  }
  if (first) std::rethrow_exception(first);
}

/// What a later snapshot would build on.
Task<> Recovery::purge_run(Debts debts, bool worthless) {
  if (debts.kind == "backup" && worthless) co_await purge_snapshots(context_.engine, debts.run);
  if (debts.warm.empty()) co_return;
  const std::string any;
  co_await drop_warm_snapshots(context_.engine, debts.run, any);
  // A pass that was killed has left what it had uploaded every three quarters of an hour, without the tag of its run.
  for (const auto& data : debts.warm) co_await drop_warm_snapshots(context_.engine, any, data.target);
}

void Recovery::report_lost(const Debts& debts, RecoveryOutcome& outcome) {
  auto report = context_.reports.find(debts.run);
  if (!report) {
    report = lost_report(debts, context_.clock.now());
    if (auto saved = context_.reports.save(*report); !saved) throw saved.error();
    outcome.lost.push_back(*report);
  }
  auto record = about(Type::reported, {}, std::string(kByRecovery));
  record.result = std::string(to_string(report->result));
  record.reason = report->reason;
  append(debts, std::move(record));
}

void Recovery::save_missing_report(const Debts& debts) {
  if (debts.result.empty() || context_.reports.find(debts.run)) return;
  if (auto saved = context_.reports.save(report_from_journal(debts)); !saved) throw saved.error();
}

Task<> Recovery::purge(std::set<std::string> active, RecoveryOutcome& outcome) {
  for (const auto& debts : open_debts(context_.journal, active)) {
    if (!debts.problem.empty() || !debts.reported || !debts.members.empty() || !debts.swaps.empty()) continue;
    const auto report = context_.reports.find(debts.run);
    if (!report && !debts.result.empty()) continue;  // it is saved first
    const auto result = report ? report->result : RunResult::success;
    const bool worthless = result == RunResult::failed || result == RunResult::skipped;
    // One that cannot be removed must not keep the journals of all others.
    std::exception_ptr snapshots, clones;
    try {
      co_await purge_run(debts, worthless);
    } catch (...) {
      snapshots = std::current_exception();
    }
    try {
      co_await drop_clones(debts);
    } catch (...) {
      clones = std::current_exception();
    }
    if (snapshots) {
      outcome.problems.push_back("unit " + printable(debts.unit) + ": snapshots of an earlier run could not be removed yet: " + to_error(snapshots).text());
      outcome.blocked_units.insert(debts.unit);
    }
    if (clones) outcome.problems.push_back("unit " + printable(debts.unit) + ": a copy beside its data could not be removed yet: " + to_error(clones).text());
    if (snapshots || clones) continue;
    if (auto closed = context_.journal.close(debts.run); !closed) throw closed.error();
  }
}

}  // namespace kopidocka
