#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run/recovery.hpp"
#include "run_world.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::string kDatabase = "/volumes/shop_db";

/// Calls `act` once, when the database's volume is about to be read.
void while_reading(RunWorld& world, std::function<void()> act) {
  world.engine.before_snapshot = [act](const SnapshotRequest& request) {
    if (request.source.path == kDatabase) act();
  };
}

void expect_refused(RunWorld& world, const RunReport& report) {
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_THAT(world.observer.lines, IsEmpty());
  EXPECT_THAT(world.engine.snapshots, IsEmpty());
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Hold, AReplicaThatWasAddedWhileTheRunWasPreparedStopsNothing) {
  RunWorld world;
  const auto plan = world.plan();
  world.docker.add_running("shop-db-2", "shop", "db");
  world.mount("shop-db-2", kDatabase, "shop_db");
  const auto report = world.run(plan);
  expect_refused(world, report);
  EXPECT_THAT(report.problems.front(), HasSubstr("shop-db-2"));
}

TEST(Hold, AMemberThatWasDownAndIsStartedWhileTheRunIsPreparedStopsNothing) {
  RunWorld world;
  world.mount(world.web, kDatabase, "shop_db");
  world.docker.container(world.web).state.status = "exited";
  const auto plan = world.plan();
  world.docker.container(world.web).state.status = "running";
  expect_refused(world, world.run(plan));
}

TEST(Hold, AWriterByAnotherNameOfTheSameFolderStopsNothing) {
  RunWorld world;
  Volume volume;
  volume.name = "shop_db";
  volume.driver = "local";
  volume.mountpoint = kDatabase;
  volume.options = {{"type", "none"}, {"o", "bind"}, {"device", "/srv/db"}};
  world.docker.add_volume(volume);
  world.docker.add_running("stranger");
  world.mount("stranger", "/srv/db/inside");
  expect_refused(world, world.run());
}

TEST(Hold, AContainerThatOnlyReadsIsNobodysProblem) {
  RunWorld world;
  world.docker.add_running("reader");
  world.mount("reader", kDatabase, "shop_db");
  world.docker.container("reader").mounts.front().writable = false;
  EXPECT_EQ(world.run().result, RunResult::success);
}

TEST(Hold, AContainerOfAnotherUnitThatMountsTheFolderAboveIsLeftToTheWarningOfItsList) {
  RunWorld world;
  world.docker.add_running("indexer");
  world.mount("indexer", "/volumes");
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
}

TEST(Hold, OurOwnContainerMayMountAnything) {
  RunWorld world;
  auto context = world.context();
  context.own_container_id = world.docker.add_running("kopi-docka");
  world.mount("kopi-docka", kDatabase, "shop_db");
  EXPECT_EQ(world.run(std::move(context), world.plan()).result, RunResult::success);
}

TEST(Hold, AnotherSidecarIsNoWriter) {
  RunWorld world;
  world.docker.add_running("other-kopi-docka");
  world.docker.container("other-kopi-docka").labels["kopi-docka.role"] = "sidecar";
  world.mount("other-kopi-docka", kDatabase);
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
}

TEST(Hold, AWriterThatRanAndEndedWhileASourceWasReadTaintsTheRun) {
  RunWorld world;
  while_reading(world, [&] {
    Container visitor;
    visitor.name = "visitor";
    visitor.state.status = "exited";
    visitor.state.started_at = visitor.state.finished_at = to_iso8601(world.clock.now());
    world.docker.add(visitor);
    world.mount("visitor", kDatabase, "shop_db");
  });
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "tainted");
  EXPECT_THAT(world.engine.snapshots, IsEmpty());
}

TEST(Hold, AWriterThatRanMeanwhileAndWasStartedAgainSinceTaintsTheRun) {
  RunWorld world;
  while_reading(world, [&] {
    Container visitor;
    visitor.name = "visitor";
    visitor.state.status = "running";
    visitor.state.finished_at = to_iso8601(world.clock.now());
    visitor.state.started_at = to_iso8601(world.clock.now() + std::chrono::hours(1));
    world.docker.add(visitor);
    world.mount("visitor", kDatabase, "shop_db");
  });
  EXPECT_EQ(world.run().reason, "tainted");
}

TEST(Hold, ABystanderThatAnotherRunHeldDownIsStillOne) {
  RunWorld world;
  world.docker.add_running("indexer");
  world.mount("indexer", "/volumes");
  world.docker.container("indexer").state.status = "exited";
  while_reading(world, [&] {
    world.docker.container("indexer").state.status = "running";
    world.docker.container("indexer").state.started_at = to_iso8601(world.clock.now());
  });
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
}

TEST(Hold, AWriterThatStartedWhileASourceWasReadTaintsTheRunByAnyNameOfTheFolder) {
  RunWorld world;
  Volume volume;
  volume.name = "shop_db";
  volume.driver = "local";
  volume.options = {{"type", "none"}, {"o", "bind"}, {"device", "/srv/db"}};
  world.docker.add_volume(volume);
  while_reading(world, [&] {
    Container visitor;
    visitor.name = "visitor";
    visitor.state.started_at = to_iso8601(world.clock.now());
    world.docker.add(visitor);
    world.mount("visitor", "/srv");
  });
  EXPECT_EQ(world.run().reason, "tainted");
}

