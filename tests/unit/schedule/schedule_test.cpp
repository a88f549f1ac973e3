#include "schedule/schedule.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

namespace kopidocka {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using testing::HasSubstr;

TimePoint at(const std::string& text) { return from_iso8601(text); }

/// The local times of the runs that follow `from`.
std::vector<std::string> runs(std::string_view expressions, std::string_view zone, const std::string& from,
                              size_t count) {
  const auto schedule = Schedule::parse(expressions, zone).value();
  std::vector<std::string> local;
  for (const auto run : next_runs(schedule, at(from), count)) local.push_back(schedule.local(run));
  return local;
}

TEST(Schedule, FindsTheNextRunInItsZone) {
  const auto schedule = Schedule::parse("0 3 * * *", "Europe/Berlin").value();
  const auto next = schedule.next_after(at("2026-11-22T20:00:00Z"));
  EXPECT_EQ(to_iso8601(next.value()), "2026-11-23T02:00:00.000000+00:00");
  EXPECT_EQ(schedule.local(*next), "2026-11-23 03:00 CET");
}

TEST(Schedule, TheNextRunIsLaterThanTheTimeAskedFor) {
  const auto schedule = Schedule::parse("0 3 * * *", "UTC").value();
  const auto three = at("2026-11-22T03:00:00Z");
  EXPECT_EQ(schedule.next_after(three - 1ns), three);
  EXPECT_EQ(schedule.next_after(three), three + 24h);
  EXPECT_EQ(schedule.next_after(three + 1ns), three + 24h);
}

TEST(Schedule, RunsASkippedTimeRightAfterTheJump) {
  EXPECT_EQ(
      runs("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
      (std::vector<std::string>{"2026-03-28 02:30 CET", "2026-03-29 03:00 CEST", "2026-03-30 02:30 CEST"}));
  EXPECT_EQ(runs("0,15,30,45 2 * * *", "Europe/Berlin", "2026-03-28T02:00:00Z", 2),
            (std::vector<std::string>{"2026-03-29 03:00 CEST", "2026-03-30 02:00 CEST"}))
      << "four skipped times are one run";
  EXPECT_EQ(runs("15 2 * * *", "Australia/Lord_Howe", "2026-10-02T16:00:00Z", 2),
            (std::vector<std::string>{"2026-10-04 02:30 +11", "2026-10-05 02:15 +11"}));
}

TEST(Schedule, RunsARepeatedTimeOnce) {
  EXPECT_EQ(runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            (std::vector<std::string>{"2026-10-25 02:30 CEST", "2026-10-26 02:30 CET"}));
}

TEST(Schedule, FollowsRealTimeWhereMinuteOrHourIsAStar) {
  EXPECT_EQ(runs("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 4),
            (std::vector<std::string>{"2026-10-25 02:30 CEST", "2026-10-25 02:00 CET", "2026-10-25 02:30 CET",
                                      "2026-10-25 03:00 CET"}));
  EXPECT_EQ(runs("@hourly", "America/New_York", "2026-03-08T06:30:00Z", 2),
            (std::vector<std::string>{"2026-03-08 03:00 EDT", "2026-03-08 04:00 EDT"}));
}

TEST(Schedule, TakesAChangeOfADayForACorrection) {
  // Samoa left out 2011-12-30 when it crossed the date line.
  EXPECT_EQ(runs("0 12 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 2),
            (std::vector<std::string>{"2011-12-29 12:00 -10", "2011-12-31 12:00 +14"}));
}

TEST(Schedule, UnitesSeveralExpressions) {
  EXPECT_EQ(runs("0 3 * * *; 0 15 * * SUN ;0 3 1 * *", "UTC", "2026-11-28T12:00:00Z", 5),
            (std::vector<std::string>{"2026-11-29 03:00 UTC", "2026-11-29 15:00 UTC", "2026-11-30 03:00 UTC",
                                      "2026-12-01 03:00 UTC", "2026-12-02 03:00 UTC"}));
}

TEST(Schedule, EveryCountsFromTheLastRun) {
  const auto schedule = Schedule::parse("@every 6h", "UTC").value();
  const auto now = at("2026-11-22T12:00:00Z");
  EXPECT_EQ(schedule.next_after(now), now + 6h);
  EXPECT_EQ(schedule.next_after(now, now - 1h), now + 5h);
  EXPECT_EQ(schedule.next_after(now, now - 6h), now + 6h);
  EXPECT_EQ(schedule.next_after(now, now - 100h), now + 2h) << "in step with the last run";
  EXPECT_EQ(schedule.next_after(now, now + 1h), now + 7h) << "later than both";
  EXPECT_EQ(next_runs(Schedule::parse("@every 90s", "UTC").value(), now, 3),
            (std::vector<TimePoint>{now + 90s, now + 180s, now + 270s}));
}

TEST(Schedule, EveryIsAMinuteOrMore) {
  EXPECT_TRUE(Schedule::parse("@every 1m", "UTC").has_value());
  for (const auto* text : {"@every 59s", "@every 0", "@every", "@every 5", "@every 1h 5m", "@every -5m",
                           "@every1h", "@every 99999999999h", "@every 6h;@every 1s"}) {
    EXPECT_FALSE(Schedule::parse(text, "UTC").has_value()) << text;
  }
  EXPECT_THAT(Schedule::parse("@every 10s", "UTC").error().text(),
              HasSubstr("'10s' is shorter than one minute"));
}

TEST(Schedule, ErrorsShowTheScheduleAndThePartThatIsWrong) {
  const auto error = Schedule::parse("0 3 * * *; 0 25 * * *", "UTC").error();
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_EQ(error.text(), "schedule '0 3 * * *; 0 25 * * *': field hour: '25' is not 0-23");
  EXPECT_THAT(Schedule::parse("0 3 * * *;", "UTC").error().text(), HasSubstr("'' has 0 fields"));
  EXPECT_THAT(Schedule::parse("0 3 * * *", "Europe/Berln").error().what(),
              HasSubstr("did you mean Europe/Berlin?"));
}

TEST(Schedule, SurvivesGarbage) {
  std::mt19937 random(7);
  const auto alphabet =
      "0123456789*/,-;@ \tMONJAevry59 * * * * 5/\0\x01\n\xff\xc3\xa4?LW#"s;  // with the NUL and what follows
                                                                             // it
  for (int i = 0; i < 3000; ++i) {
    std::string text(random() % 40, ' ');
    for (auto& letter : text) letter = alphabet[random() % alphabet.size()];
    const auto schedule = Schedule::parse(text, "Europe/Berlin");
    if (!schedule) {
      EXPECT_FALSE(schedule.error().message().empty());
      EXPECT_EQ(std::string(schedule.error().what()).find_first_of("\n\x01\xff"), std::string::npos);
    }
  }
  for (const auto& text :
       {std::string(10'000, '*'), std::string(10'000, ';'), std::string(900, ';'), std::string(10'000, '\0'),
        std::string("0 3 * * *\0", 10), std::string(10'000, ' '), std::string(900, ','),
        std::string(900, '9') + " * * * *", std::string("０ ３ ＊ ＊ ＊")}) {
    const auto schedule = Schedule::parse(text, "UTC");
    ASSERT_FALSE(schedule.has_value()) << text.substr(0, 20);
    EXPECT_LT(std::string(schedule.error().what()).size(), 1000u);
  }
}

TEST(Schedule, AnswersAtTheEndsOfTime) {
  for (const auto* zone : {"UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"}) {
    for (const auto* text : {"0 3 * * *", "*/5 * * * *", "0 0 29 2 *", "@every 100d"}) {
      const auto schedule = Schedule::parse(text, zone).value();
      EXPECT_GT(schedule.next_after(TimePoint::min() + 1h, TimePoint::min()).value(), TimePoint::min());
      EXPECT_GT(schedule.next_after(TimePoint{}).value(), TimePoint{});
      EXPECT_FALSE(schedule.next_after(TimePoint::max()).has_value());
      EXPECT_EQ(schedule.longest_gap(TimePoint::max()) >= Seconds(0), true);
    }
  }
}

TEST(Schedule, FindsALeapDayAcrossACenturyWithoutOne) {
  EXPECT_EQ(runs("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1),
            (std::vector<std::string>{"2104-02-29 00:00 UTC"}));
  EXPECT_EQ(runs("0 0 29 2 */7", "Europe/Berlin", "2088-03-01T00:00:00Z", 1),
            (std::vector<std::string>{"2128-02-29 00:00 CET"}))
      << "a leap day that is a Sunday: nothing is rarer";
}

TEST(Schedule, KnowsItsLongestGap) {
  const auto gap = [](std::string_view text, std::string_view zone) {
    return Schedule::parse(text, zone).value().longest_gap(at("2026-11-22T12:00:00Z"));
  };
  EXPECT_EQ(gap("0 3 * * *", "UTC"), 24h);
  EXPECT_EQ(gap("0 3 * * *", "Europe/Berlin"), 25h) << "the day on which summer time ends";
  EXPECT_EQ(gap("0 3 * * MON-FRI", "UTC"), 72h);
  EXPECT_EQ(gap("0 3 * * *; 0 15 * * *", "UTC"), 12h);
  EXPECT_EQ(gap("@every 6h", "UTC"), 6h);
  EXPECT_EQ(gap("@every 6h; 0 3 * * *", "UTC"), 6h);
  EXPECT_EQ(gap("@yearly", "UTC"), 365 * 24h);
  EXPECT_EQ(gap("0 0 29 2 *", "UTC"), 1461 * 24h);
  EXPECT_EQ(gap("0 9-17 * * *", "UTC"), 16h);
}

TEST(Schedule, KeepsWhatTheUserWrote) {
  const auto schedule = Schedule::parse("  0 3 * * *;@daily ", "Asia/Kathmandu").value();
  EXPECT_EQ(schedule.text(), "0 3 * * *;@daily");
  EXPECT_EQ(schedule.zone(), "Asia/Kathmandu");
  EXPECT_EQ(schedule.local(at("2026-11-22T00:00:59Z")), "2026-11-22 05:45 +0545");
  const auto copy = schedule;
  EXPECT_EQ(copy.next_after(TimePoint{}), schedule.next_after(TimePoint{}));
}

}  // namespace
}  // namespace kopidocka
