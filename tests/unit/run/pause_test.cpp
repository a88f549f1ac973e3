#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "run/recovery.hpp"
#include "run_world.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// The shop, held by pauses.
struct Paused : RunWorld {
  explicit Paused(Consistency consistency = Consistency::pause) : how(consistency) {
    docker.on_call = [this](const std::string& call) { calls.push_back(call); };
  }
  Unit unit() {
    auto made = RunWorld::unit();
    made.policy.consistency = how;
    return made;
  }
  RunReport run() { return RunWorld::run(plan_of(unit())); }
  std::string status(const std::string& id) { return docker.container(id).state.status; }
  size_t count(const std::string& call) const { return static_cast<size_t>(std::count(calls.begin(), calls.end(), call)); }

  Consistency how;
  std::vector<std::string> calls;
};

TEST(Pause, FreezesWhileDataIsReadAndThawsAfterwardsWithoutAnyStop) {
  Paused world;
  const auto since = world.docker.container(world.db).state.started_at;
  world.engine.before_snapshot = [&](const SnapshotRequest& request) {
    EXPECT_EQ(world.status(request.source.path == "/volumes/shop_db" ? world.db : world.web), "paused");
  };
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_EQ(report.consistency, "pause");
  EXPECT_GT(report.downtime_seconds, 0);
  EXPECT_EQ(world.status(world.db) + world.status(world.web), "runningrunning");
  EXPECT_EQ(world.docker.container(world.db).state.started_at, since);
  EXPECT_EQ(world.count("stop shop-db-1") + world.count("start shop-db-1"), 0u);
  EXPECT_THAT(world.observer.lines, ElementsAre("stopped shop-web-1", "stopped shop-db-1", "started shop-db-1", "started shop-web-1"));
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Pause, OneThatSomebodyUnpausedMeanwhileTaintsTheRunAndIsLeftAlone) {
  Paused world;
  world.engine.before_snapshot = [&](const SnapshotRequest& request) {
    if (request.source.path == "/volumes/shop_db") world.docker.container(world.db).state.status = "running";
  };
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "tainted");
  EXPECT_THAT(report.problems, Contains(HasSubstr("shop-db-1 was unpaused by somebody else")));
  EXPECT_THAT(world.engine.snapshots, IsEmpty());
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Pause, OneThatSomebodyKilledWhileItWasPausedIsNotStarted) {
  Paused world;
  world.engine.before_snapshot = [&](const SnapshotRequest& request) {
    if (request.source.path == "/volumes/shop_db") world.docker.container(world.db).state.status = "exited";
  };
  const auto report = world.run();
  EXPECT_EQ(report.reason, "tainted");
  EXPECT_EQ(world.status(world.db), "exited");
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Pause, OneThatSomebodyElsePausedIsRefusedBeforeAndNotOursInTheLastMoment) {
  Paused before;
  const auto plan = before.plan_of(before.unit());
  before.docker.container(before.db).state.status = "paused";
  const auto refused = before.RunWorld::run(plan);
  EXPECT_EQ(refused.result, RunResult::skipped);
  EXPECT_EQ(before.count("pause shop-web-1"), 0u);

  Paused late;
  late.docker.on_call = [&](const std::string& call) {
    if (call == "pause shop-db-1") late.docker.container(late.db).state.status = "paused";
    late.calls.push_back(call);
  };
  const auto report = late.run();
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(late.status(late.db), "paused") << "who paused it will unpause it";
  EXPECT_EQ(late.status(late.web), "running");
  EXPECT_EQ(late.count("unpause shop-db-1"), 0u);
  EXPECT_EQ(late.open_journals(), 0u);
}

TEST(Pause, AnswersThatAreLostChangeNothing) {
  Paused world;
  world.docker.trouble(world.db).pause_answer_lost = true;
  world.docker.trouble(world.db).start_answer_lost = true;
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_EQ(world.count("unpause shop-db-1"), 1u);
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Pause, OneThatDockerDoesNotPauseFailsTheRunAtOnceAndThawsTheRest) {
  Paused world;
  world.docker.trouble(world.db).stop_failures = 1;
  auto context = world.context();
  context.limits.stop_margin = Milliseconds(3'600'000);
  const auto report = world.RunWorld::run(std::move(context), world.plan_of(world.unit()));
  EXPECT_EQ(report.reason, "stop");
  EXPECT_EQ(world.status(world.web), "running");
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Pause, RecoveryUnpausesWhatWasPausedAndNothingElse) {
  Paused world;
  JournalRecord begin;
  begin.type = JournalRecord::Type::begin;
  begin.run = "r";
  begin.unit = "shop";
  begin.kind = "backup";
  begin.engine_id = "engine-1";
  ASSERT_TRUE(world.journal.begin(begin));
  JournalRecord hold;
  hold.type = JournalRecord::Type::hold;
  hold.run = "r";
  for (const auto& id : {world.db, world.web}) {
    HeldMember member;
    member.id = id;
    member.name = world.docker.container(id).name;
    member.started_at = world.docker.container(id).state.started_at;
    member.grace = 0;
    member.by_pause = true;
    hold.members.push_back(member);
  }
  ASSERT_TRUE(world.journal.append("r", hold));
  for (const auto type : {JournalRecord::Type::stopping, JournalRecord::Type::stopped}) {
    JournalRecord record;
    record.type = type;
    record.run = "r";
    record.container = world.db;
    ASSERT_TRUE(world.journal.append("r", record));
  }
  // The web server was paused by its user: its pause was never announced by us.
  for (const auto& id : {world.db, world.web}) world.docker.container(id).state.status = "paused";
  auto context = world.context();
  Recovery recovery(context);
  auto outcome = run_task(world.io, recovery.pay_debts({}));
  EXPECT_THAT(outcome.started, ElementsAre("shop-db-1"));
  EXPECT_EQ(world.status(world.db), "running");
  EXPECT_EQ(world.status(world.web), "paused");
  ASSERT_EQ(outcome.lost.size(), 1u);
  run_task(world.io, recovery.purge({}, outcome));
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(None, ReadsWhileEverythingRunsAndSaysSo) {
  Paused world(Consistency::none);
  world.docker.add_running("stranger");
  world.mount("stranger", "/volumes/shop_db", "shop_db");
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_EQ(report.consistency, "none");
  EXPECT_EQ(report.downtime_seconds, 0);
  EXPECT_THAT(world.observer.lines, IsEmpty());
  for (const auto* verb : {"stop", "start", "pause", "unpause"}) EXPECT_THAT(world.calls, Not(Contains(std::string(verb) + " shop-db-1")));
  ASSERT_EQ(world.engine.snapshots.size(), 2u);
  EXPECT_EQ(world.engine.snapshots[0].tags.at("kd_consistency"), "none");
}

TEST(Staying, AMemberThatStaysUpIsNoTaintAndNotInTheWay) {
  RunWorld world;
  auto unit = world.unit();
  unit.members[1].policy.stop = false;
  unit.sources.pop_back();
  world.mount(world.web, "/volumes/shop_db", "shop_db");
  world.docker.container(world.web).mounts.front().writable = false;
  unit.members[1].container = world.docker.container(world.web);
  const auto since = world.docker.container(world.web).state.started_at;
  const auto report = world.run(world.plan_of(unit));
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_EQ(world.docker.container(world.web).state.started_at, since);
  EXPECT_THAT(world.observer.lines, ElementsAre("stopped shop-db-1", "started shop-db-1"));
}

}  // namespace
}  // namespace kopidocka::testing
