#include "schedule/schedule.hpp"

#include <algorithm>
#include <cstdio>
#include <date/date.h>
#include <utility>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "schedule/cron.hpp"
#include "schedule/walk.hpp"

namespace kopidocka {
namespace {

using std::chrono::floor;

constexpr size_t kLongestText = 1000;
constexpr auto kYear = std::chrono::hours(24 * 366);

Result<Milliseconds> parse_every(std::string_view expression) {
  const auto text = trim(expression.substr(std::string_view("@every").size()));
  const auto every = parse_duration(text.substr(0, 40));
  if (every && *every >= std::chrono::minutes(1)) return *every;
  const auto why = every ? " is shorter than one minute" : " is not a duration";
  return Error(ErrorKind::invalid, "@every: '" + printable(text, 60) + "'" + why,
               "write it like @every 30m, 6h or 1d12h");
}

bool is_every(std::string_view expression) {
  return expression == "@every" || expression.starts_with("@every ") || expression.starts_with("@every\t");
}

/// The first last_run + n * every later than both arguments.
std::optional<TimePoint> next_every(Milliseconds every, TimePoint after_time, TimePoint last_run) {
  const auto after = floor<Milliseconds>(after_time.time_since_epoch());
  const auto base = floor<Milliseconds>(last_run.time_since_epoch());
  const auto steps = after < base ? 0 : (after - base) / every;
  const auto time = base + (steps + 1) * every;
  if (time > floor<Milliseconds>(TimePoint::max().time_since_epoch())) return std::nullopt;
  return TimePoint(time);
}

std::optional<TimePoint> next_cron(const Cron& cron, const Zone& zone, TimePoint after) {
  const auto time = CronWalk(cron, zone, floor<Seconds>(after)).next();
  if (!time || *time > floor<Seconds>(TimePoint::max())) return std::nullopt;
  return TimePoint(*time);
}

Result<Milliseconds> parse_every_or_cron(std::string_view expression, Cron& cron) {
  if (is_every(expression)) return parse_every(expression);
  auto parsed = Cron::parse(expression);
  if (!parsed) return parsed.error();
  cron = *parsed;
  return Milliseconds(0);
}

/// The same expression walked in step with others: the next time not yet taken.
struct Walker {
  CronWalk walk;
  std::optional<UtcSeconds> next;
};

/// Takes the earliest time off all walkers that have it.
std::optional<UtcSeconds> take_earliest(std::vector<Walker>& walkers) {
  std::optional<UtcSeconds> first;
  for (const auto& walker : walkers) {
    if (walker.next && (!first || *walker.next < *first)) first = walker.next;
  }
  for (auto& walker : walkers) {
    if (first && walker.next == first) walker.next = walker.walk.next();
  }
  return first;
}

}  // namespace

/// Either a cron expression or a distance from the last run.
struct Schedule::Entry {
  Cron cron;
  std::optional<Milliseconds> every;
};

Schedule::Schedule(std::string text, Zone zone, std::vector<Entry> entries)
    : text_(std::move(text)),
      zone_(std::move(zone)),
      entries_(std::make_shared<const std::vector<Entry>>(std::move(entries))) {}

Result<Schedule> Schedule::parse(std::string_view expressions, std::string_view zone_name) {
  const auto where = [&] { return "schedule '" + printable(expressions, 80) + "'"; };
  if (expressions.size() > kLongestText) {
    return Error(ErrorKind::invalid, "is longer than " + std::to_string(kLongestText) + " characters")
        .in(where());
  }
  auto zone = Zone::find(zone_name);
  if (!zone) return zone.error();
  std::vector<Entry> entries;
  for (const auto& part : split(expressions, ';')) {
    Entry entry;
    const auto every = parse_every_or_cron(trim(part), entry.cron);
    if (!every) return Error(every.error()).in(where());
    if (*every > Milliseconds(0)) entry.every = *every;
    entries.push_back(entry);
  }
  return Schedule(trim(expressions), *zone, std::move(entries));
}

std::optional<TimePoint> Schedule::next_after(TimePoint after, std::optional<TimePoint> last_run) const {
  std::optional<TimePoint> first;
  for (const auto& entry : *entries_) {
    const auto time = entry.every ? next_every(*entry.every, after, last_run.value_or(after))
                                  : next_cron(entry.cron, zone_, after);
    if (time && (!first || *time < *first)) first = time;
  }
  return first;
}

Seconds Schedule::longest_gap(TimePoint from) const {
  const auto start = floor<Seconds>(from);
  auto ceiling = Seconds::max();
  std::vector<Walker> walkers;
  for (const auto& entry : *entries_) {
    if (entry.every) {
      ceiling = std::min(ceiling, std::chrono::ceil<Seconds>(*entry.every));
    } else {
      walkers.push_back({CronWalk(entry.cron, zone_, start), {}});
      walkers.back().next = walkers.back().walk.next();
    }
  }
  if (walkers.empty()) return ceiling;
  Seconds longest(0);
  for (auto last = take_earliest(walkers); last;) {
    const auto next = take_earliest(walkers);
    if (!next) break;
    longest = std::max(longest, *next - *last);
    if (*next - start > kYear) break;
    last = next;
  }
  return std::min(longest, ceiling);
}

std::string Schedule::local(TimePoint time) const {
  const auto utc = floor<Seconds>(time);
  const auto span = zone_.at(utc);
  const auto local = utc + span.offset;
  const auto midnight = date::floor<date::days>(local);
  const date::year_month_day day(midnight);
  const auto minute = floor<std::chrono::minutes>(local - midnight).count();
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d ", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()),
                static_cast<int>(minute / 60), static_cast<int>(minute % 60));
  return text + span.abbreviation;
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
