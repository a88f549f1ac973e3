#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace kopidocka {

/// When a unit is due: one or several cron expressions (separated by ';') in one time zone. A value; it reads zone data
/// when parsed, never the clock.
///
/// Expressions: five fields (minute hour day-of-month month day-of-week) with lists, ranges, steps and English names
/// (7 = 0 = Sunday; day-of-month and day-of-week both restricted = either, as in Vixie cron), @hourly @daily @midnight
/// @weekly @monthly @yearly @annually, and "@every 6h" (counted from the last run).
/// Daylight saving follows cronie: a job at a fixed time inside a skipped hour runs right after the jump, inside a
/// repeated hour once; jobs whose minute or hour field starts with '*' follow real time.
class Schedule {
 public:
  /// Refuses unknown zones, wrong fields and dates that never come (31 February), naming the part that is wrong.
  static Result<Schedule> parse(std::string_view expressions, std::string_view zone);

  /// The first due time later than `after`. `last_run` anchors @every (absent = `after`).
  std::optional<TimePoint> next_after(TimePoint after, std::optional<TimePoint> last_run = std::nullopt) const;

  /// The longest time between two runs over the coming year from `from`, for alerts.
  Seconds longest_gap(TimePoint from) const;

  const std::string& text() const { return text_; }
  const std::string& zone() const { return zone_; }
  /// `time` as "2026-11-23 03:00 CET" in this schedule's zone.
  std::string local(TimePoint time) const;

  struct Entry;  ///< one parsed expression (schedule/cron.hpp)

 private:
  std::string text_;
  std::string zone_;
  std::vector<Entry> entries_;
};

}  // namespace kopidocka
