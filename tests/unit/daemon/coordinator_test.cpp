#include "daemon/coordinator.hpp"

#include <gmock/gmock.h>

#include "daemon_world.hpp"

namespace kopidocka {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

struct Runs : DaemonWorld {
  explicit Runs(Environment more = {}) : DaemonWorld(std::move(more)) {
    meet();
    coordinator = std::make_unique<Coordinator>(assembly);
  }

  Task<> back_up_into(std::string unit, std::vector<RunReport>& reports, Cancel cancel = {}) {
    BackupWish wish;
    wish.unit = unit;
    wish.scope = Scope::minimal;
    std::vector<RunObserver*> none;
    auto report = co_await coordinator->back_up(wish, none, cancel);
    reports.push_back(std::move(report));
  }

  RunReport back_up(const std::string& unit) {
    std::vector<RunReport> reports;
    run_task(io, back_up_into(unit, reports));
    return reports.front();
  }

  std::unique_ptr<Coordinator> coordinator;
};

TEST(Coordinator, BacksAUnitUpAndOwesNothing) {
  Runs world;
  const auto id = world.add_unit("shop");
  const auto report = world.back_up("shop");
  EXPECT_EQ(report.result, RunResult::success) << (report.problems.empty() ? "" : report.problems.front());
  EXPECT_TRUE(world.docker->running(id));
  EXPECT_FALSE(world.coordinator->owes());
  EXPECT_THAT(world.observer.lines, ElementsAre("started shop", "finished shop success"));
}

Task<> note_debts_while_one_runs(Runs& world, std::vector<RunReport>& reports, std::vector<bool>& owes) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(world.back_up_into("one", reports));
  group.spawn(world.back_up_into("two", reports));
  co_await sleep_for(Milliseconds(40));
  owes.push_back(world.coordinator->owes());
  (void)world.cut_off_run("three", world.add_unit("three"));
  owes.push_back(world.coordinator->owes());
  co_await group.join();
}

TEST(Coordinator, ADebtIsSeenAlthoughAsManyRunsWaitAsJournalsAreOpen) {
  Runs world;
  world.add_unit("one");
  world.add_unit("two");
  world.engine->snapshot_takes = Milliseconds(400);
  std::vector<RunReport> reports;
  std::vector<bool> owes;
  run_task(world.io, note_debts_while_one_runs(world, reports, owes));
  EXPECT_THAT(owes, ElementsAre(false, true));
}

Task<> recover_twice(Runs& world) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  const auto recover = [](Coordinator& coordinator) -> Task<> { (void)co_await coordinator.recover(); };
  group.spawn(recover(*world.coordinator));
  group.spawn(recover(*world.coordinator));
  co_await group.join();
}

TEST(Coordinator, TwoRecoveriesAtOnceStartAContainerOnceAndBlockNobody) {
  Runs world;
  const auto id = world.add_unit("shop");
  (void)world.cut_off_run("shop", id);
  // The first start fails, so that the first pass waits and the second one would overtake it.
  world.docker->trouble(id).start_failures = 1;
  int starts = 0;
  world.docker->on_call = [&](const std::string& call) { starts += call == "start shop" ? 1 : 0; };
  run_task(world.io, recover_twice(world));
  EXPECT_EQ(starts, 2) << "one that failed and one that did not";
  EXPECT_TRUE(world.docker->running(id));
  EXPECT_THAT(world.coordinator->blocked_units(), IsEmpty());
  EXPECT_FALSE(world.coordinator->owes());
  EXPECT_THAT(world.observer.lines, ElementsAre("started shop", "finished shop failed (interrupted)"));
}

TEST(Coordinator, AUnitThatARunLeavesDownDuringARecoveryStaysBlocked) {
  Runs world;
  const auto id = world.add_unit("shop");
  const auto other = world.add_unit("blog");
  (void)world.cut_off_run("blog", other);
  world.docker->on_call = [&](const std::string& call) {
    // While blog is being paid for, a run of shop ends and leaves its container down.
    if (call == "start blog") (void)world.cut_off_run("shop", id);
  };
  (void)run_task(world.io, world.coordinator->recover());
  EXPECT_THAT(world.coordinator->blocked_units(), ElementsAre("shop"));
  EXPECT_TRUE(world.coordinator->owes());
  const auto refused = world.back_up("shop");
  EXPECT_EQ(refused.result, RunResult::skipped);
  world.docker->on_call = {};
  (void)run_task(world.io, world.coordinator->recover());
  EXPECT_TRUE(world.docker->running(id));
  EXPECT_THAT(world.coordinator->blocked_units(), IsEmpty());
  EXPECT_FALSE(world.coordinator->owes());
}

