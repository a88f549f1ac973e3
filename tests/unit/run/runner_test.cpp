#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "run_world.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Runner, StopsDependentsFirstAndStartsProvidersFirst) {
  RunWorld world;
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << (report.problems.empty() ? "" : report.problems.front());
  EXPECT_THAT(world.observer.lines, ElementsAre("stopped shop-web-1", "stopped shop-db-1", "started shop-db-1", "started shop-web-1"));
  EXPECT_EQ(report.snapshots.size(), 2u);
  EXPECT_GT(report.downtime_seconds, 0);
  EXPECT_EQ(world.open_journals(), 0u);
  EXPECT_TRUE(world.reports.find(report.backup_id).has_value());
  EXPECT_EQ(world.observer.finished, 1);
}

TEST(Runner, ReadsNothingWhileAWriterRuns) {
  RunWorld world;
  std::vector<std::string> running;
  world.engine.before_snapshot = [&](const SnapshotRequest& request) {
    const auto& user = request.source.path == "/volumes/shop_db" ? world.db : world.web;
    if (world.docker.running(user)) running.push_back(request.source.path);
  };
  EXPECT_EQ(world.run().result, RunResult::success);
  EXPECT_TRUE(running.empty());
}

TEST(Runner, AFailedSnapshotFailsTheRunStartsEverythingAndLeavesNoHalfRun) {
  RunWorld world;
  world.engine.before_snapshot = [](const SnapshotRequest& request) {
    if (request.source.path == "/volumes/shop_web") throw Error(ErrorKind::failed, "the disk is broken");
  };
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "snapshot");
  EXPECT_THAT(report.problems.front(), HasSubstr("the disk is broken"));
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_TRUE(world.docker.running(world.web));
  EXPECT_TRUE(world.engine.snapshots.empty());
  EXPECT_TRUE(report.snapshots.empty());
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Runner, AnEngineThatDiesAtItsGateWhileOthersAreOpenedStopsNothing) {
  RunWorld world;
  world.engine.death_at_gate = Error(ErrorKind::failed, "killed");
  const auto report = world.run(world.plan_of(world.unit(), Scope::minimal, 2));
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "snapshot");
  EXPECT_THAT(world.observer.lines, ::testing::IsEmpty());
}

/// The database's volume in a folder of its own, which can be exchanged.
Unit with_own_folder(RunWorld& world) {
  auto unit = world.unit();
  std::filesystem::create_directories(world.folder / "data");
  std::ofstream(world.folder / "data" / "file") << "x";
  unit.sources.front().local_path = (world.folder / "data").string();
  return unit;
}

TEST(Runner, AFolderThatIsAnotherOneBeforeTheHoldStopsNothing) {
  RunWorld world;
  const auto unit = with_own_folder(world);
  const auto data = (world.folder / "data").string();
  world.hook("pre_backup", "mv '" + data + "' '" + data + ".x'; mkdir '" + data + "'");
  const auto report = world.run(world.plan_of(unit));
  EXPECT_NE(report.result, RunResult::success);
  EXPECT_EQ(report.reason, "source");
  EXPECT_THAT(report.problems.front(), HasSubstr("another folder"));
  EXPECT_THAT(world.observer.lines, ::testing::IsEmpty());
}

TEST(Runner, AFolderThatIsExchangedWhileItIsReadIsNoBackup) {
  RunWorld world;
  const auto unit = with_own_folder(world);
  world.engine.before_snapshot = [&](const SnapshotRequest&) {
    const auto data = world.folder / "data";
    if (std::filesystem::exists(world.folder / "data.x")) return;
    std::filesystem::rename(data, world.folder / "data.x");
    std::filesystem::create_directory_symlink("/etc", data);
  };
  const auto report = world.run(world.plan_of(unit));
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "tainted");
  EXPECT_TRUE(world.engine.snapshots.empty());
  EXPECT_TRUE(world.docker.running(world.db));
}

TEST(Runner, AnUnreachableRepositoryStopsNothing) {
  RunWorld world;
  world.engine.probe_error = Error(ErrorKind::unreachable, "no route to the repository");
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_EQ(report.reason, "repository");
  EXPECT_TRUE(world.observer.lines.empty());
  EXPECT_TRUE(report.members.empty());
}

