#include "run/recovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "run/lost_report.hpp"
#include "run_world.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Type = JournalRecord::Type;

/// A world in which a run "lost" was cut off after the records that a test writes.
struct LostRun : RunWorld {
  LostRun() : run_context(context()), recovery(run_context) {
    run_context.limits.stop_margin = Milliseconds(0);
    JournalRecord begin;
    begin.run = "lost";
    begin.unit = "shop";
    begin.kind = "backup";
    begin.engine_id = "engine-1";
    begin.engine = "fake";
    (void)journal.begin(begin);
  }

  void hold(int grace = 1) {
    JournalRecord record;
    record.type = Type::hold;
    record.run = "lost";
    for (const auto& id : {db, web}) {
      const auto& container = docker.container(id);
      record.members.push_back({id, container.name, container.state.started_at, "shop", "", 1, grace});
    }
    (void)journal.append("lost", record);
  }

  void say(Type type, const std::string& container = {}, const std::string& note = {}) {
    JournalRecord record;
    record.type = type;
    record.run = "lost";
    record.container = container;
    record.note = note;
    (void)journal.append("lost", record);
  }

  void stopped(const std::string& id) {
    say(Type::stopping, id);
    say(Type::stopped, id);
    docker.container(id).state.status = "exited";
  }

  RecoveryOutcome recover() {
    auto outcome = run_task(io, recovery.pay_debts({}));
    run_task(io, recovery.purge({}, outcome));
    return outcome;
  }

  std::filesystem::path file() const { return folder / "journal" / "lost.journal"; }

  RunContext run_context;
  Recovery recovery;
};

TEST(Recovery, StartsWhatWasStoppedAndReportsTheRunOnce) {
  LostRun world;
  world.hold();
  world.stopped(world.web);
  world.stopped(world.db);
  const auto outcome = world.recover();
  EXPECT_THAT(outcome.started, ElementsAre("shop-db-1", "shop-web-1"));
  EXPECT_THAT(outcome.problems, IsEmpty());
  ASSERT_EQ(outcome.lost.size(), 1u);
  EXPECT_EQ(outcome.lost[0].reason, "interrupted");
  EXPECT_GT(outcome.lost[0].downtime_seconds, 0);
  EXPECT_THAT(outcome.lost[0].problems.front(), HasSubstr("shop-db-1, shop-web-1"));
  EXPECT_EQ(world.open_journals(), 0u);
  EXPECT_THAT(world.recover().lost, IsEmpty());
}

TEST(Recovery, OfARunThatHadStoppedNothingSaysSo) {
  LostRun world;
  world.hold();
  const auto outcome = world.recover();
  ASSERT_EQ(outcome.lost.size(), 1u);
  EXPECT_EQ(outcome.lost[0].downtime_seconds, 0);
  EXPECT_THAT(outcome.lost[0].problems, ElementsAre(HasSubstr("before a container was stopped")));
}

TEST(Recovery, NamesInTheReportWhatSomebodyElseDid) {
  LostRun world;
  world.hold();
  world.stopped(world.web);
  world.stopped(world.db);
  world.docker.container(world.db).state.started_at = "2099-01-01T00:00:00Z";
  const auto outcome = world.recover();
  EXPECT_FALSE(world.docker.running(world.db)) << "its user had stopped it after our run";
  ASSERT_EQ(outcome.lost.size(), 1u);
  EXPECT_THAT(outcome.lost[0].problems, Contains(HasSubstr("shop-db-1 was started by somebody else")));
  EXPECT_THAT(outcome.lost[0].problems.front(), Not(HasSubstr("shop-db-1")));
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Recovery, AStartWhoseRecordIsMissingIsNoStrangers) {
  LostRun world;
  world.hold();
  world.stopped(world.db);
  world.say(Type::starting, world.db);
  world.docker.container(world.db).state.status = "running";
  world.docker.container(world.db).state.started_at = "2099-01-01T00:00:00Z";
  const auto outcome = world.recover();
  ASSERT_EQ(outcome.lost.size(), 1u);
  EXPECT_THAT(outcome.lost[0].problems, Not(Contains(HasSubstr("somebody else"))));
}

TEST(Recovery, AStopThatMayBeOnItsWayIsWaitedForAfterEverythingElseWasStarted) {
  LostRun world;
  world.hold();
  world.say(Type::stopping, world.db);
  world.stopped(world.web);
  std::vector<std::string> calls;
  world.docker.on_call = [&](const std::string& call) {
    calls.push_back(call);
    // Docker's stop of the database comes through while it is waited for.
    if (call == "start shop-web-1") world.docker.container(world.db).state.status = "exited";
  };
  const auto outcome = world.recover();
  EXPECT_THAT(outcome.started, ElementsAre("shop-web-1", "shop-db-1"));
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Recovery, AStopRequestThatNeverWentOutIsSettledAfterTheGraceTime) {
  LostRun world;
  world.hold(0);
  world.say(Type::stopping, world.db);
  const auto outcome = world.recover();
  EXPECT_THAT(outcome.started, IsEmpty());
  EXPECT_THAT(outcome.problems, IsEmpty());
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_EQ(world.open_journals(), 0u);
}

/// A clock that the test sets; monotonic time runs as ever.
class SetClock : public SystemClock {
 public:
  TimePoint now() const override { return SystemClock::now() + ahead; }
  Seconds ahead{0};
};

