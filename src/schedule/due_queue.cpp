#include "schedule/due_queue.hpp"

#include <algorithm>
#include <utility>

namespace kopidocka {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr auto kOnTime = minutes(5);
constexpr auto kTooNearForCatchUp = minutes(30);
constexpr auto kSetBack = hours(3);  ///< cronie's border between an adjustment and a correction of the clock
constexpr auto kLongestSleep = minutes(1);
/// Between two calls of take() only a set clock or a sleeping machine lets so much time pass.
constexpr auto kLeap = minutes(10);
constexpr std::uint64_t kMostCounted = 1000;

/// The same for the same unit and time after every restart, so that a restart does not draw again. FNV-1a
/// with a finishing step, because consecutive days must not give consecutive delays.
std::uint64_t draw(std::string_view unit, TimePoint scheduled) {
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto mix = [&](std::uint64_t byte) { hash = (hash ^ byte) * 0x100000001b3; };
  for (const char letter : unit) mix(static_cast<unsigned char>(letter));
  auto seconds =
      static_cast<std::uint64_t>(std::chrono::floor<Seconds>(scheduled).time_since_epoch().count());
  for (int i = 0; i < 8; ++i, seconds >>= 8) mix(seconds & 0xff);
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 33);
}

Milliseconds jitter(std::string_view unit, TimePoint scheduled, Milliseconds most) {
  if (most <= Milliseconds(0)) return Milliseconds(0);
  return Milliseconds(draw(unit, scheduled) % (static_cast<std::uint64_t>(most.count()) + 1));
}

bool same_schedule(const Schedule& a, const Schedule& b) {
  return a.text() == b.text() && a.zone() == b.zone();
}

}  // namespace

std::string_view to_string(MissReason reason) {
  switch (reason) {
    case MissReason::down:
      return "down";
    case MissReason::overlap:
      return "overlap";
    case MissReason::clock:
      return "clock";
  }
  return "down";
}

void DueQueue::put(const std::string& unit, DueRule rule, std::optional<TimePoint> last_run, TimePoint now,
                   std::optional<TimePoint> told) {
  const auto start = now < floor_ ? std::nullopt : std::optional(now);
  const auto found = entries_.find(unit);
  if (found == entries_.end()) {
    entries_.emplace(unit,
                     Entry{std::move(rule), last_run, last_run ? last_run : start, {}, {}, told, false, false});
    return;
  }
  auto& entry = found->second;
  entry.gone = false;
  if (!same_schedule(entry.rule.schedule, rule.schedule)) {
    entry.seen = start;
    entry.catch_up_at.reset();
  }
  entry.rule = std::move(rule);
}

void DueQueue::remove(const std::string& unit) {
  const auto found = entries_.find(unit);
  if (found == entries_.end()) return;
  if (found->second.running) {
    found->second.gone = true;
  } else {
    entries_.erase(found);
  }
}

DueQueue::Taken DueQueue::take(TimePoint now) {
  Taken taken;
  if (now < floor_) return taken;
  const auto reason = last_take_ && now - *last_take_ > kLeap ? MissReason::clock : MissReason::down;
  last_take_ = now;
  for (auto& [unit, entry] : entries_) {
    if (!entry.gone) judge(unit, entry, now, reason, taken);
  }
  std::stable_sort(taken.due.begin(), taken.due.end(),
                   [](const Due& a, const Due& b) {
                     return std::pair(-a.priority, a.scheduled) < std::pair(-b.priority, b.scheduled);
                   });
  return taken;
}

void DueQueue::judge(const std::string& unit, Entry& entry, TimePoint now, MissReason reason, Taken& taken) {
  adjust(entry, now);
  const auto passed = passed_ticks(unit, entry, now);
  if (passed.count > 0) {
    entry.seen = passed.last.scheduled;
    const bool on_time = now - passed.last.due <= kOnTime && !entry.running;
    if (entry.running) reason = MissReason::overlap;
    const auto missed = passed.untold - (on_time && passed.untold > 0 ? 1 : 0);
    if (missed > 0) taken.missed.push_back({unit, reason, missed});
    if (on_time) return hand_out(entry, {unit, passed.last.scheduled, false, 0}, now, taken);
    const auto next = tick_after(unit, entry, passed.last.scheduled);
    const bool wanted =
        entry.rule.catch_up && !entry.running && (!next || next->due - now >= kTooNearForCatchUp);
    if (wanted && !entry.catch_up_at) {
      entry.catch_up_at = now + jitter(unit, passed.last.scheduled, entry.rule.jitter);
    }
    entry.missed_tick = passed.last.scheduled;
  }
  if (entry.catch_up_at && *entry.catch_up_at <= now && !entry.running) {
    hand_out(entry, {unit, entry.missed_tick, true, 0}, now, taken);
  }
}

