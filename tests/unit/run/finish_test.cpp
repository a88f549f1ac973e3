#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

#include "run/recovery.hpp"
#include "run_world.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> types_of(const RunReport& report) {
  std::vector<std::string> types;
  for (const auto& snapshot : report.snapshots) types.push_back(snapshot.type);
  return types;
}

TEST(Finish, AReportThatCannotBeSavedKeepsTheJournalOpenAndTheSnapshots) {
  RunWorld world;
  world.engine.unreadable["/volumes/shop_db"] = 1;
  std::filesystem::remove_all(world.folder / "reports");
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::partial);
  EXPECT_EQ(world.open_journals(), 1u);

  auto context = world.context();
  Recovery recovery(context);
  world.purge(recovery);
  EXPECT_EQ(world.open_journals(), 1u) << "nobody has its report yet";
  ASSERT_TRUE(world.reports.open());
  EXPECT_THAT(run_task(world.io, recovery.pay_debts({})).lost, IsEmpty());
  world.purge(recovery);
  EXPECT_EQ(world.open_journals(), 0u);
  EXPECT_EQ(world.engine.snapshots.size(), 2u);
  const auto saved = world.reports.find(report.backup_id);
  ASSERT_TRUE(saved.has_value());
  EXPECT_EQ(saved->result, RunResult::partial);
  EXPECT_EQ(saved->reason, "unreadable");
  EXPECT_EQ(saved->unit, "shop");
}

TEST(Finish, SnapshotsOfAFailedRunGoWhateverTheHostNameWas) {
  RunWorld world;
  world.engine.before_snapshot = [&](const SnapshotRequest& request) {
    if (request.source.path == "/volumes/shop_web") throw Error(ErrorKind::failed, "the disk is broken");
    world.engine.host = "another";
  };
  auto context = world.context();
  context.limits.workers = 1;
  (void)world.run(std::move(context), world.plan());
  world.engine.host = "here";
  EXPECT_THAT(world.engine.snapshots, IsEmpty());
}

TEST(Finish, AnObserverThatThrowsIsAProblemOfTheReportAndOfNobodyElse) {
  RunWorld world;
  world.observer.on_event = [](const RunEvent& event) {
    if (event.kind != RunEvent::Kind::finished) throw std::runtime_error("no more room on the screen");
  };
  const auto report = world.run();
  EXPECT_EQ(report.result, RunResult::success);
  EXPECT_THAT(report.problems, Contains(HasSubstr("no more room")));
  EXPECT_TRUE(world.docker.running(world.web));
}

TEST(Finish, WarningsOfTheUnitAreInTheReportAndChangeNoResult) {
  RunWorld world;
  auto unit = world.unit();
  unit.problems.push_back({Problem::Severity::warning, "label kopi-docka.verify", "has no effect yet"});
  const auto report = world.run(world.plan_of(unit));
  EXPECT_EQ(report.result, RunResult::success);
  EXPECT_THAT(report.problems, ElementsAre("label kopi-docka.verify: has no effect yet"));
}

TEST(Finish, TheHookAfterwardsIsToldTheResultAndTheDowntime) {
  for (const auto& [errors, word] : std::map<int, std::string>{{0, "success"}, {2, "partial"}}) {
    RunWorld world;
    world.engine.unreadable["/volumes/shop_db"] = errors;
    world.hook("post_backup", "echo \"$KOPI_DOCKA_RESULT $KOPI_DOCKA_DOWNTIME_SECONDS\" > " + (world.folder / "said").string());
    (void)world.run();
    const auto said = split(trim(read_file(world.folder / "said").value()), ' ');
    ASSERT_EQ(said.size(), 2u);
    EXPECT_EQ(said[0], word);
    EXPECT_GT(std::stod(said[1]), 0);
  }
}

TEST(Finish, NothingThatWasStagedStaysOnTheDisk) {
  for (const bool fails : {false, true}) {
    RunWorld world;
    bool was_there = false;
    const auto staged = world.folder / "cache" / "staging" / "recipes" / "shop";
    world.engine.before_snapshot = [&](const SnapshotRequest& request) {
      was_there = was_there || std::filesystem::exists(staged / "environment.json");
      if (fails && request.source.path == "/volumes/shop_db") throw Error(ErrorKind::failed, "the disk is broken");
    };
    (void)world.run(world.plan(Scope::standard));
    EXPECT_TRUE(was_there);
    EXPECT_FALSE(std::filesystem::exists(staged)) << "it holds passwords in clear";
  }
}

RunContext in_container(RunWorld& world, const std::vector<std::pair<std::string, std::string>>& mounts) {
  Container self;
  for (const auto& [source, destination] : mounts) {
    Mount mount;
    mount.type = "bind";
    mount.source = source;
    mount.destination = destination;
    self.mounts.push_back(mount);
  }
  auto context = world.context();
  context.surroundings.paths = HostPaths::in_container(self);
  return context;
}

