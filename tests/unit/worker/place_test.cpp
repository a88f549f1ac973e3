#include "worker/place.hpp"

#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/error.hpp"
#include "unit/worker/trees.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;
using test::image_of;
using test::make_tree;
using test::Playground;

constexpr auto kRun = "0d7c8f3e-run";

Place prepare(const std::string& target, bool single_file = false, const std::string& scratch = {}) {
  return prepare_place({.target = target, .host_path = {}, .run_id = kRun, .single_file = single_file, .scratch = scratch, .make_parents = false});
}

/// The engine's part: fills the staging folder.
void restore_into(const Place& place, const std::string& flavour, int entries = 12) { make_tree(place.staging, flavour, entries); }

ErrorKind kind_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_FALSE(error.message().empty());
    return error.kind();
  }
  ADD_FAILURE() << "no error";
  return ErrorKind::internal;
}

std::vector<std::string> leftovers(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(".kopi-docka-")) names.push_back(name);
  }
  return names;
}

/// The same life of a restore must hold for both ways of replacing a folder.
class FolderPlace : public testing::TestWithParam<PlaceMode> {
 protected:
  Place prepared(const std::string& target) {
    if (GetParam() == PlaceMode::rename) return prepare(target);
    // The way inside is chosen for mount points only; its steps need none.
    Place place{.mode = PlaceMode::inside, .target = target, .run_id = kRun, .staging = {}, .scratch = {}, .single_file = false};
    place.staging = target + "/.kopi-docka-" + kRun + "/new";
    struct stat info{};
    ::stat(target.c_str(), &info);
    fs::create_directories(place.staging);
    fs::create_directory(target + "/.kopi-docka-" + kRun + "/old");
    const timespec times[2] = {info.st_atim, info.st_mtim};
    ::utimensat(AT_FDCWD, target.c_str(), times, 0);
    return place;
  }
  Playground ground{test::Medium::memory};
};

INSTANTIATE_TEST_SUITE_P(Modes, FolderPlace, testing::Values(PlaceMode::rename, PlaceMode::inside),
                         [](const auto& info) { return std::string(to_string(info.param)); });

TEST_P(FolderPlace, HoldsTheNewDataAfterSwapInAndTheOldAfterSwapBack) {
  const auto target = ground / "data";
  make_tree(target, "old", 12);
  const auto original = image_of(target);
  const auto place = prepared(target);
  EXPECT_EQ(image_of(target), original) << "preparing changes nothing, not even a time";
  restore_into(place, "fresh");
  const auto restored = image_of(place.staging);
  EXPECT_FALSE(state_of(place).touched);

  auto state = swap_in(place);
  EXPECT_TRUE(state.swapped && state.touched && state.aside && !state.staged);
  EXPECT_EQ(image_of(target), restored);
  EXPECT_TRUE(swap_in(place).swapped) << "again is well";
  EXPECT_EQ(image_of(target), restored);

  state = swap_back(place);
  EXPECT_TRUE(!state.swapped && !state.touched && state.staged);
  EXPECT_EQ(image_of(target), original);
  swap_back(place);
  EXPECT_EQ(image_of(target), original);

  swap_in(place);
  EXPECT_EQ(image_of(target), restored) << "and forth once more";
}

TEST_P(FolderPlace, LeavesNothingBehindWhenItIsDiscarded) {
  const auto target = ground / "data";
  make_tree(target, "old", 12);
  const auto place = prepared(target);
  restore_into(place, "fresh");
  const auto restored = image_of(place.staging);
  swap_in(place);
  const auto state = discard(place, Discard::both);
  EXPECT_TRUE(!state.aside && !state.staged && !state.touched);
  EXPECT_EQ(image_of(target), restored);
  EXPECT_TRUE(leftovers(target).empty());
  EXPECT_TRUE(leftovers(ground.root()).empty());
  discard(place, Discard::both);
  swap_back(place);
  EXPECT_EQ(image_of(target), restored) << "what was discarded cannot come back";
}

