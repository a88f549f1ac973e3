#include "daemon/assembly.hpp"

#include <gmock/gmock.h>

#include "daemon_world.hpp"

namespace kopidocka {
namespace {

using namespace testing;
using ::testing::HasSubstr;

template <class T>
Error error_of(DaemonWorld& world, Task<T> task) {
  try {
    (void)run_task(world.io, std::move(task));
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "no error was thrown"};
}

/// Where the repository is gone although it was pinned.
struct LostRepository : DaemonWorld {
  LostRepository() {
    meet();
    (void)assembly.state.pin_repository(assembly.settings.repository, "id-of-old").value();
    (void)run_task(io, probe_once());
    engine->probe_error = Error(ErrorKind::not_found, "there is no repository");
  }
  Task<int> probe_once() {
    // Brings the engine up to the pin, so that the next call does not make another one.
    try {
      (void)co_await assembly.open_repository(Cancel());
    } catch (const Error&) {
    }
    co_return 0;
  }
};

TEST(Assembly, InitMakesNoSecondRepositoryInPlaceOfAPinnedOneThatIsGone) {
  LostRepository world;
  const auto error = error_of(world, world.assembly.init_repository(Cancel()));
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.what(), HasSubstr((world.folder / "state" / "identity.json").string()));
  EXPECT_EQ(world.engine->created, 0);
  EXPECT_EQ(world.assembly.state.pinned_repository(world.assembly.settings.repository).value(), "id-of-old");
}

TEST(Assembly, InitMakesAnewOneOnceThePinIsRemovedWithoutARestart) {
  LostRepository world;
  std::filesystem::remove(world.folder / "state" / "identity.json");
  const auto opened = run_task(world.io, world.assembly.init_repository(Cancel()));
  EXPECT_TRUE(opened.created);
  EXPECT_EQ(world.made.back().pinned_id, world.assembly.state.pinned_repository(world.assembly.settings.repository).value());
}

TEST(Assembly, OpeningALostRepositoryNamesThePin) {
  LostRepository world;
  const auto error = error_of(world, world.assembly.open_repository(Cancel()));
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.what(), HasSubstr("identity.json"));
  EXPECT_EQ(world.engine->created, 0);
}

TEST(Assembly, AnotherRepositoryInTheSamePlaceIsRefusedAndThePinStays) {
  DaemonWorld world;
  world.meet();
  (void)world.assembly.state.pin_repository(world.assembly.settings.repository, "id-of-old").value();
  const auto error = error_of(world, world.assembly.open_repository(Cancel()));
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.what(), HasSubstr("identity.json"));
  EXPECT_EQ(world.assembly.state.pinned_repository(world.assembly.settings.repository).value(), "id-of-old");
}

TEST(Assembly, AfterTheFirstContactTheEngineIsHeldToThePinWithoutARestart) {
  DaemonWorld world;
  world.meet();
  EXPECT_EQ(world.made.back().pinned_id, "");
  (void)run_task(world.io, world.assembly.open_repository(Cancel()));
  EXPECT_EQ(world.made.back().pinned_id, "fake-repository");
}

Task<> snapshot_with(SnapshotEngine& engine) {
  SnapshotRequest request;
  request.source.path = "/data";
  (void)co_await engine.snapshot(request, Cancel());
}

Task<> init_meanwhile(Assembly& assembly) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(snapshot_with(*assembly.engine));
  co_await sleep_for(Milliseconds(5));
  (void)co_await assembly.init_repository(Cancel());
  co_await group.join();
}

TEST(Assembly, AnEngineThatIsReplacedLivesOnForThoseWhoAreInIt) {
  DaemonWorld world;
  world.assembly.settings.password = Secret();
  world.meet();
  auto* first = world.engine;
  first->snapshot_takes = Milliseconds(50);
  run_task(world.io, init_meanwhile(world.assembly));
  EXPECT_NE(world.engine, first);
  EXPECT_EQ(first->snapshots.size(), 1u);
  EXPECT_EQ(world.made.back().password.reveal(), world.assembly.state.stored_password().value()->reveal());
}

/// In a container that the engine does not know, because DOCKER_HOST names another one.
struct ForeignEngine : DaemonWorld {
  ForeignEngine() {
    assembly.in_container = true;
    const std::string id(64, 'c');
    mounts = "600 500 0:50 / / rw - overlay overlay rw\n"
             "601 600 8:1 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n";
  }
  void meet() {
    assembly.mountinfo = mounts;
    DaemonWorld::meet();
  }
  std::string mounts;
};

TEST(Assembly, AStateFolderThatIsNoMountIsRefusedAlsoWhenTheEngineDoesNotKnowOurContainer) {
  ForeignEngine world;
  world.meet();
  EXPECT_THAT(world.assembly.state_problem, HasSubstr("is not a mount"));
  EXPECT_THAT(world.assembly.repository_problem, HasSubstr("is not a mount"));
  EXPECT_TRUE(world.assembly.surroundings.own_container_id.empty());
}

TEST(Assembly, OnMountsOfItsOwnItMayWorkAlsoWhenTheEngineDoesNotKnowOurContainer) {
  ForeignEngine world;
  world.mounts += "602 600 8:1 /srv/kd " + world.folder.string() + " rw - ext4 /dev/sda1 rw\n";
  world.meet();
  EXPECT_EQ(world.assembly.state_problem, "");
  EXPECT_EQ(world.assembly.repository_problem, "");
}

TEST(Assembly, TheDefaultRepositoryIsThatOfAContainerAlsoWhenTheEngineDoesNotKnowIt) {
  ForeignEngine world;
  world.assembly.settings.repository = default_repository(true);
  world.meet();
  world.engine->probe_error = Error(ErrorKind::not_found, "there is no repository");
  const auto error = error_of(world, world.assembly.open_repository(Cancel()));
  EXPECT_EQ(error.kind(), ErrorKind::refused) << error.what();
  EXPECT_THAT(error.what(), HasSubstr("is not a mount")) << "the default one, in a place that would be lost";
}

TEST(Assembly, ASidecarWhoseLabelPrefixWasChangedStillKnowsItself) {
  DaemonWorld world(Environment{{"KOPI_DOCKA_LABEL_PREFIX", "backup"}});
  Container self;
  self.name = "kopi-docka";
  self.labels["kopi-docka.role"] = "sidecar";
  const auto id = world.docker->add(self);
  world.assembly.in_container = true;
  world.assembly.mountinfo = "601 600 8:1 /var/lib/docker/containers/" + id + "/hostname /etc/hostname rw - ext4 /dev/sda1 rw\n";
  EXPECT_NO_THROW(world.meet());
  EXPECT_EQ(world.assembly.surroundings.own_container_id, id);
}

TEST(Assembly, MeetingTheSurroundingsAgainAddsNothingTwice) {
  DaemonWorld world;
  world.meet();
  const auto paths = world.assembly.surroundings.own_paths;
  world.meet();
  EXPECT_EQ(world.assembly.surroundings.own_paths, paths);
}

}  // namespace
}  // namespace kopidocka
