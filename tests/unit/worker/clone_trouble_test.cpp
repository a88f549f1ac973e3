#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "base/file.hpp"
#include "unit/worker/clone_fixture.hpp"
#include "unit/worker/trees.hpp"
#include "worker/clone_walk.hpp"
#include "worker/folder.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;
using test::clone_folder;
using test::clone_of;
using test::error_of;
using test::image_of;
using test::make_tree;
using test::ours_in;
using test::stamps_of;
using testing::HasSubstr;

using CloneTrouble = test::CloneOnDisk;

INSTANTIATE_TEST_SUITE_P(Disks, CloneTrouble, testing::Values("xfs", "btrfs"), test::name_of_disk);

void mount_again(const std::string& from, const std::string& to) {
  ASSERT_EQ(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), 0) << to;
}

TEST_P(CloneTrouble, IsNotMadeOfATreeWithAMountInIt) {
  make_tree(at("data"), "shop", 4);
  make_tree(at("elsewhere"), "other", 4);
  test::write(at("file"), "of the same disk");
  fs::create_directories(at("data/inner/mounted"));
  test::write(at("data/mounted-file"), "");
  for (const auto& [from, to] : {std::pair(at("elsewhere"), at("data/inner/mounted")),
                                 std::pair(at("file"), at("data/mounted-file"))}) {
    mount_again(from, to);
    const auto facts = can_clone(clone_of(at("data")));
    EXPECT_FALSE(facts.possible);
    EXPECT_THAT(facts.reason, HasSubstr("mounted below it, at " + to));
    EXPECT_EQ(error_of([&] { clone_tree(clone_of(at("data"))); }).kind(), ErrorKind::refused);
    ::umount2(to.c_str(), MNT_DETACH);
  }
  EXPECT_THAT(ours_in(disk_->root()), testing::IsEmpty());
}

TEST_P(CloneTrouble, AMountThatComesWhileItIsMadeIsSeenAlthoughItIsOfTheSameDisk) {
  make_tree(at("data"), "shop", 4);
  make_tree(at("elsewhere"), "other", 4);
  fs::create_directories(at("data/inner/mounted"));
  fs::create_directory(at("target"));
  mount_again(at("elsewhere"), at("data/inner/mounted"));
  const FileDescriptor source(::open(disk_->root().c_str(), O_RDONLY | O_DIRECTORY));
  const FileDescriptor target(::open(at("target").c_str(), O_RDONLY | O_DIRECTORY));
  const auto error = error_of([&] { clone_into(source.get(), target.get(), "data", disk_->root(), test::kCloneRun); });
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.text(), HasSubstr(at("data/inner/mounted")));
  ::umount2(at("data/inner/mounted").c_str(), MNT_DETACH);
}

TEST(CloneOnAFullDisk, IsAnErrorWithThePathAndCanBeCleanedUp) {
  for (const auto& [type, options] : {std::pair("xfs", "-m reflink=1"), std::pair("btrfs", "--mixed")}) {
    const test::LoopDisk disk(type, options);
    if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
    fs::create_directory(disk / "data");
    for (int i = 0; i < 3'000; ++i) test::write(disk / ("data/file" + std::to_string(i)), std::string(5'000, 'x'));
    test::shell("cd " + disk.root() + "; sync; i=0; for size in 1000000 4096; do "
                "while head -c $size /dev/zero > filler$i; do i=$((i+1)); done 2>/dev/null; done; sync");
    const auto stamps = stamps_of(disk / "data");
    const auto error = error_of([&] { clone_tree(clone_of(disk / "data")); });
    EXPECT_EQ(error.kind(), ErrorKind::no_space) << error.text();
    EXPECT_THAT(error.text(), HasSubstr(disk.root()));
    EXPECT_FALSE(fs::exists(clone_folder(disk / "data") + "/tree")) << "nothing that could be taken for a clone";
    drop_clone(clone_of(disk / "data"));
    EXPECT_THAT(ours_in(disk.root()), testing::IsEmpty());
    EXPECT_EQ(stamps_of(disk / "data"), stamps);
  }
}

