#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "support/run_task.hpp"
#include "unit/worker/clone_fixture.hpp"
#include "unit/worker/trees.hpp"
#include "worker/worker.hpp"
#include "worker/worker_main.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using test::clone_of;
using test::image_of;
using test::make_tree;
using test::ours_in;

using ClonePossible = test::CloneOnDisk;

INSTANTIATE_TEST_SUITE_P(Disks, ClonePossible, ::testing::Values("xfs", "btrfs"), test::name_of_disk);

TEST_P(ClonePossible, WhereTheDiskSharesBlocksAndNoTraceIsLeft) {
  make_tree(at("data"), "shop", 4);
  const auto stamps = test::stamps_of(disk_->root());
  const auto facts = can_clone(clone_of(at("data")));
  EXPECT_TRUE(facts.possible) << facts.reason;
  EXPECT_EQ(facts.file_system, GetParam());
  EXPECT_EQ(facts.reason, "");
  EXPECT_EQ(test::stamps_of(disk_->root()), stamps) << "not even a time";
  EXPECT_EQ(clone_tree(clone_of(at("data"))).path, facts.path);
}

TEST_P(ClonePossible, NotWithoutAWritablePlaceBesideTheSource) {
  make_tree(at("above/data"), "shop", 4);
  ASSERT_EQ(::mount(at("above").c_str(), at("above").c_str(), nullptr, MS_BIND, nullptr), 0);
  ASSERT_EQ(::mount(nullptr, at("above").c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
  const auto facts = can_clone(clone_of(at("above/data")));
  EXPECT_FALSE(facts.possible);
  EXPECT_THAT(facts.reason, HasSubstr("Read-only"));
  EXPECT_EQ(facts.path, "");
  ::umount2(at("above").c_str(), MNT_DETACH);
}

TEST_P(ClonePossible, NotWhereTheSourceIsAFileSystemOfItsOwn) {
  test::Playground ground;
  fs::create_directories(ground / "data");
  make_tree(at("shop"), "shop", 4);
  test::write(ground / "file", "");
  test::write(at("file"), "x");
  for (const auto& [from, to] : {std::pair(disk_->root(), ground / "data"), std::pair(at("shop"), ground / "data"),
                                 std::pair(at("file"), ground / "file")}) {
    ASSERT_EQ(::mount(from.c_str(), to.c_str(), nullptr, MS_BIND, nullptr), 0);
    const auto facts = can_clone(clone_of(to));
    EXPECT_FALSE(facts.possible) << to;
    EXPECT_THAT(facts.reason, HasSubstr("is mounted by itself"));
    ::umount2(to.c_str(), MNT_DETACH);
  }
  EXPECT_THAT(ours_in(ground.root()), IsEmpty());
}

TEST_P(ClonePossible, NotWithoutTheRightToGiveFilesTheirOwners) {
  if (std::system("command -v setpriv >/dev/null") != 0) GTEST_SKIP() << "setpriv is not on PATH";
  make_tree(at("data"), "shop", 4);
  const auto self = fs::read_symlink("/proc/self/exe").string();
  for (const auto* right : {"chown", "fowner"}) {
    test::write(at("weak"), std::string("#!/bin/sh\nexec setpriv --bounding-set=-") + right + " '" + self + "' worker\n", 0755);
    boost::asio::io_context io;
    const Worker weak(at("weak"));
    const auto facts = kopidocka::testing::run_task(io, weak.can_clone(at("data"), test::kCloneRun, Cancel()));
    EXPECT_FALSE(facts.possible) << right;
    EXPECT_THAT(facts.reason, HasSubstr("CHOWN and FOWNER"));
  }
}

/// Whether blocks can be shared across mounts of one disk is up to the kernel: the answer has to be true.
TEST_P(ClonePossible, TellsTheTruthOfASourceThatIsMountedFromTheSameDisk) {
  make_tree(at("elsewhere"), "shop", 9);
  fs::create_directory(at("data"));
  ASSERT_EQ(::mount(at("elsewhere").c_str(), at("data").c_str(), nullptr, MS_BIND, nullptr), 0);
  const auto facts = can_clone(clone_of(at("data")));
  if (facts.possible) {
    EXPECT_EQ(image_of(clone_tree(clone_of(at("data"))).path), image_of(at("data")));
    drop_clone(clone_of(at("data")));
  } else {
    EXPECT_THAT(facts.reason, HasSubstr("is mounted by itself"));
  }
  ::umount2(at("data").c_str(), MNT_DETACH);
  EXPECT_THAT(ours_in(disk_->root()), IsEmpty());
}

TEST_P(ClonePossible, NotOfLinksPipesAndWhatIsMissing) {
  make_tree(at("data"), "shop", 4);
  fs::create_directory_symlink("data", at("link"));
  ASSERT_EQ(::mkfifo(at("fifo").c_str(), 0600), 0);
  for (const auto& [name, why] :
       {std::pair("link", "symbolic link"), std::pair("fifo", "neither"), std::pair("missing", "does not exist"),
        std::pair("missing/below", "does not exist"), std::pair("fifo/below", "Not a directory")}) {
    const auto facts = can_clone(clone_of(at(name)));
    EXPECT_FALSE(facts.possible) << name;
    EXPECT_THAT(facts.reason, HasSubstr(why)) << name;
  }
}

TEST_P(ClonePossible, ThroughTheProcessOfTheWorker) {
  make_tree(at("data"), "shop", 9);
  boost::asio::io_context io;
  const Worker worker(fs::read_symlink("/proc/self/exe").string());
  const auto facts = kopidocka::testing::run_task(io, worker.can_clone(at("data"), test::kCloneRun, Cancel()));
  EXPECT_TRUE(facts.possible) << facts.reason;
  const auto result = kopidocka::testing::run_task(io, worker.clone_tree(clone_of(at("data")), Milliseconds(60'000), Cancel()));
  EXPECT_EQ(result.path, facts.path);
  EXPECT_EQ(result.entries, image_of(at("data")).size());
  EXPECT_GT(result.bytes, 0u);
  EXPECT_EQ(image_of(result.path), image_of(at("data")));
  kopidocka::testing::run_task(io, worker.drop_clone(clone_of(at("data")), Milliseconds(60'000), Cancel()));
  kopidocka::testing::run_task(io, worker.drop_clone(clone_of(at("data")), Milliseconds(60'000), Cancel()));
  EXPECT_THAT(ours_in(disk_->root()), IsEmpty());
}

TEST_P(ClonePossible, ADeadlineInTheMiddleLeavesWhatDropRemoves) {
  fs::create_directory(at("data"));
  for (int i = 0; i < 5'000; ++i) test::write(at("data/file" + std::to_string(i)), "some");
  boost::asio::io_context io;
  const Worker worker(fs::read_symlink("/proc/self/exe").string());
  for (const int limit : {1, 30, 100}) {
    try {
      kopidocka::testing::run_task(io, worker.clone_tree(clone_of(at("data")), Milliseconds(limit), Cancel()));
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::timeout);
      EXPECT_FALSE(fs::exists(test::clone_folder(at("data")) + "/tree"));
    }
    kopidocka::testing::run_task(io, worker.drop_clone(clone_of(at("data")), Milliseconds(60'000), Cancel()));
    EXPECT_THAT(ours_in(disk_->root()), IsEmpty());
  }
}

TEST(CloneImpossible, OnADiskThatCannotShareBlocks) {
  for (const auto& [type, options] : {std::pair("ext4", ""), std::pair("xfs", "-m reflink=0")}) {
    const test::LoopDisk disk(type, options);
    if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
    make_tree(disk / "data", "shop", 4);
    const auto facts = can_clone(clone_of(disk / "data"));
    EXPECT_FALSE(facts.possible);
    EXPECT_EQ(facts.file_system, type);
    EXPECT_EQ(facts.reason, std::string("the file system (") + type + ") cannot share blocks between files");
    const auto error = test::error_of([&] { clone_tree(clone_of(disk / "data")); });
    EXPECT_THAT(error.text(), HasSubstr(disk / "data/"));
    drop_clone(clone_of(disk / "data"));
    EXPECT_THAT(ours_in(disk.root()), IsEmpty());
  }
}

/// What only btrfs has.
class CloneOnBtrfs : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  }
  test::LoopDisk disk{"btrfs"};
};

TEST_F(CloneOnBtrfs, SubvolumesAreFoldersLikeOthers) {
  for (const auto* name : {"data", "data/inner"}) test::shell("btrfs subvolume create " + disk / name + " >/dev/null");
  make_tree(disk / "data", "shop", 9);
  make_tree(disk / "data/inner", "other", 9);
  const auto facts = can_clone(clone_of(disk / "data"));
  EXPECT_TRUE(facts.possible) << facts.reason;
  EXPECT_EQ(image_of(clone_tree(clone_of(disk / "data")).path), image_of(disk / "data"));
  drop_clone(clone_of(disk / "data"));
  EXPECT_THAT(ours_in(disk.root()), IsEmpty());
}

TEST_F(CloneOnBtrfs, FilesWithoutCopyOnWriteAreClonedToo) {
  for (const auto* with_flag : {"data", "."}) {
    fs::create_directory(disk / "data");
    test::shell("chattr +C " + disk / with_flag);
    test::write(disk / "data/database", std::string(100'000, 'd'));
    test::write(disk / "data/empty", "");
    test::shell("chattr -C " + disk / with_flag + " && sync");
    test::write(disk / "data/usual", std::string(100'000, 'u'));
    const auto facts = can_clone(clone_of(disk / "data"));
    EXPECT_TRUE(facts.possible) << facts.reason;
    EXPECT_EQ(image_of(clone_tree(clone_of(disk / "data")).path), image_of(disk / "data"));
    drop_clone(clone_of(disk / "data"));
    fs::remove_all(disk / "data");
  }
}

TEST(CloneRequests, ThatWereForgedAreAnsweredWithAnError) {
  for (const auto* operation : {"can_clone", "clone_tree", "drop_clone"}) {
    for (const auto& clone : {nlohmann::json(), nlohmann::json::object(), nlohmann::json{{"source", 1}, {"run_id", "r"}},
                              nlohmann::json{{"source", std::string("/tmp/a\0b", 8)}, {"run_id", "r"}},
                              nlohmann::json{{"source", "/tmp/kd-nothing/x"}, {"run_id", "../../etc"}}}) {
      std::istringstream in(nlohmann::json{{"operation", operation}, {"clone", clone}}.dump());
      std::ostringstream out;
      EXPECT_NE(worker_main(in, out), 0) << operation << clone.dump();
      EXPECT_TRUE(nlohmann::json::parse(out.str()).contains("error"));
    }
  }
}

}  // namespace
}  // namespace kopidocka
