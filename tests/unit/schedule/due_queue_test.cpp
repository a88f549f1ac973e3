#include "schedule/due_queue.hpp"

#include <gtest/gtest.h>

namespace kopidocka {
namespace {

using namespace std::chrono_literals;

TimePoint at(const std::string& text) { return from_iso8601(text); }

DueRule rule(std::string_view expressions, Milliseconds jitter = 0ms, bool catch_up = true) {
  return {Schedule::parse(expressions, "UTC").value(), jitter, catch_up, 0};
}

std::uint64_t missed_by(const DueQueue::Taken& taken, MissReason reason) {
  std::uint64_t count = 0;
  for (const auto& missed : taken.missed) count += missed.reason == reason ? missed.count : 0;
  return count;
}

/// Lives through `length` as the coordinator does, every run taking no time. Returns what was handed out.
std::vector<Due> live(DueQueue& queue, TimePoint& now, Seconds length) {
  std::vector<Due> all;
  for (const auto end = now + length; now < end; now = std::max(queue.next_wake(now), now + 1ms)) {
    for (auto& due : queue.take(now).due) {
      queue.finished(due.unit);
      all.push_back(due);
    }
  }
  return all;
}

TEST(DueQueue, HandsAUnitOutOnceAtItsTimeAndWakesForIt) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), std::nullopt, at("2026-11-22T02:59:30Z"));
  EXPECT_TRUE(queue.take(at("2026-11-22T02:59:30Z")).due.empty());
  EXPECT_EQ(queue.next_wake(at("2026-11-22T02:59:30Z")), at("2026-11-22T03:00:00Z"));
  const auto taken = queue.take(at("2026-11-22T03:00:00Z"));
  ASSERT_EQ(taken.due.size(), 1u);
  EXPECT_EQ(taken.due[0].unit, "shop");
  EXPECT_EQ(taken.due[0].scheduled, at("2026-11-22T03:00:00Z"));
  EXPECT_FALSE(taken.due[0].catch_up);
  EXPECT_TRUE(taken.missed.empty());
  queue.finished("shop");
  EXPECT_TRUE(queue.take(at("2026-11-22T03:00:01Z")).due.empty());
  EXPECT_EQ(queue.next_run("shop", at("2026-11-22T03:00:01Z")), at("2026-11-23T03:00:00Z"));
}

TEST(DueQueue, TimesThatWereRefusedAndToldAreMadeUpForAndNotMissedAgain) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), at("2026-11-20T03:00:00Z"), at("2026-11-23T10:00:00Z"), at("2026-11-22T03:00:00Z"));
  const auto taken = queue.take(at("2026-11-23T10:00:00Z"));
  ASSERT_EQ(taken.due.size(), 1u);
  EXPECT_TRUE(taken.due[0].catch_up);
  EXPECT_EQ(missed_by(taken, MissReason::down), 1u) << "of three only the last one was not told";
}

TEST(DueQueue, ATimeThatWasRefusedAMomentAgoIsServedAndNotMissed) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), at("2026-11-21T03:00:00Z"), at("2026-11-22T03:02:00Z"), at("2026-11-22T03:00:01Z"));
  const auto taken = queue.take(at("2026-11-22T03:02:00Z"));
  ASSERT_EQ(taken.due.size(), 1u);
  EXPECT_TRUE(taken.missed.empty());
}

TEST(DueQueue, ATimeThatPassesWhileAUnitIsOccupiedIsAnOverlapAndNoCatchUpIsLost) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), at("2026-11-20T03:00:00Z"), at("2026-11-22T02:00:00Z"));
  queue.occupied("shop");
  EXPECT_TRUE(queue.take(at("2026-11-22T02:00:00Z")).due.empty());
  const auto during = queue.take(at("2026-11-22T03:00:00Z"));
  EXPECT_TRUE(during.due.empty());
  EXPECT_EQ(missed_by(during, MissReason::overlap), 1u);
  queue.finished("shop");
  EXPECT_EQ(queue.next_run("shop", at("2026-11-22T03:10:00Z")), at("2026-11-23T03:00:00Z"));
}

TEST(DueQueue, WhatPassesWhileItRestsIsNoLeapOfTheClock) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), std::nullopt, at("2026-11-22T02:00:00Z"));
  (void)queue.take(at("2026-11-22T02:00:00Z"));
  queue.rest();
  EXPECT_EQ(missed_by(queue.take(at("2026-11-22T10:00:00Z")), MissReason::down), 1u);
}

