#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_world.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Which sources a backup read anew, whatever earlier snapshots say of their files.
struct Rereading : RunWorld {
  Rereading() {
    engine.before_snapshot = [this](const SnapshotRequest& request) {
      if (request.reread) anew.insert(request.source.path);
    };
  }

  std::set<std::string> backed_up(Consistency consistency = Consistency::stop) {
    anew.clear();
    auto wanted = unit();
    wanted.policy.consistency = consistency;
    EXPECT_EQ(run(plan_of(wanted)).result, RunResult::success);
    return anew;
  }

  /// The newest snapshot of the database's volume becomes another one.
  Snapshot& newest() {
    auto found = std::find_if(engine.snapshots.rbegin(), engine.snapshots.rend(), [](const auto& one) { return one.path == "/volumes/shop_db"; });
    return *found;
  }

  std::set<std::string> anew;
};

TEST(Previous, AColdCopyIsBuiltOnACold) {
  Rereading world;
  EXPECT_THAT(world.backed_up(), IsEmpty()) << "there is nothing to build on yet";
  EXPECT_THAT(world.backed_up(), IsEmpty());
}

TEST(Previous, WhatWasReadWhileWritersWereUpIsReadAnewOnce) {
  Rereading world;
  (void)world.backed_up(Consistency::none);
  EXPECT_THAT(world.backed_up(), ElementsAre("/volumes/shop_db", "/volumes/shop_web"));
  EXPECT_THAT(world.backed_up(), IsEmpty());
}

TEST(Previous, PausedContainersKeepTheirMappingsFromOnePauseToTheNext) {
  Rereading world;
  (void)world.backed_up();
  EXPECT_THAT(world.backed_up(Consistency::pause), IsEmpty());
  EXPECT_THAT(world.backed_up(Consistency::pause), ElementsAre("/volumes/shop_db", "/volumes/shop_web"));
}

TEST(Previous, ThePythonOriginalStopsItsContainersAndOfStrangersNothingIsKnown) {
  Rereading world;
  (void)world.backed_up();
  world.newest().tags.erase("kd_consistency");
  EXPECT_THAT(world.backed_up(), IsEmpty());
  world.newest().tags.clear();
  EXPECT_THAT(world.backed_up(), ElementsAre("/volumes/shop_db"));
}

TEST(Previous, WhatWasCutOffAfterTheNewestCompleteOneCountsToo) {
  Rereading world;
  (void)world.backed_up();
  auto left = world.newest();
  left.incomplete = "checkpoint";
  left.tags.clear();
  world.engine.snapshots.push_back(left);
  EXPECT_THAT(world.backed_up(), ElementsAre("/volumes/shop_db"));
  EXPECT_THAT(world.backed_up(), IsEmpty()) << "there is a newer complete one";
}

/// Another program saves the database's volume, hot, before the n-th look of the run into the repository.
void let_another_program_save(Rereading& world, int n) {
  auto looks = std::make_shared<int>(0);
  world.engine.before_list = [&world, looks, n] {
    if (++*looks != n) return;
    Snapshot other;
    other.id = "others";
    other.host = world.engine.host;
    other.path = "/volumes/shop_db";
    other.start_time = world.clock.now();
    world.engine.snapshots.push_back(other);
  };
}

TEST(Previous, WhatAnotherProgramSavesBeforeTheHoldIsNotBuiltOn) {
  Rereading world;
  (void)world.backed_up();
  let_another_program_save(world, 2);
  const auto report = world.run(world.plan_of(world.unit(), Scope::minimal, 2));
  EXPECT_EQ(report.result, RunResult::success) << (report.problems.empty() ? "" : report.problems.front());
  EXPECT_THAT(world.anew, ElementsAre("/volumes/shop_db")) << "it was opened anew";
}

TEST(Previous, WhatWasOpenedInTheHoldMayBeBuiltOnWhatAnotherProgramSavedMeanwhile) {
  Rereading world;
  (void)world.backed_up();
  let_another_program_save(world, 3);
  const auto report = world.run(world.plan_of(world.unit()));
  EXPECT_EQ(report.result, RunResult::failed);
  EXPECT_THAT(report.problems.front(), ::testing::HasSubstr("another program made snapshot others"));
  EXPECT_TRUE(world.docker.running(world.db));
  EXPECT_THAT(world.backed_up(), ElementsAre("/volumes/shop_db")) << "and the next run reads it anew";
}

}  // namespace
}  // namespace kopidocka::testing