TEST(Coordinator, APassThatLeftSomethingUndoneIsWantedAgain) {
  Runs world;
  const auto id = world.add_unit("shop");
  (void)world.cut_off_run("shop", id);
  world.docker->trouble(id).start_failures = 100;
  (void)run_task(world.io, world.coordinator->recover());
  EXPECT_THAT(world.coordinator->blocked_units(), ElementsAre("shop"));
  EXPECT_TRUE(world.coordinator->owes());
  world.docker->trouble(id).start_failures = 0;
  (void)run_task(world.io, world.coordinator->recover());
  EXPECT_FALSE(world.coordinator->owes());
  EXPECT_TRUE(world.docker->running(id));
}

TEST(Coordinator, AUnitThatIsGoneIsASkippedReportAndNoError) {
  Runs world;
  const auto report = world.back_up("gone");
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_EQ(report.reason, "invalid");
  EXPECT_THAT(report.problems.front(), HasSubstr("no unit 'gone'"));
  EXPECT_THAT(world.observer.lines, ElementsAre("started gone", "finished gone skipped (invalid)"));
}

TEST(Coordinator, AFailureThatEscapesARunLeavesItsPlaceFree) {
  Runs world;
  const auto id = world.add_unit("shop");
  (void)world.cut_off_run("other", id);
  Plan plan;
  plan.unit.name = "shop";
  plan.kind = RunKind::restore;
  plan.run = make_uuid();
  plan.unit.members.emplace_back().container.id = id;
  std::vector<RunObserver*> none;
  EXPECT_THROW((void)run_task(world.io, world.coordinator->restore(plan, none, Cancel())), Error) << "a container that is owed a start";
  EXPECT_THAT(world.coordinator->active(), IsEmpty());
  (void)run_task(world.io, world.coordinator->recover());
  EXPECT_EQ(world.back_up("shop").result, RunResult::success) << "the slot was given back";
}

TEST(Coordinator, NoRunBeginsWhileItStandsBackButDebtsArePaid) {
  Runs world;
  const auto id = world.add_unit("shop");
  world.coordinator->stand_back(Error(ErrorKind::busy, "container other acts"));
  const auto report = world.back_up("shop");
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_EQ(report.reason, "busy");
  EXPECT_THAT(report.problems.front(), HasSubstr("other acts"));
  (void)world.cut_off_run("shop", id);
  (void)run_task(world.io, world.coordinator->recover());
  EXPECT_TRUE(world.docker->running(id));
  world.coordinator->stand_back(std::nullopt);
  EXPECT_EQ(world.back_up("shop").result, RunResult::success);
}

TEST(Coordinator, TellsWhenARunBeginsAndEndsWhoeverWishedForIt) {
  Runs world;
  world.add_unit("shop");
  std::vector<std::string> told;
  world.coordinator->on_begin = [&](const std::string& unit, RunKind) { told.push_back("begin " + unit); };
  world.coordinator->on_end = [&](const std::string& unit, RunKind) { told.push_back("end " + unit); };
  (void)world.back_up("shop");
  EXPECT_THAT(told, ElementsAre("begin shop", "end shop"));
}

struct Points : Runs {
  /// A whole restore point in the repository, and what the state folder knows of its run.
  std::string point(std::optional<RunResult> result, bool journal_open) {
    engine->before_snapshot = {};
    const auto report = back_up("shop");
    assembly.reports.save(report).value();
    const auto file_of_run = [&](const std::filesystem::directory_entry& entry) {
      return entry.path().string().find(report.backup_id) != std::string::npos;
    };
    for (const auto& entry : std::filesystem::directory_iterator(assembly.state.reports())) {
      if (file_of_run(entry)) std::filesystem::remove(entry.path());
    }
    if (result) save_report("shop", report.backup_id, *result, report.started_at);
    if (journal_open) {
      JournalRecord begin;
      begin.run = report.backup_id;
      begin.unit = "shop";
      begin.kind = "backup";
      (void)assembly.journal.begin(begin).value();
    }
    return report.backup_id;
  }
  RestorePoint offered(const std::string& id) {
    for (const auto& point : run_task(io, coordinator->restore_points(false))) {
      if (point.backup_id == id) return point;
    }
    throw std::runtime_error("not offered at all");
  }
};