TEST(DueQueue, OfUnitsDueAtOnceTheHigherPriorityComesFirst) {
  DueQueue queue;
  for (const auto& [unit, priority] : {std::pair("a", -5), std::pair("b", 0), std::pair("c", 10), std::pair("d", 0)}) {
    auto wanted = rule("0 3 * * *");
    wanted.priority = priority;
    queue.put(unit, wanted, std::nullopt, at("2026-11-22T02:59:00Z"));
  }
  std::vector<std::string> order;
  for (const auto& due : queue.take(at("2026-11-22T03:00:00Z")).due) order.push_back(due.unit);
  EXPECT_EQ(order, (std::vector<std::string>{"c", "b", "d", "a"}));
}

TEST(DueQueue, NeverSleepsLongerThanAMinute) {
  DueQueue queue;
  const auto now = at("2026-11-22T12:00:00Z");
  EXPECT_EQ(queue.next_wake(now), now + 1min);
  queue.put("shop", rule("0 3 * * *"), std::nullopt, now);
  EXPECT_EQ(queue.next_wake(now), now + 1min);
}

TEST(DueQueue, TakesAFewMinutesLateForOnTime) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *", 0ms, false), at("2026-11-21T03:00:01Z"), at("2026-11-22T03:04:00Z"));
  const auto taken = queue.take(at("2026-11-22T03:04:00Z"));
  ASSERT_EQ(taken.due.size(), 1u);
  EXPECT_FALSE(taken.due[0].catch_up);
  EXPECT_TRUE(taken.missed.empty());
}

TEST(DueQueue, CatchesUpOnceHoweverManyRunsWereMissed) {
  DueQueue queue;
  const auto now = at("2026-11-22T12:00:00Z");
  queue.put("shop", rule("0 3 * * *"), at("2026-11-15T03:00:05Z"), now);
  EXPECT_EQ(queue.next_wake(now), now);
  const auto taken = queue.take(now);
  ASSERT_EQ(taken.due.size(), 1u);
  EXPECT_TRUE(taken.due[0].catch_up);
  EXPECT_EQ(taken.due[0].scheduled, at("2026-11-22T03:00:00Z"));
  EXPECT_EQ(missed_by(taken, MissReason::down), 7u);
  queue.finished("shop");
  const auto again = queue.take(now + 1s);
  EXPECT_TRUE(again.due.empty());
  EXPECT_TRUE(again.missed.empty());
  EXPECT_EQ(queue.next_run("shop", now), at("2026-11-23T03:00:00Z"));
}

TEST(DueQueue, DoesNotCatchUpWhenTheNextRunIsNearerThanHalfAnHour) {
  for (const auto& [now, caught_up] :
       {std::pair{at("2026-11-22T02:30:00Z"), true}, {at("2026-11-22T02:30:01Z"), false}}) {
    DueQueue queue;
    queue.put("shop", rule("0 3 * * *"), at("2026-11-20T03:00:05Z"), now);
    const auto taken = queue.take(now);
    EXPECT_EQ(taken.due.size(), caught_up ? 1u : 0u);
    EXPECT_EQ(missed_by(taken, MissReason::down), 1u);
    if (caught_up) continue;
    const auto regular = queue.take(at("2026-11-22T03:00:00Z"));
    ASSERT_EQ(regular.due.size(), 1u);
    EXPECT_FALSE(regular.due[0].catch_up);
  }
}

TEST(DueQueue, CountsButDoesNotCatchUpWhereCatchUpIsOff) {
  DueQueue queue;
  const auto now = at("2026-11-22T12:00:00Z");
  queue.put("shop", rule("0 3 * * *", 0ms, false), at("2026-11-15T03:00:05Z"), now);
  const auto taken = queue.take(now);
  EXPECT_TRUE(taken.due.empty());
  EXPECT_EQ(missed_by(taken, MissReason::down), 7u);
  EXPECT_EQ(queue.next_run("shop", now), at("2026-11-23T03:00:00Z"));
}