TEST_P(FolderPlace, CanBeGivenUpBeforeTheSwap) {
  const auto target = ground / "data";
  make_tree(target, "old", 12);
  const auto original = image_of(target);
  const auto place = prepared(target);
  restore_into(place, "fresh");
  discard(place, Discard::aside);
  EXPECT_TRUE(state_of(place).staged) << "nothing aside yet: nothing to discard";
  discard(place, Discard::both);
  EXPECT_EQ(image_of(target), original);
  EXPECT_TRUE(leftovers(target).empty());
  EXPECT_TRUE(leftovers(ground.root()).empty());
  EXPECT_EQ(kind_of([&] { swap_in(place); }), ErrorKind::failed);
  EXPECT_EQ(image_of(target), original);
}

TEST_P(FolderPlace, AnEmptySnapshotLeavesAnEmptyFolder) {
  const auto target = ground / "data";
  make_tree(target, "old", 12);
  const auto original = image_of(target);
  const auto place = prepared(target);
  swap_in(place);
  EXPECT_EQ(image_of(target).size(), 1u);
  discard(place, Discard::staged);
  swap_back(place);
  EXPECT_EQ(image_of(target), original);
}

TEST_P(FolderPlace, KeepsWhatTheApplicationWroteMeanwhileWhenSwappedBack) {
  const auto target = ground / "data";
  make_tree(target, "old", 12);
  const auto original = image_of(target);
  const auto place = prepared(target);
  restore_into(place, "fresh");
  swap_in(place);
  test::write(target + "/written-later", "x");
  swap_back(place);
  EXPECT_EQ(image_of(target), original);
  EXPECT_TRUE(fs::exists(place.staging + "/written-later"));
}

TEST_P(FolderPlace, DoesNotDiscardTheOnlyCopy) {
  const auto target = ground / "data";
  make_tree(target, "old", 12);
  const auto original = image_of(target);
  int kept = 0;
  for (int stop = 1;; ++stop) {
    const auto place = prepared(target);
    restore_into(place, "fresh");
    const auto killed = test::killed_at(stop, [&] { swap_in(place); });
    if (!killed) GTEST_SKIP() << "tracing is not permitted";
    if (!*killed) break;
    const auto state = state_of(place);
    if (state.touched && !state.swapped) {
      ++kept;
      EXPECT_EQ(kind_of([&] { discard(place, Discard::both); }), ErrorKind::refused);
      EXPECT_EQ(kind_of([&] { discard(place, Discard::aside); }), ErrorKind::refused);
    }
    swap_back(place);
    EXPECT_EQ(image_of(target), original) << stop;
    discard(place, Discard::both);
    ASSERT_EQ(image_of(target), original) << stop;
  }
  EXPECT_GT(kept, 0);
}

TEST_P(FolderPlace, ComesBackFromAKillBeforeEveryChange) {
  const auto target = ground / "data";
  make_tree(target, "old", 7);
  const auto original = image_of(target);
  int stops = 0;
  for (int stop = 1;; ++stop) {
    const auto place = prepared(target);
    restore_into(place, "fresh", 7);
    const auto restored = image_of(place.staging);
    const auto killed = test::killed_at(stop, [&] { swap_in(place); });
    if (!killed) GTEST_SKIP() << "tracing is not permitted";
    if (!*killed) break;
    ++stops;
    if (stop % 2 == 0) {
      swap_in(place);
      ASSERT_EQ(image_of(target), restored) << "completed after a kill at " << stop;
    }
    // The way back is killed as well, somewhere else each time.
    ASSERT_TRUE(test::killed_at(1 + stop * 7 % 40, [&] { swap_back(place); }).has_value());
    if (stop % 3 == 0) {
      swap_in(place);
      ASSERT_EQ(image_of(target), restored) << "completed after a kill on the way back, " << stop;
    }
    swap_back(place);
    ASSERT_EQ(image_of(target), original) << "back after a kill at " << stop;
    discard(place, Discard::both);
    ASSERT_EQ(image_of(target), original);
    ASSERT_TRUE(leftovers(ground.root()).empty());
  }
  EXPECT_GT(stops, GetParam() == PlaceMode::rename ? 1 : 20);
}

