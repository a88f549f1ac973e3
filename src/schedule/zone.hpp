#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace date {
class time_zone;
}

namespace kopidocka {

class ZoneRule;

using UtcSeconds = std::chrono::time_point<std::chrono::system_clock, std::chrono::seconds>;

/// A time zone of the system's zone data (tzdata). A value; UTC needs no zone data at all. The data is read
/// once by find(), at() never touches a file.
class Zone {
 public:
  /// A stretch of time in which local time is UTC plus a constant offset: begin <= t < end.
  struct Span {
    UtcSeconds begin;
    UtcSeconds end;
    Seconds offset{0};
    std::string abbreviation;
  };

  Zone() = default;  ///< UTC

  /// Refuses names that the zone data does not know, with the nearest one it knows.
  static Result<Zone> find(std::string_view name);

  const std::string& name() const { return name_; }
  Span at(UtcSeconds time) const;

 private:
  std::string name_ = "UTC";
  const date::time_zone* data_ =
      nullptr;  ///< owned by the date library for the life of the process; null = UTC
  std::shared_ptr<const ZoneRule> rule_;  ///< for the time after the last change that the data lists
};

/// Whether Zone::find() accepts `name`.
bool zone_exists(std::string_view name);

}  // namespace kopidocka
