#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.hpp"

namespace kopidocka {

/// Minutes since 1970-01-01 00:00 on the wall clock of some zone.
using LocalMinute = std::int64_t;

/// One cron expression of five fields, without a time zone. A value.
struct Cron {
  std::bitset<60> minutes;
  std::bitset<24> hours;
  std::bitset<32> days;     ///< of the month, 1-31
  std::bitset<13> months;   ///< 1-12
  std::bitset<7> weekdays;  ///< 0 = Sunday
  bool either_day = false;  ///< day-of-month and day-of-week are both restricted: one of them is enough
  bool follows_real_time = false;  ///< minute or hour field starts with '*': cronie calls this a wildcard job

  /// Five fields or one of @hourly @daily @midnight @weekly @monthly @yearly @annually.
  /// Refuses dates that never come. Errors name the field, what stands there and what is allowed.
  static Result<Cron> parse(std::string_view expression);

  /// The first match in first <= t <= last. Steps by days and months, so an empty century costs microseconds.
  std::optional<LocalMinute> first_match(LocalMinute first, LocalMinute last) const;

 private:
  bool matches_day(unsigned day, unsigned month, std::int64_t days_since_epoch) const;
  std::optional<int> first_in_day(int minute_of_day) const;
};

}  // namespace kopidocka