TEST_P(FolderPlace, DiscardCanBeKilledAnywhereWithoutLosingTheNewData) {
  const auto target = ground / "data";
  int stops = 0;
  for (int stop = 1;; ++stop) {
    fs::remove_all(target);
    make_tree(target, "old", 7);
    const auto place = prepared(target);
    restore_into(place, "fresh", 7);
    const auto restored = image_of(place.staging);
    swap_in(place);
    const auto killed = test::killed_at(stop, [&] { discard(place, Discard::both); });
    if (!killed) GTEST_SKIP() << "tracing is not permitted";
    if (!*killed) break;
    ++stops;
    auto now = image_of(target);
    // The root's time is put right by the second call when the first was killed just before.
    now[""] = restored.at("");
    ASSERT_EQ(now, restored) << stop;
    const auto state = state_of(place);
    EXPECT_EQ(state.touched, state.swapped) << "half a discarded original is never taken for the original, " << stop;
    discard(place, Discard::both);
    ASSERT_TRUE(leftovers(target).empty()) << stop;
    ASSERT_TRUE(leftovers(ground.root()).empty()) << stop;
  }
  EXPECT_GT(stops, 5);
}

TEST_P(FolderPlace, ThreeHundredEntriesSurviveKillsAtRandomPoints) {
  const auto target = ground / "data";
  make_tree(target, "old", 300);
  const auto original = image_of(target);
  unsigned random = 12345;
  int killed_count = 0;
  const auto place = prepared(target);
  restore_into(place, "fresh", 300);
  const auto restored = image_of(place.staging);
  for (int round = 0; round < 12; ++round) {
    random = random * 1103515245 + 12345;
    const auto killed = test::killed_at(1 + static_cast<int>((random >> 8) % 620), [&] { swap_in(place); });
    if (!killed) GTEST_SKIP() << "tracing is not permitted";
    killed_count += *killed ? 1 : 0;
    if (round % 2 == 0) {
      swap_in(place);
      ASSERT_EQ(image_of(target), restored) << round;
    }
    swap_back(place);
    ASSERT_EQ(image_of(target), original) << round;
  }
  if (GetParam() == PlaceMode::inside) {
    EXPECT_GT(killed_count, 2);
  }
}

TEST_P(FolderPlace, NeverFollowsALinkOutOfTheTree) {
  const auto outside = ground / "outside";
  make_tree(outside, "precious", 5);
  const auto untouched = image_of(outside);
  const auto target = ground / "data";
  fs::create_directory(target);
  fs::create_directory_symlink(outside, target + "/link");
  const auto place = prepared(target);
  fs::create_directory_symlink(outside, place.staging + "/link");
  fs::create_directory_symlink(outside, place.staging + "/other");
  swap_in(place);
  swap_back(place);
  swap_in(place);
  discard(place, Discard::both);
  EXPECT_EQ(image_of(outside), untouched);
  EXPECT_TRUE(fs::is_symlink(target + "/other"));
}

class RenamePlace : public testing::Test {
 protected:
  Playground ground;
};

TEST_F(RenamePlace, BringsBackATargetThatIsGoneWithItsFolders) {
  const auto target = ground / "gone/deeper/data";
  EXPECT_FALSE(fs::exists(fs::path(prepare(target).staging).parent_path())) << "folders are made only when asked for";
  EXPECT_FALSE(fs::exists(ground / "gone"));
  const auto place = prepare_place({.target = target, .host_path = {}, .run_id = kRun, .single_file = false, .scratch = {}, .make_parents = true});
  EXPECT_EQ(place.mode, PlaceMode::rename);
  restore_into(place, "fresh");
  const auto restored = image_of(place.staging);
  EXPECT_TRUE(swap_in(place).swapped);
  EXPECT_EQ(image_of(target), restored);
  swap_back(place);
  EXPECT_FALSE(fs::exists(target)) << "back means: gone again";
  swap_in(place);
  discard(place, Discard::both);
  EXPECT_EQ(image_of(target), restored);
  EXPECT_TRUE(leftovers(ground / "gone/deeper").empty());
}