TEST_P(CloneTrouble, OfAKillAtAnyStepDropLeavesNothing) {
  make_tree(at("data"), "shop", 40);
  const auto stamps = stamps_of(at("data"));
  // Of the one thread that is traced; what the others did until then differs each time.
  for (int stop = 1;; ++stop) {
    const auto killed = test::killed_at(stop, [&] { clone_tree(clone_of(at("data"))); });
    if (!killed) GTEST_SKIP() << "tracing is not permitted";
    if (!*killed) break;
    if (stop > 1) {
      EXPECT_EQ(error_of([&] { clone_tree(clone_of(at("data"))); }).kind(), ErrorKind::busy) << "half a clone is none";
    }
    EXPECT_FALSE(fs::exists(clone_folder(at("data")) + "/tree"));
    test::killed_at(1 + stop % 15, [&] { drop_clone(clone_of(at("data"))); });
    drop_clone(clone_of(at("data")));
    ASSERT_THAT(ours_in(disk_->root()), testing::IsEmpty()) << stop;
  }
  EXPECT_EQ(image_of(clone_folder(at("data")) + "/tree/data"), image_of(at("data")));
  EXPECT_EQ(stamps_of(at("data")), stamps);
}

/// Runs `work` in a child process and kills it when that long has passed; true when it had not ended by itself.
bool killed_after(int microseconds, const std::function<void()>& work) {
  const auto child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  ::usleep(static_cast<useconds_t>(microseconds));
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status);
}

TEST_P(CloneTrouble, OfAKillAtAnyMomentDropLeavesNothing) {
  for (int i = 0; i < 30; ++i) make_tree(at("data/folder" + std::to_string(i)), "more", 30);
  const auto stamps = stamps_of(at("data"));
  for (int moment = 500; killed_after(moment, [&] { clone_tree(clone_of(at("data"))); }); moment += moment / 3) {
    drop_clone(clone_of(at("data")));
    ASSERT_THAT(ours_in(disk_->root()), testing::IsEmpty()) << moment;
  }
  EXPECT_EQ(image_of(clone_folder(at("data")) + "/tree/data"), image_of(at("data")));
  EXPECT_EQ(stamps_of(at("data")), stamps);
}

TEST_P(CloneTrouble, OfAKillAtAnyStepOfDropTheNextDropLeavesNothing) {
  make_tree(at("data"), "shop", 10);
  for (int stop = 1;; ++stop) {
    clone_tree(clone_of(at("data")));
    const auto killed = test::killed_at(stop, [&] { drop_clone(clone_of(at("data"))); });
    if (!killed) GTEST_SKIP() << "tracing is not permitted";
    drop_clone(clone_of(at("data")));
    ASSERT_THAT(ours_in(disk_->root()), testing::IsEmpty()) << stop;
    if (!*killed) break;
  }
}

TEST_P(CloneTrouble, DropIsWellWhereNothingIs) {
  make_tree(at("data"), "shop", 4);
  drop_clone(clone_of(at("data")));
  drop_clone(clone_of(at("gone")));
  drop_clone(clone_of(at("gone/with/its/disk")));
  clone_tree(clone_of(at("data")));
  fs::remove_all(at("data"));
  drop_clone(clone_of(at("data")));
  EXPECT_THAT(ours_in(disk_->root()), testing::IsEmpty()) << "the source need not be there any more";
  drop_clone(clone_of(at("data")));
}

