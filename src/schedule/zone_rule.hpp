#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "schedule/zone.hpp"

namespace kopidocka {

/// The rule in the last line of a zone file ("CET-1CEST,M3.5.0,M10.5.0/3", POSIX TZ format), which holds for
/// all time after the changes that the file lists. The date library ignores it, and then summer time would
/// end for good in 2037, or, in files made with zic's "slim" format, with the last change of the law, decades
/// ago.
class ZoneRule {
 public:
  /// Nothing when the line is no such rule or names days in another way than month, week and weekday (no zone
  /// does).
  static std::optional<ZoneRule> parse(std::string_view line);

  Zone::Span at(UtcSeconds time) const;

 private:
  struct Local {
    std::string abbreviation;
    Seconds offset{0};
  };
  /// On weekday `weekday` in week `week` (5 = last) of `month`, `time` after midnight, which may be another
  /// day.
  struct Change {
    unsigned month = 0, week = 0, weekday = 0;
    Seconds time{7200};
  };
  struct Reader;

  static UtcSeconds in_year(const Change& change, int year, Seconds offset_before);

  Local standard_;
  std::optional<Local> summer_;
  Change begin_, end_;  ///< of summer time
};

}  // namespace kopidocka
