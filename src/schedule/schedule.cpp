#include "schedule/schedule.hpp"

#include <date/date.h>

#include <algorithm>
#include <utility>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "schedule/cron.hpp"
#include "schedule/walk.hpp"

namespace kopidocka {
namespace {

constexpr size_t kLongestText = 1000;
constexpr auto kYear = std::chrono::hours(24 * 366);

Result<Milliseconds> parse_every(std::string_view expression) {
  const auto text = trim(expression.substr(std::string_view("@every").size()));
  const auto every = parse_duration(text.substr(0, 40));
  if (every && *every >= std::chrono::minutes(1)) return *every;
  const auto why = every ? " is shorter than one minute" : " is not a duration";
  return Error(ErrorKind::invalid, "@every: '" + printable(text, 60) + "'" + why, "write it like @every 30m, 6h or 1d12h");
}

bool is_every(std::string_view expression) {
  return expression == "@every" || expression.starts_with("@every ") || expression.starts_with("@every\t");
}

std::optional<TimePoint> to_time_point(UtcSeconds time) {
  if (time > std::chrono::floor<Seconds>(TimePoint::max())) return std::nullopt;
  return TimePoint(time);
}

}  // namespace

/// Either a cron expression or a distance from the last run.
struct Schedule::Entry {
  Cron cron;
  std::optional<Milliseconds> every;

  std::optional<TimePoint> next_after(const Zone& zone, TimePoint after, TimePoint last_run) const;
};

namespace {

std::optional<TimePoint> next_every(Milliseconds every, TimePoint after, TimePoint last_run) {
  const auto elapsed = std::chrono::floor<Milliseconds>(after.time_since_epoch()).count() -
                       std::chrono::floor<Milliseconds>(last_run.time_since_epoch()).count();
  auto steps = elapsed / every.count() - (elapsed % every.count() < 0 ? 1 : 0);
  const auto base = std::chrono::floor<Milliseconds>(last_run);
  for (auto time = base + steps * every;; time += every) {
    if (time > std::chrono::floor<Milliseconds>(TimePoint::max())) return std::nullopt;
    if (time > after) return TimePoint(time);
  }
}

}  // namespace

std::optional<TimePoint> Schedule::Entry::next_after(const Zone& zone, TimePoint after, TimePoint last_run) const {
  if (every) return next_every(*every, after, last_run);
  const auto time = CronWalk(cron, zone, std::chrono::floor<Seconds>(after)).next();
  return time ? to_time_point(*time) : std::nullopt;
}

Schedule::Schedule(std::string text, Zone zone, std::vector<Entry> entries)
    : text_(std::move(text)),
      zone_(std::move(zone)),
      entries_(std::make_shared<const std::vector<Entry>>(std::move(entries))) {}

Result<Schedule> Schedule::parse(std::string_view expressions, std::string_view zone_name) {
  if (expressions.size() > kLongestText) {
    return Error(ErrorKind::invalid, "schedule '" + printable(expressions, 60) + "' is longer than " + std::to_string(kLongestText) + " characters");
  }
  auto zone = Zone::find(zone_name);
  if (!zone) return zone.error();
  std::vector<Entry> entries;
  for (const auto& part : split(expressions, ';')) {
    const auto expression = trim(part);
    Entry entry;
    if (is_every(expression)) {
      const auto every = parse_every(expression);
      if (!every) return every.error();
      entry.every = *every;
    } else {
      const auto cron = Cron::parse(expression);
      if (!cron) return cron.error();
      entry.cron = *cron;
    }
    entries.push_back(entry);
  }
  return Schedule(trim(expressions), *zone, std::move(entries));
}

std::optional<TimePoint> Schedule::next_after(TimePoint after, std::optional<TimePoint> last_run) const {
  std::optional<TimePoint> first;
  for (const auto& entry : *entries_) {
    const auto time = entry.next_after(zone_, after, last_run.value_or(after));
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

Seconds Schedule::longest_gap(TimePoint from) const {
  Seconds longest(0);
  const auto end = from + kYear;
  for (auto last = from; last < end;) {
    const auto next = next_after(last, last);
    if (!next) break;
    longest = std::max(longest, std::chrono::ceil<Seconds>(*next - last));
    last = *next;
  }
  return longest;
}

std::string Schedule::local(TimePoint time) const {
  const auto utc = std::chrono::floor<Seconds>(time);
  const auto span = zone_.at(utc);
  return date::format("%F %H:%M ", std::chrono::floor<std::chrono::minutes>(utc + span.offset)) + span.abbreviation;
}

std::vector<TimePoint> next_runs(const Schedule& schedule, TimePoint from, size_t count) {
  std::vector<TimePoint> runs;
  for (auto last = from; runs.size() < count;) {
    const auto next = schedule.next_after(last, last);
    if (!next) break;
    runs.push_back(*next);
    last = *next;
  }
  return runs;
}

}  // namespace kopidocka
