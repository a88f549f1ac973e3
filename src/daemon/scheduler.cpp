#include "daemon/scheduler.hpp"

#include <exception>
#include <spdlog/spdlog.h>

#include "base/text.hpp"

namespace kopidocka {
namespace {

/// 2026-01-01: no clock that shows less can be right (a host without a battery boots in 1970).
constexpr TimePoint kEarliest = TimePoint(std::chrono::seconds(1767225600));

}  // namespace

Scheduler::Scheduler(boost::asio::any_io_executor executor, Coordinator& coordinator, UnitMemory& memory,
                     std::function<void(const Missed&)> on_missed)
    : coordinator_(coordinator),
      memory_(memory),
      on_missed_(std::move(on_missed)),
      queue_(kEarliest),
      wake_(executor),
      group_(executor) {}

std::optional<TimePoint> Scheduler::last_run(const std::string& unit) const {
  ReportFilter filter;
  filter.unit = unit;
  filter.kind = RunKind::backup;
  filter.limit = 1;
  const auto newest = coordinator_.assembly().reports.list(filter);
  const auto now = coordinator_.assembly().clock.now();
  return newest.reports.empty() ? memory_.first_seen(unit, now) : newest.reports.front().started_at;
}

void Scheduler::set_units(const std::vector<Unit>& units) {
  const auto now = coordinator_.assembly().clock.now();
  std::set<std::string> present;
  for (const auto& unit : units) {
    if (!unit.policy.enabled || !unit.policy.schedule || !unit.valid()) continue;
    present.insert(unit.name);
    const bool is_new = known_.count(unit.name) == 0;
    queue_.put(unit.name, {*unit.policy.schedule, unit.policy.jitter, unit.policy.catch_up, unit.policy.priority},
               is_new ? last_run(unit.name) : std::nullopt, now);
  }
  for (const auto& unit : known_) {
    if (present.count(unit) == 0) queue_.remove(unit);
  }
  known_ = std::move(present);
  wake_.notify();
}

Task<> Scheduler::run() {
  const auto& clock = coordinator_.assembly().clock;
  while (!stopped_) {
    auto taken = queue_.take(clock.now());
    for (const auto& missed : taken.missed) on_missed_(missed);
    for (auto& due : taken.due) group_.spawn(run_unit(std::move(due)));
    const auto now = clock.now();
    const auto pause = std::chrono::ceil<Milliseconds>(queue_.next_wake(now) - now);
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
  queue_.finished(due.unit);
  wake_.notify();
}

std::optional<TimePoint> Scheduler::next_run(const std::string& unit) const {
  return queue_.next_run(unit, coordinator_.assembly().clock.now());
}

}  // namespace kopidocka