TEST_P(CloneTrouble, DropRefusesWhatThisRunDidNotMake) {
  make_tree(at("data"), "shop", 4);
  const auto folder = clone_folder(at("data"));
  const auto refused = [&](const char* what) {
    const auto stamps = stamps_of(folder);
    EXPECT_EQ(error_of([&] { drop_clone(clone_of(at("data"))); }).kind(), ErrorKind::refused) << what;
    EXPECT_EQ(stamps_of(folder), stamps) << what;
    fs::remove_all(folder);
  };
  make_tree(folder + "/tree", "precious", 3);
  refused("no mark");
  make_tree(folder + "/tree", "precious", 3);
  fs::create_symlink("another-run", folder + "/kopi-docka");
  refused("the mark of another run");
  make_tree(folder + "/tree", "precious", 3);
  test::write(folder + "/kopi-docka", test::kCloneRun);
  refused("a mark that is no link");
  test::write(folder, "a file");
  refused("a file");
  make_tree(at("outside"), "precious", 3);
  fs::create_directory_symlink(at("outside"), folder);
  refused("a link");
  EXPECT_TRUE(fs::exists(at("outside/new\nline")));
  clone_tree(clone_of(at("data")));
  test::write(folder + "/notes", "of somebody");
  refused("something else beside the clone");
  clone_tree(clone_of(at("data")));
  ASSERT_EQ(::chown(folder.c_str(), 1000, 1000), 0);
  refused("somebody else's folder");
}

TEST_P(CloneTrouble, NoIdOfARunLeadsElsewhere) {
  make_tree(at("data"), "shop", 4);
  for (const auto* run_id : {"", "..", "../x", "a/b", "a b"}) {
    const CloneRequest forged{.source = at("data"), .run_id = run_id};
    EXPECT_EQ(error_of([&] { can_clone(forged); }).kind(), ErrorKind::refused);
    EXPECT_EQ(error_of([&] { clone_tree(forged); }).kind(), ErrorKind::refused);
    EXPECT_EQ(error_of([&] { drop_clone(forged); }).kind(), ErrorKind::refused);
  }
  for (const auto& source : {std::string("/"), std::string("data"), at("data/../data"), std::string("/etc/nginx")}) {
    EXPECT_FALSE(can_clone(clone_of(source)).possible) << source;
    EXPECT_EQ(error_of([&] { clone_tree(clone_of(source)); }).kind(), ErrorKind::refused) << source;
  }
}

TEST_P(CloneTrouble, ASecondCloneOfARunIsRefusedUntilTheFirstIsDropped) {
  make_tree(at("data"), "shop", 4);
  clone_tree(clone_of(at("data")));
  test::write(at("data/later"), "x");
  EXPECT_EQ(error_of([&] { clone_tree(clone_of(at("data"))); }).kind(), ErrorKind::busy);
  drop_clone(clone_of(at("data")));
  EXPECT_EQ(image_of(clone_tree(clone_of(at("data"))).path), image_of(at("data")));
  const CloneRequest other{.source = at("data"), .run_id = "another-run"};
  EXPECT_EQ(image_of(clone_tree(other).path), image_of(at("data")));
  drop_clone(clone_of(at("data")));
  EXPECT_EQ(ours_in(disk_->root()).size(), 1u) << "that of the other run stays";
}

TEST_P(CloneTrouble, NothingIsDroppedUnderAProcessThatStillWorksInIt) {
  make_tree(at("data"), "shop", 4);
  clone_tree(clone_of(at("data")));
  FileDescriptor worker(::open(clone_folder(at("data")).c_str(), O_RDONLY | O_DIRECTORY));
  ASSERT_EQ(::flock(worker.get(), LOCK_EX), 0);
  EXPECT_EQ(error_of([&] { drop_clone(clone_of(at("data"))); }).kind(), ErrorKind::busy);
  EXPECT_TRUE(fs::exists(clone_folder(at("data")) + "/tree/data"));
  worker.reset();
  drop_clone(clone_of(at("data")));
  EXPECT_THAT(ours_in(disk_->root()), testing::IsEmpty());
}

TEST_P(CloneTrouble, ImmutableFilesAreClonedWithoutTheFlag) {
  make_tree(at("data"), "shop", 5);
  test::shell("chattr +i " + at("data/shop4") + " && chattr +a " + at("data/common3"));
  const auto result = clone_tree(clone_of(at("data")));
  EXPECT_EQ(image_of(result.path), image_of(at("data")));
  drop_clone(clone_of(at("data")));
  EXPECT_THAT(ours_in(disk_->root()), testing::IsEmpty());
  test::shell("chattr -i " + at("data/shop4") + " && chattr -a " + at("data/common3"));
}

}  // namespace
}  // namespace kopidocka
