#pragma once

#include <array>
#include <cstdint>
#include <ctime>
#include <string>
#include <vector>

namespace kopidocka::oracle {

/// Plays cron for some expressions by sitting through every minute of a stretch of time, with the C library's
/// idea of local time and a reader of expressions of its own: it shares nothing with what it is compared
/// with, and is naive where that is clever. Up to 32 expressions.
class MinuteByMinute {
 public:
  explicit MinuteByMinute(const std::vector<std::string>& expressions);

  /// Sits from `begin` to `end` (seconds since 1970, full minutes) in `zone`. Sets TZ of this process.
  void sit(const std::string& zone, std::time_t begin, std::time_t end);

  std::vector<std::vector<std::time_t>> runs;  ///< per expression
  std::vector<std::time_t> changes;            ///< when the offset of local time changed

 private:
  std::uint32_t jobs_at(const std::tm& local) const;
  std::uint32_t jobs_at(std::int64_t local_minute) const;
  std::uint32_t wake(std::int64_t local_minute, const std::tm& local);

  std::array<std::uint32_t, 60> minute_{};
  std::array<std::uint32_t, 24> hour_{};
  std::array<std::uint32_t, 32> day_{};
  std::array<std::uint32_t, 13> month_{};
  std::array<std::uint32_t, 7> weekday_{};
  std::uint32_t either_ = 0;
  std::uint32_t wild_ = 0;
  std::int64_t virtual_time_ = 0;
};

}  // namespace kopidocka::oracle