TEST_F(RenamePlace, ReplacesASingleFileWithItsMetadata) {
  test::write(ground / "app.conf", "old", 0600);
  const auto original = image_of(ground / "app.conf");
  const auto place = prepare(ground / "app.conf", true);
  EXPECT_FALSE(fs::exists(place.staging)) << "the engine makes the file";
  test::write(place.staging, "new", 0644);
  swap_in(place);
  EXPECT_EQ(test::read(ground / "app.conf"), "new");
  swap_back(place);
  EXPECT_EQ(image_of(ground / "app.conf"), original);
}

TEST_F(RenamePlace, RefusesAStagedThingOfTheWrongKind) {
  make_tree(ground / "data", "old", 3);
  const auto original = image_of(ground / "data");
  const auto place = prepare(ground / "data");
  fs::remove(place.staging);
  fs::create_directory_symlink("/", place.staging);
  EXPECT_EQ(kind_of([&] { swap_in(place); }), ErrorKind::refused);
  EXPECT_EQ(image_of(ground / "data"), original);
}

TEST_F(RenamePlace, SetsAsideWhatSomebodyPutInTheWay) {
  make_tree(ground / "data", "old", 3);
  const auto original = image_of(ground / "data");
  const auto place = prepare(ground / "data");
  restore_into(place, "fresh", 3);
  // As if killed between the two renames, and the engine made the missing folder anew.
  fs::rename(ground / "data", ground / (std::string(".kopi-docka-") + kRun + ".data.old"));
  fs::create_directory(ground / "data");
  EXPECT_TRUE(swap_in(place).swapped) << "an empty folder is no obstacle";
  EXPECT_TRUE(state_of(place).strangers.empty());

  swap_back(place);
  fs::rename(ground / "data", ground / (std::string(".kopi-docka-") + kRun + ".data.old"));
  fs::create_directory(ground / "data");
  test::write(ground / "data/theirs", "x");
  swap_back(place);
  EXPECT_EQ(image_of(ground / "data"), original);
  discard(place, Discard::both);
  const auto strangers = state_of(place).strangers;
  ASSERT_EQ(strangers.size(), 1u);
  EXPECT_EQ(test::read(strangers[0] + "/theirs"), "x") << "never removed by us";
}

TEST_F(RenamePlace, TwoTargetsInOneFolderDoNotMeet) {
  make_tree(ground / "a", "one", 3);
  make_tree(ground / "b", "three", 3);
  const auto first = prepare(ground / "a"), second = prepare(ground / "b");
  EXPECT_NE(first.staging, second.staging);
  const std::string long_a(250, 'n'), long_b = std::string(249, 'n') + "m";
  EXPECT_NE(prepare(ground / long_a).staging, prepare(ground / long_b).staging);
}

TEST_F(RenamePlace, IsNotPreparedAgainOnceItHasBegun) {
  make_tree(ground / "data", "old", 3);
  const auto place = prepare(ground / "data");
  EXPECT_EQ(prepare(ground / "data").staging, place.staging);
  swap_in(place);
  EXPECT_EQ(kind_of([&] { prepare(ground / "data"); }), ErrorKind::busy);
}

TEST_F(RenamePlace, RemovesTreesOfAnyDepth) {
  make_tree(ground / "data", "old", 3);
  const auto place = prepare(ground / "data");
  const auto before = fs::current_path();
  fs::current_path(place.staging);
  for (int depth = 0; depth < 1500; ++depth) {
    std::ofstream("file") << "x";
    fs::create_directory("folder");
    fs::current_path("folder");
  }
  fs::current_path(before);
  discard(place, Discard::staged);
  EXPECT_FALSE(fs::exists(place.staging));
  EXPECT_TRUE(leftovers(ground.root()).empty());
}

TEST(PreparePlace, RefusesPathsOfTheHost) {
  for (const auto* target : {"/", "//", "/.", "/etc", "/etc/nginx", "/usr/share/x", "/var", "/var/lib", "/var/lib/docker",
                             "/var/lib/docker/overlay2/x", "/var/lib/docker/volumes", "/proc/self", "/dev/sda", "/home", "/run/x",
                             "relative", "", "/srv/../etc", "/srv/x/.."}) {
    EXPECT_EQ(kind_of([&] { prepare(target); }), ErrorKind::refused) << target;
  }
  Playground ground;
  EXPECT_EQ(kind_of([&] {
              prepare_place({.target = ground / "x", .host_path = "/etc/ssl", .run_id = kRun, .single_file = false, .scratch = {}, .make_parents = false});
            }),
            ErrorKind::refused);
}