void DueQueue::hand_out(Entry& entry, Due due, TimePoint now, Taken& taken) {
  entry.running = true;
  entry.last_run = now;
  entry.catch_up_at.reset();
  due.priority = entry.rule.priority;
  taken.due.push_back(std::move(due));
}

void DueQueue::started(const std::string& unit, TimePoint now) {
  const auto found = entries_.find(unit);
  if (found == entries_.end()) return;
  found->second.running = true;
  found->second.last_run = now;
  found->second.catch_up_at.reset();
}

void DueQueue::occupied(const std::string& unit) {
  const auto found = entries_.find(unit);
  if (found != entries_.end()) found->second.running = true;
}

void DueQueue::finished(const std::string& unit) {
  const auto found = entries_.find(unit);
  if (found == entries_.end()) return;
  found->second.running = false;
  if (found->second.gone) entries_.erase(found);
}

void DueQueue::adjust(Entry& entry, TimePoint now) {
  if (!entry.seen) entry.seen = now;
  const bool corrected = *entry.seen - now > kSetBack || (entry.last_run && *entry.last_run - now > kSetBack);
  if (corrected) {
    entry.seen = std::min(*entry.seen, now);
    if (entry.last_run) entry.last_run = std::min(*entry.last_run, now);
  }
  if (entry.catch_up_at) entry.catch_up_at = std::min(*entry.catch_up_at, now + entry.rule.jitter);
}

std::optional<DueQueue::Tick> DueQueue::tick_after(const std::string& unit, const Entry& entry,
                                                   TimePoint after) {
  const auto anchor = entry.last_run ? entry.last_run : entry.seen;
  const auto scheduled = entry.rule.schedule.next_after(after, anchor);
  if (!scheduled) return std::nullopt;
  auto most = entry.rule.jitter;
  if (most > Milliseconds(0)) {
    const auto following = entry.rule.schedule.next_after(*scheduled, anchor);
    if (following) most = std::min(most, std::chrono::floor<Milliseconds>((*following - *scheduled) / 2));
  }
  return Tick{*scheduled, *scheduled + jitter(unit, *scheduled, most)};
}

DueQueue::Passed DueQueue::passed_ticks(const std::string& unit, const Entry& entry, TimePoint now) {
  Passed passed;
  for (auto tick = tick_after(unit, entry, *entry.seen); tick && tick->due <= now;
       tick = tick_after(unit, entry, tick->scheduled)) {
    passed.last = *tick;
    if (!entry.told || tick->scheduled > *entry.told) ++passed.untold;
    if (++passed.count < kMostCounted) continue;
    // So many that the last one cannot be told cheaply: go on from now, as if that had come long ago.
    passed.last = {now, TimePoint{}};
    break;
  }
  return passed;
}

std::optional<TimePoint> DueQueue::next_due(const std::string& unit, Entry entry, TimePoint now) {
  if (entry.gone) return std::nullopt;
  adjust(entry, now);
  const auto tick = tick_after(unit, entry, *entry.seen);
  if (!tick) return entry.catch_up_at;
  return entry.catch_up_at ? std::min(tick->due, *entry.catch_up_at) : tick->due;
}

TimePoint DueQueue::next_wake(TimePoint now) const {
  auto wake = now + kLongestSleep;
  if (now < floor_) return wake;
  for (const auto& [unit, entry] : entries_) {
    if (const auto due = next_due(unit, entry, now)) wake = std::min(wake, *due);
  }
  return std::max(wake, now);
}

std::optional<TimePoint> DueQueue::next_run(const std::string& unit, TimePoint now) const {
  const auto found = entries_.find(unit);
  return found == entries_.end() ? std::nullopt : next_due(unit, found->second, now);
}

}  // namespace kopidocka
