#include "run/recovery.hpp"

#include <algorithm>
#include <exception>

#include "base/text.hpp"
#include "run/container_steps.hpp"
#include "run/held_data.hpp"
#include "run/runner.hpp"

namespace kopidocka {
namespace {

using Type = JournalRecord::Type;

constexpr Milliseconds kSwapLimit{600'000};
/// One container that cannot be started must not keep the others waiting; the daemon comes back soon.
constexpr Milliseconds kStartRetry{5'000};

std::vector<Debts> open_debts(const Journal& journal, const std::set<std::string>& active, std::vector<std::string>& problems) {
  std::vector<Debts> all;
  const auto runs = journal.open_runs();
  if (!runs) throw runs.error();
  for (const auto& run : *runs) {
    if (active.count(run.run) != 0) continue;
    if (!run.problem.empty()) {
      problems.push_back("journal of run " + run.run + ": " + run.problem);
      continue;
    }
    auto debts = debts_of(run.records);
    debts.run = run.run;
    all.push_back(std::move(debts));
  }
  return all;
}

}  // namespace

void Recovery::append(const std::string& run, Type type, const std::string& container, const std::string& note) {
  JournalRecord record;
  record.type = type;
  record.run = run;
  record.container = container;
  record.note = note;
  if (auto written = context_.journal.append(run, std::move(record)); !written) throw written.error();
}

Task<RecoveryOutcome> Recovery::pay_debts(std::set<std::string> active) {
  RecoveryOutcome outcome;
  for (auto& debts : open_debts(context_.journal, active, outcome.problems)) {
    const auto unit = debts.unit;
    if (!debts.ended && !debts.reported) ++outcome.runs;
    std::exception_ptr failure;
    try {
      co_await pay_run(std::move(debts), outcome);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) continue;
    outcome.blocked_units.insert(unit);
    outcome.problems.push_back(to_error(failure).in("unit " + printable(unit)).text());
  }
  co_return outcome;
}

Task<> Recovery::pay_run(Debts debts, RecoveryOutcome& outcome) {
  if (debts.ended) {
    if (auto closed = context_.journal.close(debts.run); !closed) throw closed.error();
    co_return;
  }
  if (!debts.engine_id.empty() && debts.engine_id != context_.docker_engine_id) {
    for (const auto& member : debts.members) {
      append(debts.run, Type::disowned, member.id, "the state folder now serves another Docker Engine");
    }
    debts.members.clear();
  } else {
    co_await put_data_back(debts);
    co_await start_members(debts, outcome);
  }
  co_await drop_staged(debts);
  if (!debts.reported) report_lost(debts, outcome);
}

Task<> Recovery::put_data_back(const Debts& debts) {
  Cancel never;
  for (auto data = debts.swaps.rbegin(); data != debts.swaps.rend(); ++data) {
    auto place = place_of(*data, debts.run);
    if (!place) throw place.error();
    (void)co_await context_.worker.swap_back(*place, kSwapLimit, never);
    JournalRecord record;
    record.type = Type::restored;
    record.run = debts.run;
    record.data = *data;
    if (auto written = context_.journal.append(debts.run, std::move(record)); !written) throw written.error();
  }
}

Task<> Recovery::start_members(const Debts& debts, RecoveryOutcome& outcome) {
  std::exception_ptr first;
  for (const auto& member : debts.members) {
    std::exception_ptr failure;
    try {
      co_await start_member(debts, member, outcome);
    } catch (...) {
      failure = std::current_exception();
    }
    if (!first) first = failure;
  }
  if (first) std::rethrow_exception(first);
}

Task<> Recovery::start_member(const Debts& debts, HeldMember member, RecoveryOutcome& outcome) {
  const bool requested = std::find(debts.stopping.begin(), debts.stopping.end(), member.id) != debts.stopping.end();
  auto now = co_await look_at_container(context_.docker, member.id);
  auto decision = decide(member, now, requested);
  if (decision.action == DebtDecision::wait) {
    // Docker finishes a stop whose client is gone: starting now would be undone by it.
    (void)co_await ended_within(context_.docker, context_.clock, member.id, Seconds(member.grace) + Seconds(3));
    now = co_await look_at_container(context_.docker, member.id);
    decision = decide(member, now, false);
  }
  switch (decision.action) {
    case DebtDecision::disowned: append(debts.run, Type::disowned, member.id, decision.reason); break;
    case DebtDecision::wait:
    case DebtDecision::settled: append(debts.run, Type::started, member.id, decision.reason); break;
    case DebtDecision::start:
      // No record before the start: a full disk must not keep the container down, and a start can be repeated.
      co_await start_with_retry(context_.docker, context_.clock, member.id, kStartRetry);
      outcome.started.push_back(member.name);
      append(debts.run, Type::started, member.id, "recovery");
      break;
  }
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

void Recovery::report_lost(const Debts& debts, RecoveryOutcome& outcome) {
  if (!context_.reports.find(debts.run)) {
    RunReport report;
    report.unit = debts.unit;
    report.kind = debts.kind == "restore" ? RunKind::restore : RunKind::backup;
    report.backup_id = debts.run;
    report.result = RunResult::failed;
    report.reason = "interrupted";
    report.scope = debts.scope;
    report.engine = debts.engine;
    report.trigger = debts.trigger;
    report.started_at = debts.started_at;
    report.duration_seconds = std::max(0.0, to_unix_seconds(context_.clock.now()) - to_unix_seconds(debts.started_at));
    report.problems = {"kopi-docka, the Docker Engine or the host ended while this run was going on; what it had stopped was "
                       "started again at " + to_iso8601(context_.clock.now())};
    if (auto saved = context_.reports.save(report); !saved) throw saved.error();
    outcome.lost.push_back(std::move(report));
  }
  append(debts.run, Type::reported, {}, "recovery");
}

Task<> Recovery::purge(std::set<std::string> active) {
  std::vector<std::string> unreadable;
  for (const auto& debts : open_debts(context_.journal, active, unreadable)) {
    if (!debts.reported || !debts.members.empty()) continue;
    const auto report = context_.reports.find(debts.run);
    const bool worthless = !report || report->result == RunResult::failed || report->result == RunResult::skipped;
    if (debts.kind == "backup" && worthless) co_await purge_snapshots(context_.engine, debts.run);
    if (auto closed = context_.journal.close(debts.run); !closed) throw closed.error();
  }
}

}  // namespace kopidocka