TEST(Coordinator, PointsOfRunsThatFailedOrAreNotOverAreShownAndMarked) {
  Points world;
  world.add_unit("shop");
  EXPECT_TRUE(world.offered(world.point(RunResult::success, false)).complete);
  EXPECT_TRUE(world.offered(world.point(std::nullopt, false)).complete) << "another sidecar's";
  EXPECT_TRUE(world.offered(world.point(RunResult::partial, true)).complete) << "it owes a start, its data is safe";
  for (const auto& [result, open] : std::vector<std::pair<std::optional<RunResult>, bool>>{
           {RunResult::failed, false}, {RunResult::failed, true}, {RunResult::skipped, false}, {std::nullopt, true}}) {
    const auto point = world.offered(world.point(result, open));
    EXPECT_FALSE(point.complete);
    EXPECT_THAT(point.problems.front(), HasSubstr("its run"));
  }
}

/// Two units whose containers both write to the volume of the first.
struct SharedVolume : DaemonWorld {
  SharedVolume() : DaemonWorld(Environment{{"KOPI_DOCKA_PARALLEL_RUNS", "2"}}) {
    meet();
    shop = add_unit("shop");
    feed = add_unit("feed");
    docker->container(feed).mounts.push_back(docker->container(shop).mounts.front());
    coordinator = std::make_unique<Coordinator>(assembly);
    docker->on_call = [this](const std::string& call) {
      if (call.rfind("stop ", 0) == 0 || call.rfind("start ", 0) == 0) calls.push_back(call);
    };
  }

  static Task<> back_up(Coordinator& coordinator, std::string unit, std::vector<RunReport>& reports) {
    BackupWish wish;
    wish.unit = unit;
    wish.scope = Scope::minimal;
    std::vector<RunObserver*> none;
    reports.push_back(co_await coordinator.back_up(wish, none, Cancel()));
  }
  static Task<> back_up_both(Coordinator& coordinator, std::vector<RunReport>& reports) {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(back_up(coordinator, "shop", reports));
    group.spawn(back_up(coordinator, "feed", reports));
    co_await group.join();
  }

  std::string shop, feed;
  std::unique_ptr<Coordinator> coordinator;
  std::vector<std::string> calls;
};

TEST(SharedWriters, TwoRunsThatHoldTheSameContainersComeOneAfterTheOther) {
  SharedVolume world;
  world.engine->snapshot_takes = Milliseconds(300);
  std::vector<RunReport> reports;
  run_task(world.io, SharedVolume::back_up_both(*world.coordinator, reports));
  ASSERT_EQ(reports.size(), 2u);
  for (const auto& report : reports) {
    EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
    EXPECT_EQ(report.members.size(), 2u);
  }
  ASSERT_EQ(world.calls.size(), 8u);
  for (const size_t run : {0u, 4u}) {
    for (size_t i = 0; i < 4; ++i) EXPECT_EQ(world.calls[run + i].rfind(i < 2 ? "stop" : "start", 0), 0u) << world.calls[run + i];
  }
}

TEST(SharedWriters, TheReportMarksWhoIsOfAnotherUnit) {
  SharedVolume world;
  std::vector<RunReport> reports;
  run_task(world.io, SharedVolume::back_up(*world.coordinator, "shop", reports));
  for (const auto& member : reports.at(0).members) EXPECT_EQ(member.foreign, member.name == "feed") << member.name;
}

TEST(SharedWriters, AUnitWhoseContainerAnotherRunStillOwesIsNotBackedUp) {
  SharedVolume world;
  world.cut_off_run("shop", world.feed);
  std::vector<RunReport> reports;
  run_task(world.io, SharedVolume::back_up(*world.coordinator, "feed", reports));
  EXPECT_EQ(reports.at(0).result, RunResult::skipped);
  EXPECT_EQ(reports.at(0).reason, "busy");
  EXPECT_NE(reports.at(0).problems.front().find("an earlier run of unit shop still owes container feed a start"), std::string::npos);
}

}  // namespace
}  // namespace kopidocka