TEST(Recovery, LongAfterTheCrashNobodyWaitsForAStop) {
  LostRun world;
  world.hold(3'600);
  world.say(Type::stopping, world.db);
  SetClock later;
  later.ahead = Seconds(3'601);
  RunContext context{world.docker, world.engine, world.worker, world.journal, world.reports, later, {}, world.folder / "cache",
                     world.folder / "hooks", "engine-1", "0", true, "", "", {}};
  context.limits.stop_margin = Milliseconds(0);
  Recovery recovery(context);
  EXPECT_THAT(run_task(world.io, recovery.pay_debts({})).problems, IsEmpty());
}

TEST(Recovery, AStopThatWasNeverConfirmedIsWatchedForAnHourAndNotAnyLonger) {
  LostRun world;
  world.hold();
  world.say(Type::stopping, world.db);
  world.say(Type::stopping, world.db, std::string(kUnconfirmed));
  const auto outcome = world.recover();
  EXPECT_THAT(outcome.problems, ElementsAre(HasSubstr("still runs")));
  EXPECT_THAT(outcome.blocked_units, Contains("shop"));
  ASSERT_EQ(outcome.lost.size(), 1u) << "the run is reported all the same";
  EXPECT_EQ(world.open_journals(), 1u);
  SetClock later;
  later.ahead = Seconds(3'601);
  RunContext context{world.docker, world.engine, world.worker, world.journal, world.reports, later, {}, world.folder / "cache",
                     world.folder / "hooks", "engine-1", "0", true, "", "", {}};
  Recovery recovery(context);
  EXPECT_THAT(run_task(world.io, recovery.pay_debts({})).problems, IsEmpty());
  world.purge(recovery);
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Recovery, OneContainerThatCannotBeStartedKeepsNobodyElseDown) {
  LostRun world;
  world.hold();
  world.stopped(world.web);
  world.stopped(world.db);
  world.docker.trouble(world.db).start_failures = 1'000;
  const auto outcome = world.recover();
  EXPECT_THAT(outcome.started, ElementsAre("shop-web-1"));
  EXPECT_THAT(outcome.blocked_units, Contains("shop"));
  EXPECT_EQ(world.open_journals(), 1u);
}

TEST(Recovery, OfAJournalThatBreaksOffPaysWhatCanBeReadAndKeepsTheFileAsItIs) {
  LostRun world;
  world.hold();
  world.stopped(world.web);
  world.stopped(world.db);
  std::ofstream(world.file(), std::ios::app) << "{\"v\":1,\"type\":\"nonsense\"}\n";
  const auto before = read_file(world.file()).value();
  const auto outcome = world.recover();
  EXPECT_THAT(outcome.started, ElementsAre("shop-db-1", "shop-web-1"));
  EXPECT_THAT(outcome.blocked_units, Contains("shop"));
  EXPECT_THAT(outcome.problems, Contains(HasSubstr("nonsense")));
  EXPECT_EQ(outcome.lost.size(), 1u);
  EXPECT_EQ(read_file(world.file()).value(), before);
  const auto again = world.recover();
  EXPECT_THAT(again.started, IsEmpty());
  EXPECT_THAT(again.lost, IsEmpty());
  EXPECT_EQ(read_file(world.file()).value(), before);
}

TEST(Recovery, OldDataIsNotPutUnderAContainerThatRunsWhenTheJournalBreaksOff) {
  LostRun world;
  world.hold();
  world.stopped(world.db);
  JournalRecord swapping;
  swapping.type = Type::swapping;
  swapping.run = "lost";
  swapping.data = HeldData{"/data", "no mode that exists", "", "", false};
  ASSERT_TRUE(world.journal.append("lost", swapping));
  std::ofstream(world.file(), std::ios::app) << "{}\n";
  world.docker.container(world.db).state.status = "running";
  world.docker.container(world.db).state.started_at = "2099-01-01T00:00:00Z";
  const auto outcome = world.recover();
  ASSERT_EQ(outcome.lost.size(), 1u);
  EXPECT_THAT(outcome.lost[0].problems, Contains(HasSubstr("was not put back at /data")));
}

TEST(Recovery, ContainersThatAreThereAreStartedAlsoWhenTheEngineHasAnotherId) {
  LostRun world;
  world.hold();
  world.stopped(world.web);
  world.stopped(world.db);
  world.docker.remove(world.web);
  world.run_context.docker_engine_id = "engine-2";
  const auto outcome = world.recover();
  EXPECT_THAT(outcome.started, ElementsAre("shop-db-1"));
  ASSERT_EQ(outcome.lost.size(), 1u);
  EXPECT_THAT(outcome.lost[0].problems, Contains(HasSubstr("shop-web-1 does not exist any more; the state folder now serves another")));
}

TEST(Recovery, RemovesWhatWasStagedForTheRecipe) {
  LostRun world;
  const auto staged = world.folder / "cache" / "staging" / "recipes" / "shop";
  std::filesystem::create_directories(staged);
  std::ofstream(staged / "environment.json") << "PASSWORD=secret";
  world.recover();
  EXPECT_FALSE(std::filesystem::exists(staged));
}

TEST(Recovery, RemovesTheSnapshotsOfALostRunWhateverTheHostNameWas) {
  LostRun world;
  Snapshot snapshot;
  snapshot.id = "half";
  snapshot.host = "another";
  snapshot.tags = {{"backup_id", "lost"}};
  world.engine.snapshots.push_back(snapshot);
  world.recover();
  EXPECT_THAT(world.engine.snapshots, IsEmpty());
}

TEST(Recovery, LeavesTheSnapshotsOfARunWhoseResultIsNotKnown) {
  LostRun world;
  Snapshot snapshot;
  snapshot.id = "kept";
  snapshot.host = world.engine.host;
  snapshot.tags = {{"backup_id", "lost"}};
  world.engine.snapshots.push_back(snapshot);
  world.say(Type::reported);
  world.recover();
  EXPECT_EQ(world.engine.snapshots.size(), 1u);
}

}  // namespace
}  // namespace kopidocka::testing
