#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "plan/restore_plan.hpp"
#include "run_world.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// Restores one file, "new", wherever it is asked to.
class RestoringEngine : public FakeEngine {
 public:
  Task<> restore(RestoreRequest request, Cancel) override {
    ++restored;
    std::ofstream(request.target + "/new") << "from the backup";
    if (after_restore) after_restore(request);
    co_return;
  }
  int restored = 0;
  std::function<void(const RestoreRequest&)> after_restore;
};

/// Tells when a step begins.
class StepWatch : public RunObserver {
 public:
  void on_run_event(const RunEvent& event) override {
    if (event.kind == RunEvent::Kind::step_started && on_step) on_step(event.text);
  }
  std::function<void(const std::string&)> on_step;
};

/// A point of the unit with both volumes, whose present data is one file, "old".
struct RestoreWorld : RunWorld {
  RestoreWorld() {
    point.unit = "shop";
    point.backup_id = "backup-1";
    for (const std::string name : {"shop_db", "shop_web"}) {
      fs::create_directories(folder / name);
      std::ofstream(folder / name / "old") << "present";
      Volume volume;
      volume.name = name;
      volume.driver = "local";
      volume.mountpoint = (folder / name).string();
      volumes.push_back(volume);
      PointMember member;
      member.type = SnapshotType::volume;
      member.name = name;
      member.snapshot.id = "id-" + name;
      member.snapshot.tags["type"] = "volume";
      member.snapshot.bytes = 100;
      point.members.push_back(member);
    }
  }

  RunReport restore(const std::string& to_folder = {}, Cancel cancel = {}) {
    RestoreOptions options;
    options.run = make_uuid();
    options.to_folder = to_folder;
    options.default_grace = 1;
    const auto paths = HostPaths::on_host();
    const RestoreSite site{paths, volumes, {}, ""};
    auto plan = make_restore_plan(point, unit(), options, site);
    if (!plan) throw plan.error();
    RunContext all{docker, restoring, worker, journal, reports, clock, {}, folder / "cache", folder / "hooks", "engine-1", "0", true, "", "", {&steps}};
    all.limits.workers = 2;
    all.limits.start_retry = Milliseconds(3'000);
    Runner runner(std::move(all));
    return run_task(io, runner.carry_out(*plan, cancel));
  }

  std::string data(const std::string& volume) const {
    std::string names;
    for (const auto& entry : fs::directory_iterator(folder / volume)) names += entry.path().filename().string() + " ";
    return names;
  }
  bool all_up() { return docker.running(db) && docker.running(web); }

  RestorePoint point;
  std::vector<Volume> volumes;
  RestoringEngine restoring;
  StepWatch steps;
};

std::string first_problem(const RunReport& report) { return report.problems.empty() ? std::string() : report.problems.front(); }

TEST(RestoreRun, ReplacesTheDataAndStartsTheUnit) {
  RestoreWorld world;
  const auto report = world.restore();
  EXPECT_EQ(report.result, RunResult::success) << first_problem(report);
  EXPECT_EQ(world.data("shop_db"), "new ");
  EXPECT_EQ(world.data("shop_web"), "new ");
  EXPECT_TRUE(world.all_up());
  EXPECT_EQ(world.open_journals(), 0u);
}

TEST(RestoreRun, CancelledInItsLastSwapPutsTheOldDataBackAndSaysSo) {
  RestoreWorld world;
  Cancel cancel;
  world.steps.on_step = [&](const std::string& step) {
    if (step.rfind("put shop_web into place", 0) == 0) cancel.request(CancelGrade::finish_step);
  };
  const auto report = world.restore({}, cancel);
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(report.reason, "cancelled");
  EXPECT_EQ(world.data("shop_db"), "old ");
  EXPECT_EQ(world.data("shop_web"), "old ");
  EXPECT_TRUE(world.all_up());
}

TEST(RestoreRun, IntoAFolderNeverTouchesDataThatIsThereAlready) {
  RestoreWorld world;
  fs::create_directories(world.folder / "out" / "volumes" / "shop_web");
  std::ofstream(world.folder / "out" / "volumes" / "shop_web" / "mine") << "precious";
  const auto report = world.restore((world.folder / "out").string());
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_THAT(first_problem(report), HasSubstr("out/volumes/shop_web holds data already"));
  EXPECT_EQ(world.restoring.restored, 0);
  EXPECT_EQ(world.data("out/volumes/shop_web"), "mine ");
  EXPECT_EQ(world.data("out/volumes"), "shop_web ");
}

TEST(RestoreRun, IntoAFolderLeavesWhatCameThereWhileItWasAtWork) {
  RestoreWorld world;
  world.restoring.after_restore = [&](const RestoreRequest&) {
    fs::create_directories(world.folder / "out" / "volumes" / "shop_web");
    std::ofstream(world.folder / "out" / "volumes" / "shop_web" / "mine") << "precious";
  };
  const auto report = world.restore((world.folder / "out").string());
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_EQ(world.data("out/volumes/shop_web"), "mine ");
  EXPECT_EQ(world.data("out/volumes"), "shop_web ");
}

TEST(RestoreRun, IntoANewOrAnEmptyFolderSucceeds) {
  RestoreWorld world;
  fs::create_directories(world.folder / "out" / "volumes" / "shop_web");
  const auto report = world.restore((world.folder / "out").string());
  EXPECT_EQ(report.result, RunResult::success) << first_problem(report);
  EXPECT_EQ(world.data("out/volumes/shop_web"), "new ");
  EXPECT_EQ(world.data("shop_web"), "old ") << "the unit's own data is not touched";
}

TEST(RestoreRun, WithoutRoomForTheNewDataNothingIsWritten) {
  RestoreWorld world;
  world.point.members[0].snapshot.bytes = std::uint64_t(1) << 60;
  const auto report = world.restore();
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_THAT(first_problem(report), HasSubstr("no room for the new data of shop_db, shop_web"));
  EXPECT_EQ(world.restoring.restored, 0);
  EXPECT_EQ(world.data("shop_db"), "old ");
  EXPECT_TRUE(world.all_up());
}

TEST(RestoreRun, WithoutTheFolderOfItsPlaceNothingIsWritten) {
  RestoreWorld world;
  world.volumes[0].mountpoint = (world.folder / "not-mounted" / "data").string();
  const auto report = world.restore();
  EXPECT_EQ(report.result, RunResult::skipped);
  EXPECT_THAT(first_problem(report), HasSubstr("not-mounted/data does not exist"));
  EXPECT_EQ(world.restoring.restored, 0);
}

TEST(RestoreRun, HolesOfThePresentDataAreExpectedInTheNewAsWell) {
  RestoreWorld world;
  const auto much = fs::space(world.folder).capacity;
  std::ofstream(world.folder / "shop_db" / "sparse") << "";
  fs::resize_file(world.folder / "shop_db" / "sparse", much);
  world.point.members[0].snapshot.bytes = much;
  const auto report = world.restore();
  EXPECT_EQ(report.result, RunResult::success) << first_problem(report);
}

}  // namespace
}  // namespace kopidocka::testing