TEST(PreparePlace, RefusesIdsThatAreNoIds) {
  Playground ground;
  for (const auto& id : {std::string(), std::string("a/b"), std::string(".."), std::string("a b"), std::string(65, 'a')}) {
    EXPECT_EQ(kind_of([&] {
                prepare_place({.target = ground / "x", .host_path = {}, .run_id = id, .single_file = false, .scratch = {}, .make_parents = false});
              }),
              ErrorKind::refused);
  }
}

TEST(PreparePlace, RefusesATargetThatIsALink) {
  Playground ground;
  fs::create_directory(ground / "real");
  fs::create_directory_symlink("real", ground / "data");
  EXPECT_EQ(kind_of([&] { prepare(ground / "data"); }), ErrorKind::refused);
}

TEST(PreparePlace, FollowsOnlyLinksThatNobodyElseCanHaveMade) {
  Playground ground;
  fs::create_directories(ground / "real/inner");
  fs::create_directory_symlink("real", ground / "trusted");
  EXPECT_EQ(prepare(ground / "trusted/inner").target, ground / "real/inner");
  fs::create_directory(ground / "shared");
  fs::permissions(ground / "shared", fs::perms(01777));
  fs::create_directory_symlink("../real", ground / "shared/planted");
  EXPECT_EQ(kind_of([&] { prepare(ground / "shared/planted/inner"); }), ErrorKind::refused);
  if (::geteuid() != 0) return;
  ASSERT_EQ(::lchown((ground / "trusted").c_str(), 1000, 1000), 0);
  EXPECT_EQ(kind_of([&] { prepare(ground / "trusted/inner"); }), ErrorKind::refused);
}

TEST(InsidePlace, RefusesAPlantedLinkInPlaceOfItsFolder) {
  Playground ground;
  make_tree(ground / "outside", "precious", 4);
  const auto untouched = image_of(ground / "outside");
  fs::create_directory(ground / "data");
  fs::create_directory_symlink(ground / "outside", ground / (std::string("data/.kopi-docka-") + kRun));
  const Place place{.mode = PlaceMode::inside, .target = ground / "data", .run_id = kRun, .staging = {}, .scratch = {}, .single_file = false};
  for (const auto what : {0, 1, 2}) {
    EXPECT_THROW(what == 0 ? swap_in(place) : what == 1 ? swap_back(place) : discard(place, Discard::both), Error);
  }
  EXPECT_EQ(image_of(ground / "outside"), untouched);
}

/// With real mounts, in a mount namespace of our own.
class MountedPlace : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::own_mounts()) GTEST_SKIP() << "mounting is not permitted";
  }
  void TearDown() override {
    for (const auto& mount : mounts) ::umount2(mount.c_str(), MNT_DETACH);
  }
  void bind(const std::string& from, const std::string& to) {
    ASSERT_EQ(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), 0);
    mounts.push_back(to);
  }
  Playground ground{test::Medium::memory};
  std::vector<std::string> mounts;
};

TEST_F(MountedPlace, AMountedFolderIsFilledFromInside) {
  make_tree(ground / "source", "old", 9);
  fs::create_directory(ground / "data");
  bind(ground / "source", ground / "data");
  const auto original = image_of(ground / "data");
  const auto place = prepare(ground / "data");
  ASSERT_EQ(place.mode, PlaceMode::inside);
  EXPECT_EQ(image_of(ground / "data"), original);
  restore_into(place, "fresh");
  const auto restored = image_of(place.staging);
  EXPECT_TRUE(swap_in(place).swapped);
  EXPECT_EQ(image_of(ground / "data"), restored);
  EXPECT_EQ(kind_of([&] { prepare(ground / "data"); }), ErrorKind::busy);
  swap_back(place);
  EXPECT_EQ(image_of(ground / "data"), original);
  discard(place, Discard::both);
  EXPECT_EQ(image_of(ground / "data"), original);
  EXPECT_TRUE(leftovers(ground / "source").empty());
}