TEST(DockerConfig, OutOfSightMakesTheRunPartialAndSaysWhatToMount) {
  RunWorld world;
  const auto report = world.run(in_container(world, {}), world.plan(Scope::full));
  EXPECT_EQ(report.result, RunResult::partial);
  EXPECT_EQ(report.reason, "recipe");
  EXPECT_THAT(types_of(report), Not(Contains("docker_config")));
  EXPECT_THAT(report.problems, Contains(HasSubstr("'/etc/docker:/etc/docker:ro'")));
  EXPECT_THAT(report.problems, Contains(HasSubstr("'/etc/systemd/system:/etc/systemd/system:ro'")));
}

TEST(DockerConfig, IsReadWhereTheHostsFoldersAreMounted) {
  RunWorld world;
  const auto docker = world.folder / "host-docker", units = world.folder / "host-units";
  std::filesystem::create_directories(docker);
  std::filesystem::create_directories(units);
  const std::vector<std::pair<std::string, std::string>> mounts = {{"/etc/docker", docker.string()}, {"/etc/systemd/system", units.string()}};
  const auto without = world.run(in_container(world, mounts), world.plan(Scope::full));
  EXPECT_EQ(without.result, RunResult::success) << without.problems.front();
  EXPECT_THAT(types_of(without), Not(Contains("docker_config"))) << "an empty snapshot is no backup";

  std::ofstream(docker / "daemon.json") << "{}";
  std::string saved;
  world.engine.before_snapshot = [&](const SnapshotRequest& request) {
    if (auto content = read_file(request.source.local_path + "/daemon.json")) saved = *content;
  };
  const auto with = world.run(in_container(world, mounts), world.plan(Scope::full));
  EXPECT_EQ(with.result, RunResult::success);
  EXPECT_THAT(types_of(with), Contains("docker_config"));
  EXPECT_EQ(saved, "{}");
}

/// A worker that works until a file says that it is broken.
class BrokenWorker : public ::testing::Test {
 protected:
  BrokenWorker() : script(std::filesystem::temp_directory_path() / ("kd-worker-" + make_uuid())) {
    std::ofstream(script) << "#!/bin/sh\n[ -e \"$0.broken\" ] && exit 1\nexec " << KOPIDOCKA_BINARY << " \"$@\"\n";
    std::filesystem::permissions(script, std::filesystem::perms(0755));
  }
  ~BrokenWorker() override {
    std::filesystem::remove(script);
    std::filesystem::remove(broken());
  }
  std::string broken() const { return script.string() + ".broken"; }

  std::filesystem::path script;
};

Plan restore_plan(const RunWorld& world) {
  Plan plan;
  plan.kind = RunKind::restore;
  plan.unit.name = "shop";
  plan.run = make_uuid();
  RestoreTarget target;
  target.name = "shop_db";
  target.local_path = (world.folder / "data").string();
  auto missing = target;
  missing.local_path = (world.folder / "never-staged").string();
  const auto stage = plan.add({Phase::prepare, StageRestore{target}, {}, OnFailure::abort, false});
  const auto swap = plan.add({Phase::hold, SwapData{target}, {stage}, OnFailure::abort, false});
  const auto fails = plan.add({Phase::hold, SwapData{missing}, {swap}, OnFailure::abort, false});
  plan.add({Phase::hold, RevertOnAbort{}, {fails}, OnFailure::abort, true});
  return plan;
}

TEST_F(BrokenWorker, OldDataThatCouldNotBePutBackKeepsTheJournalOpenUntilItIs) {
  RunWorld world(script.string());
  std::filesystem::create_directories(world.folder / "data");
  std::ofstream(world.folder / "data" / "value") << "old";
  world.on_record = [&](const JournalRecord& record) {
    if (record.type == JournalRecord::Type::swapped) std::ofstream(broken()) << "x";
  };
  const auto report = world.run(restore_plan(world));
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_FALSE(std::filesystem::exists(world.folder / "data" / "value"));
  EXPECT_EQ(world.open_journals(), 1u) << "no container is down, and yet something is owed";

  auto context = world.context();
  Recovery recovery(context);
  EXPECT_THAT(run_task(world.io, recovery.pay_debts({})).blocked_units, Contains("shop"));
  world.purge(recovery);
  EXPECT_EQ(world.open_journals(), 1u);
  std::filesystem::remove(broken());
  EXPECT_THAT(run_task(world.io, recovery.pay_debts({})).problems, IsEmpty());
  world.purge(recovery);
  EXPECT_EQ(world.open_journals(), 0u);
  EXPECT_EQ(read_file(world.folder / "data" / "value").value(), "old");
}

}  // namespace
}  // namespace kopidocka::testing
