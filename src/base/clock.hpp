#pragma once

#include <chrono>
#include <string>

namespace kopidocka {

using TimePoint = std::chrono::system_clock::time_point;
using Seconds = std::chrono::seconds;

/// Wall time for what people read and schedules compare; monotonic time for how long something took.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock : public Clock {
 public:
  TimePoint now() const override { return std::chrono::system_clock::now(); }
  std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
};

/// "2026-11-22T03:00:00.123456+00:00": UTC with microseconds, the form the Python original writes as well.
std::string to_iso8601(TimePoint time);

/// Reads RFC 3339 and Docker's and Kopia's nanosecond forms; a time without an offset is UTC. Returns the epoch when unreadable.
TimePoint from_iso8601(const std::string& text);

double to_unix_seconds(TimePoint time);

}  // namespace kopidocka