/// A plan in which the database's volume is an empty folder.
Plan plan_with_an_empty_source(RunWorld& world, const std::string& trigger) {
  auto plan = world.plan();
  plan.trigger = trigger;
  const auto folder = world.folder / "empty";
  std::filesystem::create_directories(folder);
  for (auto& step : plan.steps) {
    if (auto* probe = std::get_if<ProbeSources>(&step.action)) probe->sources[0].local_path = folder.string();
  }
  return plan;
}

void remember_backup(RunWorld& world, RunResult result, TimePoint when, std::uint64_t files) {
  RunReport report;
  report.unit = "shop";
  report.backup_id = make_uuid();
  report.result = result;
  report.started_at = when;
  SnapshotReport snapshot;
  snapshot.type = "volume";
  snapshot.source = "shop_db";
  snapshot.files = files;
  report.snapshots = {snapshot};
  ASSERT_TRUE(world.reports.save(report));
}

TEST(Runner, AFolderThatIsSuddenlyEmptyStopsNothingUntilSomebodyAsksForTheBackup) {
  RunWorld world;
  const auto now = world.clock.now();
  remember_backup(world, RunResult::success, now - std::chrono::hours(2), 42);
  remember_backup(world, RunResult::failed, now - std::chrono::hours(1), 0);
  const auto carry_out = [&](const std::string& trigger) {
    Runner runner(world.context());
    return run_task(world.io, runner.carry_out(plan_with_an_empty_source(world, trigger), Cancel()));
  };
  for (const auto* trigger : {"schedule", "catch-up"}) {
    const auto report = carry_out(trigger);
    EXPECT_EQ(report.result, RunResult::skipped);
    EXPECT_THAT(report.problems.front(), HasSubstr("volume shop_db is empty, but held 42 files at its last backup"));
    EXPECT_THAT(report.problems.front(), HasSubstr("run 'kopi-docka backup shop' once"));
    EXPECT_TRUE(world.observer.lines.empty());
  }
  const auto asked = carry_out("request");
  EXPECT_EQ(asked.result, RunResult::success);
  EXPECT_THAT(asked.problems, ElementsAre(HasSubstr("it was taken as it is")));
  EXPECT_EQ(carry_out("schedule").result, RunResult::success) << "it was empty at its last backup as well";
}

TEST(Runner, AFolderThatWasNeverFullMayBeEmpty) {
  RunWorld world;
  Runner runner(world.context());
  EXPECT_EQ(run_task(world.io, runner.carry_out(plan_with_an_empty_source(world, "schedule"), Cancel())).result, RunResult::success);
}

TEST(Runner, AJournalThatCannotBeWrittenStopsNothing) {
  RunWorld world;
  std::filesystem::remove_all(world.folder / "journal");
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_EQ(report.reason, "journal");
  EXPECT_TRUE(world.observer.lines.empty());
}

TEST(Runner, AStateFolderThatWouldNotSurviveStopsNothing) {
  RunWorld world;
  auto context = world.context();
  context.state_problem = "the state folder is not a mount";
  Runner runner(std::move(context));
  const auto report = run_task(world.io, runner.carry_out(world.plan(), Cancel()));
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_EQ(report.reason, "journal");
  EXPECT_TRUE(world.observer.lines.empty());
}

TEST(Runner, UnreadableEntriesMakeTheRunPartialAndAreKept) {
  RunWorld world;
  world.engine.unreadable["/volumes/shop_db"] = 3;
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::partial);
  EXPECT_EQ(world.engine.snapshots.size(), 2u);
}

TEST(Runner, ACancelledRunStartsWhatItStopped) {
  RunWorld world;
  world.engine.snapshot_takes = Milliseconds(60'000);
  Cancel cancel;
  world.engine.before_snapshot = [&](const SnapshotRequest& request) {
    if (request.source.path == "/volumes/shop_db") cancel.request(CancelGrade::abort_step);
  };
  const auto report = world.run(cancel);
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "cancelled");
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_TRUE(world.docker.running(world.web));
}

