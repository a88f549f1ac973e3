#include "daemon/scheduler.hpp"

#include <gmock/gmock.h>

#include "daemon_world.hpp"

namespace kopidocka {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using namespace std::chrono_literals;

struct Scheduled : DaemonWorld {
  Scheduled() {
    meet();
    coordinator = std::make_unique<Coordinator>(assembly);
    memory = std::make_unique<UnitMemory>(folder / "units.json");
    restart();
  }

  void restart() {
    scheduler = std::make_unique<Scheduler>(io.get_executor(), *coordinator, *memory, [this](const Missed& missed) {
      misses.push_back(missed.unit + " " + std::string(to_string(missed.reason)) + " " + std::to_string(missed.count));
    });
  }

  /// Lets the scheduler live for a moment with the units there are.
  void live(bool allowed = true) {
    const auto units = run_task(io, coordinator->look());
    scheduler->set_units(units);
    scheduler->allow(allowed);
    run_task(io, live_for(*scheduler));
  }
  static Task<> live_for(Scheduler& scheduler) {
    TaskGroup group(co_await boost::asio::this_coro::executor);
    group.spawn(scheduler.run());
    co_await sleep_for(Milliseconds(300));
    scheduler.stop();
    co_await group.join();
  }

  /// Ago, as a time at which a unit with this schedule would have been due: each day an hour ago.
  static std::string daily_at(std::chrono::minutes ago) {
    const auto due = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now() - ago);
    const auto minute = std::chrono::duration_cast<std::chrono::minutes>(due.time_since_epoch()).count() % (24 * 60);
    return std::to_string(minute % 60) + " " + std::to_string(minute / 60) + " * * *";
  }

  std::unique_ptr<Coordinator> coordinator;
  std::unique_ptr<UnitMemory> memory;
  std::unique_ptr<Scheduler> scheduler;
  std::vector<std::string> misses;
};

TEST(Scheduler, ARefusedRunIsMadeUpForAfterARestartAndNotCountedAsMissed) {
  Scheduled world;
  world.add_unit("shop", Scheduled::daily_at(60min));
  const auto now = std::chrono::system_clock::now();
  world.save_report("shop", make_uuid(), RunResult::success, now - 25h);
  world.save_report("shop", make_uuid(), RunResult::skipped, now - 59min);
  world.live();
  EXPECT_THAT(world.observer.lines, ElementsAre("started shop", "finished shop success"));
  EXPECT_THAT(world.misses, IsEmpty()) << "its refusal was reported when it happened";
}

TEST(Scheduler, ARunThatWasMadeIsNotMadeAgain) {
  Scheduled world;
  world.add_unit("shop", Scheduled::daily_at(60min));
  world.save_report("shop", make_uuid(), RunResult::failed, std::chrono::system_clock::now() - 59min);
  world.save_report("shop", make_uuid(), RunResult::skipped, std::chrono::system_clock::now() - 30min);
  world.live();
  EXPECT_THAT(world.observer.lines, IsEmpty());
}

TEST(Scheduler, AUnitThatIsRefusedEveryTimeIsTriedOnceAStart) {
  Scheduled world;
  world.add_unit("shop", Scheduled::daily_at(60min));
  world.engine->probe_error = Error(ErrorKind::unreachable, "the repository is away");
  world.save_report("shop", make_uuid(), RunResult::success, std::chrono::system_clock::now() - 25h);
  const auto units = run_task(world.io, world.coordinator->look());
  world.live();
  world.scheduler->set_units({});
  EXPECT_THAT(world.observer.lines, ElementsAre("started shop", "finished shop skipped (repository)"));
  world.scheduler->set_units(units);
  EXPECT_GT(world.scheduler->next_run("shop").value(), std::chrono::system_clock::now() + 22h) << "coming back does not make it due again";
}

TEST(Scheduler, NothingBeginsBeforeItIsAllowedAndOneRunMakesUpForIt) {
  Scheduled world;
  world.add_unit("shop", Scheduled::daily_at(60min));
  world.save_report("shop", make_uuid(), RunResult::success, std::chrono::system_clock::now() - 25h);
  world.live(false);
  EXPECT_THAT(world.observer.lines, IsEmpty());
  world.restart();
  world.live();
  EXPECT_THAT(world.observer.lines, ElementsAre("started shop", "finished shop success"));
  EXPECT_THAT(world.misses, ElementsAre("shop down 1"));
}

Task<> manual_run_over_a_due_time(Scheduled& world) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  const auto back_up = [](Coordinator& coordinator) -> Task<> {
    BackupWish wish;
    wish.unit = "shop";
    std::vector<RunObserver*> none;
    Cancel never;
    (void)co_await coordinator.back_up(wish, none, never);
  };
  group.spawn(back_up(*world.coordinator));
  co_await sleep_for(Milliseconds(20));
  group.spawn(Scheduled::live_for(*world.scheduler));
  co_await group.join();
}

TEST(Scheduler, ATimeThatPassesDuringARunByHandIsMissedAndNoRefusal) {
  Scheduled world;
  world.add_unit("shop", Scheduled::daily_at(60min));
  world.save_report("shop", make_uuid(), RunResult::success, std::chrono::system_clock::now() - 25h);
  world.engine->snapshot_takes = Milliseconds(200);
  const auto units = run_task(world.io, world.coordinator->look());
  world.scheduler->set_units(units);
  world.scheduler->allow(true);
  run_task(world.io, manual_run_over_a_due_time(world));
  EXPECT_THAT(world.observer.lines, ElementsAre("started shop", "finished shop success"));
  EXPECT_THAT(world.misses, ElementsAre("shop overlap 1"));
}

TEST(Scheduler, ARunThatReachedMaxDowntimeIsNotTriedAgainBeforeItsSchedule) {
  Scheduled world;
  const auto id = world.add_unit("shop", Scheduled::daily_at(60min));
  world.docker->container(id).labels["kopi-docka.max-downtime"] = "1s";
  world.docker->container(id).labels["kopi-docka.scope"] = "minimal";
  world.engine->snapshot_takes = Milliseconds(3'600'000);
  world.save_report("shop", make_uuid(), RunResult::success, std::chrono::system_clock::now() - 25h);
  world.live();
  EXPECT_THAT(world.observer.lines, ElementsAre("started shop", "finished shop failed (max-downtime)"));
  EXPECT_TRUE(world.docker->running(id));
  EXPECT_GT(world.scheduler->next_run("shop").value(), std::chrono::system_clock::now() + 22h);
  world.observer.lines.clear();
  world.restart();
  world.live();
  EXPECT_THAT(world.observer.lines, IsEmpty()) << "nor after a restart";
}

}  // namespace
}  // namespace kopidocka
