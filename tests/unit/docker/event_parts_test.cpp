#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "docker/event_lines.hpp"
#include "docker/event_memory.hpp"

namespace kopidocka {
namespace {
using ::testing::ElementsAre;

struct Records {
  std::vector<std::string> seen;
  std::function<void(std::string_view)> sink = [this](std::string_view record) { seen.emplace_back(record); };
};

TEST(EventLines, AreTheSameHoweverTheNetworkSplitsThem) {
  const std::string stream = "{\"a\":1}\r\n\n\x1e{\"b\":2}\n \x1e\n{\"c\":3}\n{\"unfin";
  for (size_t step = 1; step <= stream.size(); ++step) {
    EventLines lines(100);
    Records records;
    for (size_t at = 0; at < stream.size(); at += step)
      ASSERT_TRUE(lines.append(std::string_view(stream).substr(at, step), records.sink));
    EXPECT_THAT(records.seen, ElementsAre("{\"a\":1}", "{\"b\":2}", "{\"c\":3}")) << step;
  }
}

TEST(EventLines, RefuseARecordThatNeverEnds) {
  EventLines lines(10);
  Records records;
  EXPECT_TRUE(lines.append("0123456789", records.sink));
  EXPECT_FALSE(lines.append("x", records.sink));
  EventLines whole(10);
  EXPECT_FALSE(whole.append("0123456789x\n", records.sink));
  EXPECT_TRUE(records.seen.empty());
}

DockerEvent event_at(std::int64_t nano, const std::string& id = "a") {
  DockerEvent event;
  event.type = "container";
  event.action = "die";
  event.actor_id = id;
  event.time_nano = nano;
  return event;
}

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(EventMemory, StartsAtTheEnginesTimeAndReplaysNothingWithoutOne) {
  EventMemory memory;
  EXPECT_EQ(memory.since(), "");
  memory.start_at(1700000000);
  EXPECT_EQ(memory.since(), "1700000000.000000000");
}

TEST(EventMemory, GoesBackALittleButNotBeforeItsStart) {
  EventMemory memory;
  memory.start_at(100);
  EXPECT_TRUE(memory.is_new(event_at(102 * kSecond)));
  EXPECT_EQ(memory.since(), "100.000000000");
  EXPECT_TRUE(memory.is_new(event_at(200 * kSecond + 7)));
  EXPECT_EQ(memory.since(), "195.000000007");
}

TEST(EventMemory, KnowsWhatItHasSeen) {
  EventMemory memory;
  EXPECT_TRUE(memory.is_new(event_at(5 * kSecond)));
  EXPECT_TRUE(memory.is_new(event_at(5 * kSecond, "b")));
  EXPECT_FALSE(memory.is_new(event_at(5 * kSecond)));
  EXPECT_TRUE(memory.is_new(event_at(5 * kSecond - 1))) << "an event that came late, out of order";
}

TEST(EventMemory, RemembersTheWholeRingOfTheEngine) {
  EventMemory memory;
  for (int i = 1; i <= 5000; ++i) ASSERT_TRUE(memory.is_new(event_at(i)));
  for (int i = 5000 - 255; i <= 5000; ++i) ASSERT_FALSE(memory.is_new(event_at(i)));
}

TEST(EventMemory, LosesNothingWhenEventsHaveNoTime) {
  EventMemory memory;
  EXPECT_TRUE(memory.is_new(event_at(0)));
  EXPECT_TRUE(memory.is_new(event_at(0)));
}

}  // namespace
}  // namespace kopidocka
