#include "oracle.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "schedule/schedule.hpp"

namespace kopidocka {
namespace {

const std::vector<std::string> kExpressions = {
    "0 3 * * *",          // right after the gap of New York and Berlin
    "30 2 * * *",         // inside that gap, and inside Berlin's repeated hour
    "15 1 * * *",         // inside New York's repeated hour
    "0 2 * * *",          // Lord Howe skips 02:00 to 02:30
    "45 1 * * *",         // Lord Howe repeats 01:30 to 02:00
    "0 * * * *",          // follows real time
    "*/20 * * * *",       // follows real time
    "*/30 2 * * *",       // follows real time within a fixed hour
    "10 */2 * * *",       // a star in the hour alone
    "5-59/10 1-3 * * *",  // a fixed job with many times inside the gap
    "0 0 * * SUN",        // names
    "30 1,2,3 * * 7",     // 7 is Sunday, the day of the change
    "59 23 31 12 *",      // once a year
    "0 12 29 2 *",        // leap days only
    "0 4 1,15 * MON",     // either day is enough
    "0 0 */2 * FRI",      // a star makes both necessary
    "20 2 8-14 MAR,NOV SUN",
    "0 6 1-7 * */6",
    "0 0 30 * *",  // not in February
    "1-3,57 2 25-31 3,10 0",
    "15 14 1 JAN-MAR *",
    "0 0 31 4,5,6 *",  // May alone has such a day
    "59 1 1-31/3 * 1-5/2",
    "* 2 * 3,4,10,11 *",  // every minute around the change
};

constexpr std::time_t kBegin = 1767225600;  // 2026-01-01T00:00:00Z
constexpr std::time_t kEnd = 2082758400;    // 2036-01-01T00:00:00Z

std::time_t seconds(TimePoint time) { return std::chrono::system_clock::to_time_t(time); }
TimePoint point(std::time_t time) { return std::chrono::system_clock::from_time_t(time); }

class EveryRunOfTenYears : public testing::TestWithParam<const char*> {};

/// From each run the next one, as the daemon walks.
void expect_same_sequence(const Schedule& schedule, const std::vector<std::time_t>& expected) {
  auto last = point(kBegin - 1);
  for (const auto run : expected) {
    const auto next = schedule.next_after(last);
    ASSERT_TRUE(next.has_value());
    ASSERT_EQ(seconds(*next), run) << schedule.text() << " in " << schedule.zone() << ": "
                                   << schedule.local(*next) << " instead of " << schedule.local(point(run));
    last = *next;
  }
  EXPECT_GE(seconds(schedule.next_after(last).value()), kEnd) << schedule.text();
}

/// From points of time that are no runs, close around a change of local time.
void expect_same_around(const Schedule& schedule, const std::vector<std::time_t>& expected,
                        std::time_t change) {
  for (auto time = change - 4 * 3600; time < change + 4 * 3600; time += 13 * 60 + 17) {
    const auto run = std::upper_bound(expected.begin(), expected.end(), time);
    if (run == expected.end()) continue;
    ASSERT_EQ(seconds(schedule.next_after(point(time)).value()), *run)
        << schedule.text() << " after " << schedule.local(point(time)) << " in " << schedule.zone();
  }
}

TEST_P(EveryRunOfTenYears, EqualsSittingThroughEveryMinute) {
  const std::string zone = GetParam();
  oracle::MinuteByMinute cron(kExpressions);
  cron.sit(zone, kBegin, kEnd);
  const bool changes = zone != "UTC" && zone != "Asia/Kathmandu";
  ASSERT_EQ(cron.changes.size(), changes ? 20u : 0u);
  for (size_t i = 0; i < kExpressions.size(); ++i) {
    SCOPED_TRACE(kExpressions[i]);
    ASSERT_GT(cron.runs[i].size(), 1u);
    const auto schedule = Schedule::parse(kExpressions[i], zone).value();
    expect_same_sequence(schedule, cron.runs[i]);
    for (const auto change : cron.changes) expect_same_around(schedule, cron.runs[i], change);
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Zones, EveryRunOfTenYears,
                         testing::Values("America/New_York", "Europe/Berlin", "Australia/Lord_Howe",
                                         "Asia/Kathmandu", "UTC"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '/', '_');
                           return name;
                         });

}  // namespace
}  // namespace kopidocka
