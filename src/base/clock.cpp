#include "base/clock.hpp"

#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace kopidocka {

std::string to_iso8601(TimePoint time) {
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
  std::time_t seconds = static_cast<std::time_t>(micros / 1000000);
  auto fraction = static_cast<int>(micros % 1000000);
  if (fraction < 0) {
    fraction += 1000000;
    --seconds;
  }
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, fraction);
  return text;
}

TimePoint from_iso8601(const std::string& text) {
  std::tm parts{};
  int used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &used) != 6 || used == 0) {
    return {};
  }
  // Nanoseconds since 1970 in 64 bits hold no more; Docker's "never" is the year 1.
  if (parts.tm_year < 1678 || parts.tm_year > 2261) return {};
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  auto position = static_cast<size_t>(used);
  double fraction = 0;
  if (position < text.size() && text[position] == '.') {
    char* end = nullptr;
    fraction = std::strtod(text.c_str() + position, &end);
    position = static_cast<size_t>(end - text.c_str());
  }
  int offset = 0;
  if (position < text.size() && (text[position] == '+' || text[position] == '-')) {
    int hours = 0, minutes = 0;
    if (std::sscanf(text.c_str() + position + 1, "%2d:%2d", &hours, &minutes) >= 1) {
      offset = (hours * 3600 + minutes * 60) * (text[position] == '-' ? -1 : 1);
    }
  }
  const auto base = std::chrono::system_clock::from_time_t(timegm(&parts) - offset);
  return base + std::chrono::duration_cast<TimePoint::duration>(std::chrono::duration<double>(fraction));
}

double to_unix_seconds(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

}  // namespace kopidocka