TEST(DueQueue, AUnitNeverSeenBeforeHasMissedNothing) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), std::nullopt, at("2026-11-22T12:00:00Z"));
  const auto taken = queue.take(at("2026-11-22T12:00:00Z"));
  EXPECT_TRUE(taken.due.empty());
  EXPECT_TRUE(taken.missed.empty());
}

TEST(DueQueue, CountsTheTimesThatPassDuringARunAsOverlap) {
  DueQueue queue;
  queue.put("shop", rule("0 * * * *"), std::nullopt, at("2026-11-22T00:30:00Z"));
  ASSERT_EQ(queue.take(at("2026-11-22T01:00:00Z")).due.size(), 1u);
  for (const auto* time : {"2026-11-22T02:00:00Z", "2026-11-22T03:00:00Z"}) {
    const auto taken = queue.take(at(time));
    EXPECT_TRUE(taken.due.empty());
    EXPECT_EQ(missed_by(taken, MissReason::overlap), 1u);
  }
  queue.finished("shop");
  EXPECT_TRUE(queue.take(at("2026-11-22T03:00:30Z")).due.empty()) << "an overlap is not caught up";
  EXPECT_EQ(queue.take(at("2026-11-22T04:00:00Z")).due.size(), 1u);
}

TEST(DueQueue, ARunByHandCountsAsRunning) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), std::nullopt, at("2026-11-22T02:00:00Z"));
  queue.started("shop", at("2026-11-22T02:59:00Z"));
  EXPECT_EQ(missed_by(queue.take(at("2026-11-22T03:00:00Z")), MissReason::overlap), 1u);
  queue.finished("shop");
  EXPECT_EQ(queue.next_run("shop", at("2026-11-22T03:10:00Z")), at("2026-11-23T03:00:00Z"));
}

TEST(DueQueue, ARunByHandServesAsTheCatchUpThatWaits) {
  DueQueue queue;
  const auto now = at("2026-11-22T12:00:00Z");
  queue.put("shop", rule("0 3 * * *", 4h), at("2026-11-20T03:00:05Z"), now);
  EXPECT_TRUE(queue.take(now).due.empty());
  ASSERT_LE(queue.next_run("shop", now).value(), now + 4h);
  queue.started("shop", now + 1s);
  queue.finished("shop");
  EXPECT_GE(queue.next_run("shop", now + 2s).value(), at("2026-11-23T03:00:00Z"));
}

TEST(DueQueue, JitterIsBoundedSpreadAndTheSameAfterARestart) {
  const auto now = at("2026-11-22T12:00:00Z");
  std::vector<TimePoint> first, second;
  for (auto* times : {&first, &second}) {
    DueQueue queue;
    for (int i = 0; i < 200; ++i)
      queue.put("unit-" + std::to_string(i), rule("0 3 * * *", 1h), std::nullopt, now);
    for (int i = 0; i < 200; ++i) times->push_back(queue.next_run("unit-" + std::to_string(i), now).value());
  }
  EXPECT_EQ(first, second);
  std::array<int, 4> quarters{};
  for (const auto time : first) {
    ASSERT_GE(time, at("2026-11-23T03:00:00Z"));
    ASSERT_LE(time, at("2026-11-23T04:00:00Z"));
    ++quarters.at(std::min<size_t>(3, static_cast<size_t>((time - at("2026-11-23T03:00:00Z")) / 15min)));
  }
  for (const auto count : quarters) EXPECT_GT(count, 25);
}

TEST(DueQueue, JitterNeverReachesTheFollowingRun) {
  DueQueue queue;
  auto now = at("2026-11-22T00:00:30Z");
  queue.put("shop", rule("*/10 * * * *", 2h), std::nullopt, now);
  const auto runs = live(queue, now, 24h + 5min);
  EXPECT_EQ(runs.size(), 144u);
  for (const auto& run : runs) EXPECT_FALSE(run.catch_up);
}

TEST(DueQueue, ARestartBetweenATimeAndItsJitterNeitherLosesNorRepeatsTheRun) {
  const auto last_run = at("2026-11-21T03:20:00Z");
  DueQueue before;
  before.put("shop", rule("0 3 * * *", 2h), last_run, at("2026-11-22T02:00:00Z"));
  const auto due = before.next_run("shop", at("2026-11-22T02:00:00Z")).value();
  ASSERT_GT(due, at("2026-11-22T03:00:01Z")) << "choose another unit name, this one draws no delay";
  DueQueue after;
  after.put("shop", rule("0 3 * * *", 2h), last_run, at("2026-11-22T03:00:01Z"));
  EXPECT_TRUE(after.take(at("2026-11-22T03:00:01Z")).due.empty());
  EXPECT_EQ(after.next_run("shop", at("2026-11-22T03:00:01Z")), due);
  ASSERT_EQ(after.take(due).due.size(), 1u);
}

