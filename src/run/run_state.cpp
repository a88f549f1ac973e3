#include "run/run_state.hpp"

#include <algorithm>
#include <exception>

#include "base/text.hpp"

namespace kopidocka {
namespace {

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string sentence_of(const Error& error) {
  return error.next_step().empty() ? error.text() : error.text() + "; " + error.next_step();
}

}  // namespace

RunState::RunState(RunContext& run_context, const boost::asio::any_io_executor& executor, Plan run_plan, Cancel run_cancel)
    : context(run_context),
      plan(std::move(run_plan)),
      cancel(std::move(run_cancel)),
      open_snapshots(executor, run_context.engine, plan.gate_width, run_context.limits.workers),
      hold_changed(executor),
      began_(context.clock.steady()),
      subscription_(cancel.on_abort([this] { engine_cancel.request(CancelGrade::abort_step); })) {
  report.unit = plan.unit.name;
  report.kind = plan.kind;
  report.backup_id = plan.run;
  report.restored_from = plan.restored_from;
  report.scope = plan.scope;
  if (plan.kind == RunKind::backup) report.consistency = to_string(plan.unit.policy.consistency);
  report.trigger = plan.trigger;
  report.engine = context.engine.name();
  report.started_at = context.clock.now();
}

void RunState::abort(const Error& error, std::string reason) {
  if (!aborted_) {
    aborted_ = true;
    // Before the hold nothing was touched: a refusal, except where the work itself had begun.
    refused_ = phase == Phase::prepare && reason != "restore" && reason != "snapshot";
    report.reason = std::move(reason);
    report.problems.insert(report.problems.begin(), sentence_of(error));
    engine_cancel.request(CancelGrade::abort_step);
    return;
  }
  // What we ended ourselves because of the first error says nothing new.
  if (error.kind() != ErrorKind::cancelled) note(sentence_of(error));
}

void RunState::degrade(const Error& error, std::string reason) {
  degraded_ = true;
  if (report.reason.empty()) report.reason = std::move(reason);
  note(sentence_of(error));
}

void RunState::note(std::string sentence) {
  auto& problems = report.problems;
  if (std::find(problems.begin(), problems.end(), sentence) == problems.end()) problems.push_back(std::move(sentence));
}

MemberReport& RunState::member(const std::string& id) {
  for (auto& member : report.members) {
    if (member.id == id) return member;
  }
  MemberReport member;
  member.id = id;
  if (const auto* known = plan.unit.anybody(id)) member.name = known->container.name;
  member.foreign = plan.unit.member(id) == nullptr;
  report.members.push_back(std::move(member));
  return report.members.back();
}

Milliseconds RunState::within_limit(Milliseconds wanted) const {
  if (!plan.max_downtime || !first_down_) return wanted;
  const auto left = std::chrono::ceil<Milliseconds>(*first_down_ + *plan.max_downtime - context.clock.steady());
  return std::clamp(left, Milliseconds(0), wanted);
}

bool RunState::over_limit() const {
  if (!plan.max_downtime || !first_down_) return false;
  const auto now = context.clock.steady();
  return (owed.empty() ? last_up_.value_or(now) : now) - *first_down_ >= *plan.max_downtime;
}

void RunState::member_down(const std::string& id) {
  const auto now = context.clock.steady();
  if (!first_down_) first_down_ = now;
  down_since_.emplace(id, now);
  owed.insert(id);
  hold_changed.notify();
}

void RunState::member_up(const std::string& id) {
  const auto now = context.clock.steady();
  owed.erase(id);
  const auto since = down_since_.find(id);
  if (since == down_since_.end()) return;
  member(id).down_seconds = seconds_between(since->second, now);
  last_up_ = now;
}

void RunState::emit(RunEvent::Kind kind, std::string text, std::string error, double seconds, std::uint64_t bytes) {
  const RunEvent event{kind, std::move(text), std::move(error), seconds, bytes, std::string(to_string(phase)), report};
  for (auto* observer : context.observers) {
    try {
      observer->on_run_event(event);
    } catch (...) {
      note("an observer of the run failed: " + to_error(std::current_exception()).text());
    }
  }
}

void RunState::journal(JournalRecord::Type type, const std::string& container, std::optional<HeldData> data, std::string note_text) {
  JournalRecord record;
  record.type = type;
  record.run = plan.run;
  record.container = container;
  record.data = std::move(data);
  record.note = std::move(note_text);
  if (auto written = context.journal.append(plan.run, std::move(record)); !written) throw written.error();
}

void RunState::journal_if_possible(JournalRecord::Type type, const std::string& container, std::string note_text, std::optional<HeldData> data) {
  try {
    journal(type, container, std::move(data), std::move(note_text));
  } catch (const Error& error) {
    note(error.text());
  }
}

void RunState::judge() {
  // An end that was requested when all the work was done changes nothing about the result.
  if (cut_short && !aborted_) abort(Error(ErrorKind::cancelled, "the run was asked to stop"), "cancelled");
  if (aborted_) {
    report.result = refused_ ? RunResult::skipped : RunResult::failed;
  } else {
    report.result = degraded_ ? RunResult::partial : RunResult::success;
  }
  // A member that is still down keeps the clock running.
  const auto now = context.clock.steady();
  if (first_down_) report.downtime_seconds = seconds_between(*first_down_, owed.empty() ? last_up_.value_or(now) : now);
}

void RunState::conclude() {
  judge();
  report.duration_seconds = seconds_between(began_, context.clock.steady());
  if (plan.kind != RunKind::backup) return;
  // What a unit's labels or recipe lack changes no result, but must be seen; what happened in the run comes before it.
  for (const auto& problem : plan.unit.problems) {
    if (problem.severity == Problem::Severity::warning) note(problem.where + ": " + problem.message);
  }
}

}  // namespace kopidocka