TEST(Runner, SomebodyWhoStartsAHeldContainerTaintsTheRunAndIsNotFought) {
  RunWorld world;
  world.engine.before_snapshot = [&](const SnapshotRequest& request) {
    if (request.source.path != "/volumes/shop_db") return;
    auto& db = world.docker.container(world.db);
    db.state.status = "running";
    db.state.started_at = "2099-01-01T00:00:00Z";
  };
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "tainted");
  EXPECT_TRUE(world.engine.snapshots.empty());
  EXPECT_EQ(world.docker.container(world.db).state.started_at, "2099-01-01T00:00:00Z");
  EXPECT_TRUE(world.docker.running(world.web));
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Runner, AStopThatFailsMeansNoSnapshotAndEverythingUp) {
  RunWorld world;
  world.docker.trouble(world.db).stop_failures = 1;
  auto context = world.context();
  context.limits.stop_margin = Milliseconds(10);
  Runner runner(std::move(context));
  const auto report = run_task(world.io, runner.carry_out(world.plan(), Cancel()));
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "stop");
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_TRUE(world.docker.running(world.web));
  EXPECT_TRUE(world.engine.snapshots.empty());
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(Runner, AStopWhoseAnswerIsLostIsWaitedFor) {
  RunWorld world;
  world.docker.trouble(world.db).stops_later = Milliseconds(300);
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_TRUE(world.docker.running(world.db));
}

TEST(Runner, AStartThatFailsTwiceIsTriedAgain) {
  RunWorld world;
  world.docker.trouble(world.db).start_failures = 2;
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_TRUE(world.docker.running(world.db));
}

TEST(Runner, AContainerThatCannotBeStartedKeepsTheJournalOpen) {
  RunWorld world;
  world.docker.trouble(world.db).start_failures = 1'000;
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::partial);
  EXPECT_EQ(report.reason, "start");
  EXPECT_EQ(world.engine.snapshots.size(), 2u);
  EXPECT_EQ(world.open_journals(), 1u);
  EXPECT_TRUE(world.docker.running(world.web));
}

TEST(Runner, AFailingPreHookStopsNothingAndItsPostHookRuns) {
  RunWorld world;
  world.hook("pre_backup", "echo not today >&2; exit 3");
  world.hook("post_backup", "echo \"$KOPI_DOCKA_HOOK_TYPE $KOPI_DOCKA_UNIT_NAME $KOPI_DOCKA_RESULT\" > " + (world.folder / "said").string());
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_EQ(report.reason, "hook");
  EXPECT_THAT(report.problems.front(), HasSubstr("not today"));
  EXPECT_TRUE(world.observer.lines.empty());
  EXPECT_EQ(read_file(world.folder / "said").value(), "post_backup shop skipped\n");
}

TEST(Runner, AFullDiskUnderTheJournalInTheHoldStillStartsEverything) {
  RunWorld world;
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  world.engine.before_snapshot = [&](const SnapshotRequest&) {
    rlimit full = before;
    full.rlim_cur = 1;
    ::setrlimit(RLIMIT_FSIZE, &full);
  };
  const auto report = world.run();
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_TRUE(world.docker.running(world.web));
  EXPECT_EQ(world.open_journals(), 1u) << "recovery has to look at it once more";
}

TEST(Runner, AContainerThatRestartedWhileTheRunWasPreparedIsStartedAgain) {
  RunWorld world;
  const auto plan = world.plan();
  world.docker.container(world.db).state.started_at = "2026-01-01T00:00:00Z";
  Runner runner(world.context());
  const auto report = run_task(world.io, runner.carry_out(plan, Cancel()));
  EXPECT_EQ(report.result, RunResult::success) << report.problems.front();
  EXPECT_TRUE(world.docker.running(world.db));
}

TEST(Runner, AContainerThatEndedWhileTheRunWasPreparedStopsNothing) {
  RunWorld world;
  const auto plan = world.plan();
  world.docker.container(world.db).state.status = "exited";
  Runner runner(world.context());
  const auto report = run_task(world.io, runner.carry_out(plan, Cancel()));
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_TRUE(world.observer.lines.empty());
  EXPECT_TRUE(world.docker.running(world.web));
}

TEST(Runner, ContainersThatDidNotRunAreLeftAlone) {
  RunWorld world;
  auto& web = world.docker.container(world.web);
  web.state.status = "exited";
  EXPECT_EQ(world.run().result, RunResult::success);
  EXPECT_THAT(world.observer.lines, ElementsAre("stopped shop-db-1", "started shop-db-1"));
  EXPECT_FALSE(world.docker.running(world.web));
}

TEST(Runner, FailedSnapshotsThatCannotBeRemovedKeepTheJournalOpen) {
  RunWorld world;
  world.engine.remove_error = Error(ErrorKind::unreachable, "gone");
  world.engine.before_snapshot = [](const SnapshotRequest& request) {
    if (request.source.path == "/volumes/shop_web") throw Error(ErrorKind::failed, "broken");
  };
  world.engine.snapshot_takes = Milliseconds(0);
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(world.open_journals(), 1u);
}

}  // namespace
}  // namespace kopidocka::testing