TEST(DueQueue, AHostThatWasOffForAWeekRunsEachOfItsUnitsOnceAndSpread) {
  DueQueue queue;
  auto now = at("2026-11-22T12:00:00Z");
  for (int i = 0; i < 200; ++i) {
    queue.put("unit-" + std::to_string(i), rule("0 3 * * *", 30min), at("2026-11-15T03:10:00Z"), now);
  }
  EXPECT_LT(queue.take(now).due.size(), 10u);
  const auto runs = live(queue, now, 31min);
  EXPECT_GE(runs.size(), 190u);
  std::map<std::string, int> count;
  for (const auto& run : runs) {
    EXPECT_TRUE(run.catch_up);
    EXPECT_EQ(++count[run.unit], 1);
  }
}

TEST(DueQueue, ATripTo2036AndBackCostsOneRunAndNoSleep) {
  for (const auto* text : {"0 3 * * *", "*/15 * * * *", "* * * * *", "@every 6h", "0 0 29 2 *"}) {
    DueQueue queue;
    auto now = at("2026-11-22T12:00:00Z");
    queue.put("shop", rule(text), now - 1h, now);
    live(queue, now, 1h);
    const auto back = now + 5min;
    now = at("2036-05-01T12:00:00Z");
    const auto there = queue.take(now);
    EXPECT_LE(there.due.size(), 1u) << text;
    EXPECT_GE(missed_by(there, MissReason::clock), 1u) << text;
    for (const auto& due : there.due) queue.finished(due.unit);
    now = back;
    EXPECT_EQ(queue.next_wake(now) > now + 1min, false) << text;
    EXPECT_TRUE(queue.take(now).due.empty()) << text;
    const auto expected = Schedule::parse(text, "UTC").value().next_after(back, back);
    EXPECT_EQ(queue.next_run("shop", now), expected) << text;
  }
}

TEST(DueQueue, AClockSetBackALittleRepeatsNothing) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), std::nullopt, at("2026-11-22T02:00:00Z"));
  ASSERT_EQ(queue.take(at("2026-11-22T03:00:00Z")).due.size(), 1u);
  queue.finished("shop");
  for (const auto* time : {"2026-11-22T02:59:59Z", "2026-11-22T01:30:00Z", "2026-11-22T03:00:00Z"}) {
    EXPECT_TRUE(queue.take(at(time)).due.empty()) << time;
  }
  EXPECT_EQ(queue.take(at("2026-11-23T03:00:00Z")).due.size(), 1u);
}

TEST(DueQueue, NothingIsDueWhileTheClockIsBeforeTheFloor) {
  DueQueue queue(at("2026-10-01T00:00:00Z"));
  const auto boot = at("1970-01-01T00:00:20Z");
  queue.put("old", rule("0 3 * * *"), at("2026-11-20T03:00:10Z"), boot);
  queue.put("new", rule("0 3 * * *"), std::nullopt, boot);
  for (auto now = boot; now < boot + 48h; now = queue.next_wake(now)) {
    const auto taken = queue.take(now);
    ASSERT_TRUE(taken.due.empty() && taken.missed.empty());
  }
  const auto taken = queue.take(at("2026-11-22T12:00:00Z"));
  ASSERT_EQ(taken.due.size(), 1u);
  EXPECT_EQ(taken.due[0].unit, "old");
  EXPECT_TRUE(taken.due[0].catch_up);
  EXPECT_EQ(missed_by(taken, MissReason::down), 2u);
}

TEST(DueQueue, AMachineThatSleptCatchesUpOnceAndSaysThatItWasTheClock) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), std::nullopt, at("2026-11-20T12:00:00Z"));
  queue.take(at("2026-11-20T12:00:00Z"));
  const auto taken = queue.take(at("2026-11-22T12:00:00Z"));
  ASSERT_EQ(taken.due.size(), 1u);
  EXPECT_TRUE(taken.due[0].catch_up);
  EXPECT_EQ(missed_by(taken, MissReason::clock), 2u);
}

