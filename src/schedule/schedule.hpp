#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "schedule/zone.hpp"

namespace kopidocka {

/// When a unit is due: one or several cron expressions (separated by ';') in one time zone. A value; it reads
/// zone data when parsed, never the clock.
///
/// Expressions: five fields (minute hour day-of-month month day-of-week) with lists, ranges, steps and
/// English names (7 = 0 = Sunday; day-of-month and day-of-week both restricted = either, as in Vixie cron),
/// @hourly @daily @midnight @weekly @monthly @yearly @annually, and "@every 6h" (counted from the last run).
/// Daylight saving follows cronie: a job at a fixed time inside a skipped hour runs right after the jump,
/// inside a repeated hour once; jobs whose minute or hour field starts with '*' follow real time.
class Schedule {
 public:
  /// Refuses unknown zones, wrong fields and dates that never come (31 February), naming the part that is
  /// wrong.
  static Result<Schedule> parse(std::string_view expressions, std::string_view zone);

  /// The first due time later than `after`, and for @every also later than `last_run`, which anchors it
  /// (absent = `after`). Nothing when none can be told, which takes a clock at the end of what it can show.
  std::optional<TimePoint> next_after(TimePoint after,
                                      std::optional<TimePoint> last_run = std::nullopt) const;

  /// The longest time between two runs of which the first lies in the year after `from`, for alerts. With
  /// @every next to other expressions an upper bound. Takes some 15 ms for a schedule of every minute.
  Seconds longest_gap(TimePoint from) const;

  const std::string& text() const { return text_; }
  const std::string& zone() const { return zone_.name(); }
  /// `time` as "2026-11-23 03:00 CET" in this schedule's zone.
  std::string local(TimePoint time) const;

  struct Entry;  ///< one parsed expression

 private:
  Schedule(std::string text, Zone zone, std::vector<Entry> entries);

  std::string text_;
  Zone zone_;
  std::shared_ptr<const std::vector<Entry>> entries_;  ///< shared, for units are copied often
};

/// The first `count` due times later than `from`, in order and each once; fewer when there are no more.
std::vector<TimePoint> next_runs(const Schedule& schedule, TimePoint from, size_t count);

}  // namespace kopidocka
