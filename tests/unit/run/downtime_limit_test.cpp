#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_world.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Plan limited(RunWorld& world, Unit unit, Milliseconds limit) {
  unit.policy.max_downtime = limit;
  return world.plan_of(unit);
}

TEST(MaxDowntime, WhenItIsOverTheReadIsGivenUpEverythingIsStartedAndTheRunHasFailed) {
  RunWorld world;
  world.engine.snapshot_takes = Milliseconds(3'600'000);
  const auto report = world.run(limited(world, world.unit(), Milliseconds(100)));
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "max-downtime");
  EXPECT_THAT(report.problems.front(), HasSubstr("100ms of max-downtime"));
  EXPECT_THAT(world.engine.snapshots, IsEmpty());
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_TRUE(world.docker.running(world.web));
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(MaxDowntime, DoesNotRunBeforeTheFirstStop) {
  RunWorld world;
  world.hook("pre_backup", "sleep 1");
  const auto report = world.run(limited(world, world.unit(), Milliseconds(900)));
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
}

TEST(MaxDowntime, ThatIsNotReachedChangesNothing) {
  RunWorld world;
  const auto report = world.run(limited(world, world.unit(), Milliseconds(3'600'000)));
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_THAT(report.problems, IsEmpty());
}

TEST(MaxDowntime, NobodyWaitsForAProvidersHealthBeyondIt) {
  RunWorld world;
  world.docker.container(world.db).has_healthcheck = true;
  world.docker.container(world.db).state.health = "healthy";
  world.docker.trouble(world.db).never_healthy = true;
  auto unit = world.unit();
  unit.members[1].healthy_providers = {world.db};
  // Only the wait inside the hold is that long; the one after it is of no interest here.
  auto plan = limited(world, unit, Milliseconds(300));
  for (auto& step : plan.steps) {
    if (auto* start = std::get_if<StartMember>(&step.action)) start->limit = Milliseconds(3'600'000);
    if (auto* await = std::get_if<AwaitHealth>(&step.action)) await->limit = Milliseconds(0);
  }
  const auto report = world.run(std::move(plan));
  EXPECT_TRUE(world.docker.running(world.web));
  EXPECT_EQ(report.reason, "max-downtime");
  EXPECT_THAT(world.observer.lines, Contains("started shop-web-1"));
}

TEST(MaxDowntime, OfARunThatHadFailedBeforeTakesNothingFromItsReason) {
  RunWorld world;
  world.engine.before_snapshot = [](const SnapshotRequest&) { throw Error(ErrorKind::failed, "disk on fire"); };
  world.docker.trouble(world.db).start_failures = 1;
  const auto report = world.run(limited(world, world.unit(), Milliseconds(200)));
  EXPECT_EQ(report.reason, "snapshot");
  EXPECT_TRUE(world.docker.running(world.db));
}

}  // namespace
}  // namespace kopidocka::testing