TEST(DueQueue, AChangedScheduleBeginsNow) {
  DueQueue queue;
  const auto now = at("2026-11-22T12:00:00Z");
  queue.put("shop", rule("0 13 * * *"), at("2026-11-21T13:00:00Z"), now);
  queue.put("shop", rule("0 11 * * *"), at("2026-11-21T13:00:00Z"), now);
  const auto taken = queue.take(now);
  EXPECT_TRUE(taken.due.empty());
  EXPECT_TRUE(taken.missed.empty());
  EXPECT_EQ(queue.next_run("shop", now), at("2026-11-23T11:00:00Z"));
  queue.put("shop", rule("@every 2h"), std::nullopt, now);
  EXPECT_EQ(queue.next_run("shop", now), at("2026-11-22T13:00:00Z"))
      << "counted from the run at 13:00 the day before";
}

TEST(DueQueue, TheSameRuleAgainChangesNothing) {
  DueQueue queue;
  queue.put("shop", rule("0 3 * * *"), std::nullopt, at("2026-11-22T02:00:00Z"));
  queue.put("shop", rule("0 3 * * *"), std::nullopt, at("2026-11-22T03:00:30Z"));
  EXPECT_EQ(queue.take(at("2026-11-22T03:00:31Z")).due.size(), 1u);
}

TEST(DueQueue, AUnitThatIsReplacedWhileItRunsIsNotDueTwice) {
  DueQueue queue;
  const auto now = at("2026-11-22T03:00:00Z");
  queue.put("shop", rule("* * * * *"), std::nullopt, now - 1s);
  ASSERT_EQ(queue.take(now).due.size(), 1u);
  queue.remove("shop");
  EXPECT_FALSE(queue.next_run("shop", now).has_value());
  EXPECT_TRUE(queue.take(now + 1min).due.empty());
  queue.put("shop", rule("* * * * *"), std::nullopt, now + 90s);
  EXPECT_TRUE(queue.take(now + 2min).due.empty());
  queue.finished("shop");
  EXPECT_EQ(queue.take(now + 3min).due.size(), 1u);
}

TEST(DueQueue, ARemovedUnitIsNeverDue) {
  DueQueue queue;
  const auto now = at("2026-11-22T02:59:00Z");
  queue.put("shop", rule("0 3 * * *"), std::nullopt, now);
  queue.remove("shop");
  queue.finished("shop");
  queue.started("shop", now);
  EXPECT_TRUE(queue.take(now + 1min).due.empty());
  EXPECT_FALSE(queue.next_run("shop", now).has_value());
}

TEST(DueQueue, EveryCountsFromTheLastRunAcrossRestarts) {
  DueQueue queue;
  const auto now = at("2026-11-22T12:00:00Z");
  queue.put("shop", rule("@every 6h"), now - 5h, now);
  EXPECT_EQ(queue.next_run("shop", now), now + 1h);
  ASSERT_EQ(queue.take(now + 1h).due.size(), 1u);
  queue.finished("shop");
  EXPECT_EQ(queue.next_run("shop", now + 1h), now + 7h);
  queue.started("shop", now + 6h);
  queue.finished("shop");
  EXPECT_EQ(queue.next_run("shop", now + 6h), now + 12h) << "a run by hand moves it";
}

TEST(DueQueue, TwoMonthsOfOrdinaryLifeRunEverythingExactlyOnce) {
  DueQueue queue;
  auto now = at("2026-11-22T12:00:00Z");
  const auto start = now;
  queue.put("daily", rule("0 3 * * *", 20min), std::nullopt, now);
  queue.put("weekly", rule("30 4 * * SUN"), std::nullopt, now);
  queue.put("often", rule("@every 6h"), now - 1h, now);
  std::map<std::string, int> count;
  for (const auto& due : live(queue, now, 60 * 24h)) {
    EXPECT_FALSE(due.catch_up);
    ++count[due.unit];
  }
  EXPECT_EQ(count["daily"], 60);
  EXPECT_EQ(count["weekly"], 8);
  EXPECT_EQ(count["often"], 240);
  EXPECT_GE(now, start + 60 * 24h);
}

}  // namespace
}  // namespace kopidocka