TEST(Hold, AHeldContainerThatNobodyCouldLookAtIsLookedAtByTheTaintCheck) {
  RunWorld world;
  world.mount(world.db, kDatabase, "shop_db");
  while_reading(world, [&] {
    auto& db = world.docker.container(world.db);
    db.state.status = "running";
    db.state.started_at = "2099-01-01T00:00:00Z";
    world.docker.trouble(world.db).failure = ErrorKind::unreachable;
    world.docker.trouble(world.db).inspect_failures = 1;
  });
  auto context = world.context();
  context.limits.start_retry = Milliseconds(0);
  const auto report = world.run(std::move(context), world.plan());
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "tainted");
  EXPECT_THAT(world.engine.snapshots, IsEmpty()) << "somebody else had started it";
}

TEST(Hold, AnEngineThatIsAwayForAMomentBeforeTheStartDelaysItOnly) {
  RunWorld world;
  while_reading(world, [&] {
    world.docker.trouble(world.db).failure = ErrorKind::unreachable;
    world.docker.trouble(world.db).inspect_failures = 2;
  });
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_TRUE(world.docker.running(world.db));
}

TEST(Hold, AnEngineThatIsAwayForAMomentAfterTheStopDelaysTheReadOnly) {
  RunWorld world;
  world.docker.trouble(world.db).failure = ErrorKind::unreachable;
  world.docker.on_call = [&](const std::string& call) {
    if (call == "stop shop-db-1") world.docker.trouble(world.db).inspect_failures = 2;
  };
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
}

TEST(Hold, AStartWhoseAnswerIsLostIsOurs) {
  RunWorld world;
  world.docker.trouble(world.db).start_answer_lost = true;
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Hold, AStopThatIsTurnedDownIsNotWaitedFor) {
  RunWorld world;
  world.docker.trouble(world.db).stop_failures = 1;
  auto context = world.context();
  context.limits.stop_margin = Milliseconds(3'600'000);
  const auto report = world.run(std::move(context), world.plan());
  EXPECT_EQ(report.reason, "stop");
  EXPECT_EQ(world.open_journals(), 0u) << "nothing is on its way";
}

TEST(Hold, AContainerThatDockerMayStopYetStaysOwedAndIsStartedWhenItGoesDown) {
  RunWorld world;
  world.docker.trouble(world.db).stop_failures = 1;
  world.docker.trouble(world.db).failure = ErrorKind::timeout;
  auto context = world.context();
  context.limits.stop_margin = Milliseconds(10);
  const auto report = world.run(context, world.plan());
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "stop");
  EXPECT_THAT(report.problems, Contains(HasSubstr("was asked to stop and still runs")));
  EXPECT_EQ(world.open_journals(), 1u);

  Recovery recovery(context);
  const auto watching = run_task(world.io, recovery.pay_debts({}));
  EXPECT_THAT(watching.problems, Contains(HasSubstr("shop-db-1")));
  EXPECT_THAT(watching.blocked_units, Contains("shop"));
  world.purge(recovery);
  EXPECT_EQ(world.open_journals(), 1u);

  world.docker.container(world.db).state.status = "exited";
  const auto paid = run_task(world.io, recovery.pay_debts({}));
  EXPECT_THAT(paid.started, Contains("shop-db-1"));
  EXPECT_THAT(paid.lost, IsEmpty()) << "it had its report";
  world.purge(recovery);
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_EQ(world.open_journals(), 0u);
}

/// A unit whose database never becomes healthy, with an hour to wait for it.
Unit unhealthy_unit(RunWorld& world) {
  world.docker.container(world.db).has_healthcheck = true;
  world.docker.container(world.db).state.health = "healthy";
  world.docker.trouble(world.db).never_healthy = true;
  auto unit = world.unit();
  unit.policy.start_timeout = Milliseconds(3'600'000);
  unit.members[1].healthy_providers = {world.db};
  return unit;
}

TEST(Hold, AnEndThatIsRequestedWhileHealthIsAwaitedStartsTheRestAtOnce) {
  RunWorld world;
  const auto unit = unhealthy_unit(world);
  Cancel cancel;
  int done = 0;
  world.observer.on_event = [&](const RunEvent& event) {
    const bool read = event.kind == RunEvent::Kind::step_finished && event.phase == "hold" && event.text.find("read volume") != std::string::npos;
    if (read || event.kind == RunEvent::Kind::member_started) ++done;
    if (done == 3) cancel.request(CancelGrade::abort_step);
  };
  const auto report = world.run(world.plan_of(unit), cancel);
  EXPECT_TRUE(world.docker.running(world.web));
  EXPECT_EQ(report.result, RunResult::partial) << report.problems.front();
  EXPECT_EQ(report.reason, "cancelled");
  EXPECT_EQ(world.open_journals(), 0u);
}

}  // namespace
}  // namespace kopidocka::testing
