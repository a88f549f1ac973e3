#include "schedule/schedule.hpp"

#include <gtest/gtest.h>

namespace kopidocka {
namespace {

TEST(Schedule, FindsTheNextRunInItsZone) {
  const auto schedule = Schedule::parse("0 3 * * *", "Europe/Berlin").value();
  const auto next = schedule.next_after(from_iso8601("2026-11-22T20:00:00Z"));
  EXPECT_EQ(to_iso8601(next.value()), "2026-11-23T02:00:00.000000+00:00");
  EXPECT_EQ(schedule.local(*next), "2026-11-23 03:00 CET");
}

}  // namespace
}  // namespace kopidocka