TEST_F(MountedPlace, AMountedFileGetsNewContentAndKeepsItsInode) {
  test::write(ground / "source.conf", "the old content", 0640);
  test::write(ground / "app.conf", "");
  bind(ground / "source.conf", ground / "app.conf");
  const auto original = image_of(ground / "app.conf");
  const auto place = prepare(ground / "app.conf", true, ground / "scratch");
  ASSERT_EQ(place.mode, PlaceMode::content);
  for (int stop = 1;; ++stop) {
    if (!fs::exists(place.staging)) test::write(place.staging, "new", 0600);
    const auto killed = test::killed_at(stop, [&] { swap_in(place); });
    if (!killed) GTEST_SKIP() << "tracing is not permitted";
    if (!*killed) break;
    if (state_of(place).touched && !state_of(place).swapped) {
      EXPECT_EQ(kind_of([&] { discard(place, Discard::both); }), ErrorKind::refused);
    }
    if (stop % 2 == 0) {
      EXPECT_TRUE(swap_in(place).swapped);
      ASSERT_EQ(test::read(ground / "source.conf"), "new");
    }
    test::killed_at(1 + stop % 12, [&] { swap_back(place); });
    swap_back(place);
    ASSERT_EQ(image_of(ground / "app.conf"), original) << stop;
  }
  EXPECT_EQ(test::read(ground / "source.conf"), "new");
  discard(place, Discard::both);
  EXPECT_EQ(test::read(ground / "source.conf"), "new");
  EXPECT_TRUE(fs::is_empty(ground / "scratch"));
}

TEST_F(MountedPlace, RefusesAMountBelowTheTarget) {
  make_tree(ground / "source", "old", 2);
  fs::create_directories(ground / "data/inner/disk");
  bind(ground / "source", ground / "data/inner/disk");
  EXPECT_EQ(kind_of([&] { prepare(ground / "data"); }), ErrorKind::refused);
}

TEST_F(MountedPlace, NeverDiscardsIntoAnotherFileSystem) {
  make_tree(ground / "data", "old", 2);
  const auto place = prepare(ground / "data");
  fs::create_directory(place.staging + "/disk");
  ASSERT_EQ(::mount("tmpfs", (place.staging + "/disk").c_str(), "tmpfs", 0, nullptr), 0);
  mounts.push_back(place.staging + "/disk");
  test::write(place.staging + "/disk/precious", "x");
  EXPECT_THROW(discard(place, Discard::staged), Error);
  for (const auto& entry : fs::recursive_directory_iterator(ground.root())) {
    if (entry.path().filename() == "precious") return;
  }
  ADD_FAILURE() << "the file of the other file system is gone";
}

TEST(LostPlace, OfARemovedFolderHasNothingToPutBackAndNothingToClean) {
  Playground ground;
  fs::create_directories(ground / "volumes/other");
  const auto target = ground / "volumes/shop/data";
  make_tree(target, "old", 3);
  const auto place = prepare(target);
  restore_into(place, "fresh");
  swap_in(place);
  fs::remove_all(ground / "volumes/shop");
  EXPECT_FALSE(swap_back(place).touched);
  EXPECT_FALSE(discard(place, Discard::both).staged);
  const auto again = prepare(target);
  EXPECT_FALSE(fs::exists(ground / "volumes/shop")) << "preparing must not make it";
  EXPECT_FALSE(discard(again, Discard::staged).staged);
}

TEST(LostPlace, ThatMayComeBackWithItsDiskIsNotGivenUp) {
  Playground ground;
  fs::create_directories(ground / "disk");
  const Place place{.mode = PlaceMode::rename, .target = ground / "disk/shop/data", .run_id = kRun, .staging = {}, .scratch = {}, .single_file = false};
  EXPECT_EQ(kind_of([&] { swap_back(place); }), ErrorKind::not_found) << "an empty folder may be the mount point";
  fs::create_directories(ground / "disk/shop");
  EXPECT_FALSE(swap_back(place).touched) << "a folder made by hand settles it";
}

}  // namespace
}  // namespace kopidocka
