#include "daemon/scheduler.hpp"

#include <algorithm>
#include <exception>
#include <spdlog/spdlog.h>
#include <utility>

#include "base/text.hpp"

namespace kopidocka {
namespace {

/// 2026-01-01: no clock that shows less can be right (a host without a battery boots in 1970).
constexpr TimePoint kEarliest = TimePoint(std::chrono::seconds(1767225600));
constexpr Milliseconds kIdle{60'000};
constexpr size_t kMostBegun = 10'000;

/// When a unit's backups last began.
struct PastRuns {
  std::optional<TimePoint> any;   ///< refused ones included
  std::optional<TimePoint> real;  ///< more than a refusal
};

/// Refusals come in rows, a few of which are looked through cheaply.
PastRuns past_runs(const ReportStore& reports, const std::string& unit) {
  PastRuns past;
  ReportFilter filter;
  filter.unit = unit;
  filter.kind = RunKind::backup;
  for (const size_t limit : {20, 400}) {
    filter.limit = limit;
    for (const auto& report : reports.list(filter).reports) {
      if (!past.any) past.any = report.started_at;
      if (report.result == RunResult::skipped) continue;
      past.real = report.started_at;
      return past;
    }
  }
  return past;
}

}  // namespace

Scheduler::Scheduler(boost::asio::any_io_executor executor, Coordinator& coordinator, UnitMemory& memory,
                     std::function<void(const Missed&)> on_missed)
    : coordinator_(coordinator),
      memory_(memory),
      on_missed_(std::move(on_missed)),
      queue_(kEarliest),
      wake_(executor),
      group_(executor) {
  coordinator_.on_begin = [this](const std::string& unit, RunKind kind) { run_began(unit, kind); };
  coordinator_.on_end = [this](const std::string& unit, RunKind) { run_ended(unit); };
}

void Scheduler::add(const std::string& unit, DueRule rule, TimePoint now) {
  const auto past = past_runs(coordinator_.assembly().reports, unit);
  auto last = past.real.value_or(memory_.first_seen(unit, now));
  // What was refused is still to be done, but not again and again: what this process tried counts whatever came of it.
  if (const auto begun = begun_.find(unit); begun != begun_.end()) last = std::max(last, begun->second);
  queue_.put(unit, std::move(rule), last, now, past.any);
  if (coordinator_.is_active(unit)) queue_.occupied(unit);
}

void Scheduler::run_began(const std::string& unit, RunKind kind) {
  const auto now = coordinator_.assembly().clock.now();
  if (kind == RunKind::restore) return queue_.occupied(unit);
  if (begun_.size() >= kMostBegun) begun_.clear();
  begun_[unit] = now;
  queue_.started(unit, now);
}

void Scheduler::run_ended(const std::string& unit) {
  queue_.finished(unit);
  wake_.notify();
}

void Scheduler::allow(bool allowed) {
  if (std::exchange(allowed_, allowed) == allowed) return;
  if (!allowed_) queue_.rest();
  wake_.notify();
}

void Scheduler::set_units(const std::vector<Unit>& units) {
  rules_.clear();
  for (const auto& unit : units) {
    if (!unit.policy.enabled || !unit.policy.schedule || !unit.valid()) continue;
    rules_.emplace(unit.name, DueRule{*unit.policy.schedule, unit.policy.jitter, unit.policy.catch_up, unit.policy.priority});
  }
  apply_rules();
}

void Scheduler::pauses_changed() { apply_rules(); }

void Scheduler::apply_rules() {
  const auto now = coordinator_.assembly().clock.now();
  const auto& pauses = coordinator_.assembly().pauses;
  std::set<std::string> present;
  for (const auto& [unit, rule] : rules_) {
    if (pauses.holds(unit, now)) continue;
    present.insert(unit);
    if (known_.count(unit) == 0) {
      add(unit, rule, now);
    } else {
      queue_.put(unit, rule, std::nullopt, now);
    }
  }
  for (const auto& unit : known_) {
    if (present.count(unit) == 0) queue_.remove(unit);
  }
  known_ = std::move(present);
  wake_.notify();
}

void Scheduler::begin_due() {
  auto taken = queue_.take(coordinator_.assembly().clock.now());
  for (const auto& missed : taken.missed) on_missed_(missed);
  for (auto& due : taken.due) group_.spawn(run_unit(std::move(due)));
}

void Scheduler::end_pauses() {
  auto& pauses = coordinator_.assembly().pauses;
  const auto ended = pauses.end_what_is_over(coordinator_.assembly().clock.now());
  if (!ended) spdlog::error("paused units: {}", ended.error().what());
  if (!ended || *ended) apply_rules();
}

Task<> Scheduler::run() {
  const auto& clock = coordinator_.assembly().clock;
  while (!stopped_) {
    auto pause = kIdle;
    if (coordinator_.assembly().pauses.next_end()) end_pauses();
    if (allowed_) {
      begin_due();
      const auto now = clock.now();
      pause = std::chrono::ceil<Milliseconds>(queue_.next_wake(now) - now);
    }
    if (const auto end = coordinator_.assembly().pauses.next_end()) {
      pause = std::min(pause, std::chrono::ceil<Milliseconds>(*end - clock.now()));
    }
    if (!stopped_) (void)co_await wake_.wait_for(std::max(pause, Milliseconds(50)));
  }
  co_await group_.join();
}

void Scheduler::stop() {
  stopped_ = true;
  wake_.notify();
}

Task<> Scheduler::run_unit(Due due) {
  BackupWish wish;
  wish.unit = due.unit;
  wish.trigger = due.catch_up ? "catch-up" : "schedule";
  Cancel cancel;
  std::vector<RunObserver*> none;
  std::exception_ptr failure;
  try {
    (void)co_await coordinator_.back_up(wish, none, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) spdlog::error("unit {}: scheduled backup: {}", printable(due.unit), to_error(failure).what());
  // A run that was admitted has told its end; one that was refused was never begun.
  if (!coordinator_.is_active(due.unit)) run_ended(due.unit);
}

std::optional<TimePoint> Scheduler::next_run(const std::string& unit) const {
  return queue_.next_run(unit, coordinator_.assembly().clock.now());
}

}  // namespace kopidocka
