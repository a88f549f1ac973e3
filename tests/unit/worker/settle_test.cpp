#include "worker/settle.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.hpp"
#include "base/file.hpp"
#include "support/run_task.hpp"
#include "unit/worker/loop_disk.hpp"
#include "unit/worker/slow_write.hpp"
#include "unit/worker/trees.hpp"
#include "worker/worker.hpp"
#include "worker/worker_main.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

constexpr size_t kLimit = 40'000;

Names names_of(const Touched& touched) {
  Names names;
  for (const auto& file : touched.files) names.push_back(file.path);
  std::sort(names.begin(), names.end());
  return names;
}

/// A source that was not written to for a while, as far as its settled state can tell.
Settled settle_now(const std::string& path) {
  ::usleep(50'000);
  auto settled = settle(path);
  settled.since_ns += 2'000'000'000;  // without the slack: the files of a test are young
  return settled;
}

timespec time_of(const std::string& path) {
  struct stat info {};
  EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
  return info.st_mtim;
}

void put_time_back(const std::string& path, const timespec& time) {
  const timespec times[2] = {time, time};
  EXPECT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

class SettleOnDisk : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (!disk_.why_not().empty()) GTEST_SKIP() << disk_.why_not();
    fs::create_directories(at("data/below"));
    for (const auto* name : {"one", "two", "below/three"}) test::write(at("data/" + std::string(name)), std::string(test::SlowWrite::kBytes, 'o'));
  }
  std::string at(const std::string& name) const { return disk_ / name; }

  test::LoopDisk disk_{GetParam()};
};

INSTANTIATE_TEST_SUITE_P(Disks, SettleOnDisk, ::testing::Values("ext4", "xfs", "btrfs"), [](const auto& info) { return info.param; });

TEST_P(SettleOnDisk, TellsTheMomentAndThatItIsExact) {
  const auto before = std::chrono::system_clock::now();
  const auto settled = settle(at("data"));
  EXPECT_TRUE(settled.exact) << settled.reason;
  EXPECT_EQ(settled.file_system, GetParam());
  EXPECT_LT(settled.since(), before);
  EXPECT_GT(settled.since(), before - std::chrono::seconds(10));
  EXPECT_EQ(settled.marks.size(), GetParam() == "xfs" ? 5u : 2u) << "folders, and files where their exchange does not show";
  EXPECT_TRUE(touched_since(settle_now(at("data")), kLimit, Looked::held).files.empty());
}

TEST_P(SettleOnDisk, AStoreToAPageThatWasDirtyBeforeShowsAfterwards) {
  FileDescriptor file(::open(at("data/one").c_str(), O_RDWR | O_CLOEXEC));
  auto* memory = static_cast<volatile char*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0));
  memory[0] = 'a';
  const auto settled = settle_now(at("data"));
  const auto before = time_of(at("data/one"));
  memory[0] = 'b';
  const auto after = time_of(at("data/one"));
  EXPECT_NE(before.tv_sec * 1'000'000'000 + before.tv_nsec, after.tv_sec * 1'000'000'000 + after.tv_nsec);
  EXPECT_EQ(names_of(touched_since(settled, kLimit, Looked::held)), Names{"one"});
  ::munmap(const_cast<char*>(memory), 4096);
}

TEST_P(SettleOnDisk, WaitsForAWriteThatIsUnderWay) {
  test::SlowWrite write(at("data/below/three"));
  if (!write.possible()) GTEST_SKIP() << "a write cannot be held up here";
  auto settling = std::async(std::launch::async, [this] { return settle(at("data")); });
  EXPECT_EQ(settling.wait_for(std::chrono::milliseconds(700)), std::future_status::timeout);
  write.let_go_on();
  EXPECT_TRUE(settling.get().exact);
  EXPECT_EQ(test::read(at("data/below/three")), std::string(test::SlowWrite::kBytes, 'n'));
}

TEST_P(SettleOnDisk, IsStillUntilAnythingAtAllIsTouched) {
  test::write(at("data/below/for removal"), "x");
  ASSERT_EQ(::mkfifo(at("data/pipe").c_str(), 0600), 0);
  const std::pair<const char*, std::string> touches[] = {
      {"written", "echo >> '" + at("data/one") + "'"},
      {"written and put back", "touch -r '" + at("data/two") + "' /tmp/kd-settle; echo >> '" + at("data/two") + "'; touch -r /tmp/kd-settle '" + at("data/two") + "'; rm /tmp/kd-settle"},
      {"rights", "chmod 0600 '" + at("data/one") + "'"},
      {"removed", "rm '" + at("data/below/for removal") + "'"},
      {"an empty folder", "mkdir '" + at("data/below/new") + "'"},
      {"renamed folder", "mv '" + at("data/below") + "' '" + at("data/under") + "'"},
      {"rights of a folder", "chmod 0750 '" + at("data/under") + "'"},
      {"a pipe", "chmod 0640 '" + at("data/pipe") + "'"},
      {"the source itself", "chmod 0750 '" + at("data") + "'"}};
  for (const auto& [what, command] : touches) {
    const auto settled = settle_now(at("data"));
    EXPECT_TRUE(touched_since(settled, kLimit, Looked::held).still) << "before: " << what;
    ASSERT_EQ(std::system(command.c_str()), 0) << what;
    EXPECT_FALSE(touched_since(settled, kLimit, Looked::held).still) << what;
  }
}

void exchange(const std::string& one, const std::string& other) {
  ASSERT_EQ(::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE), 0);
}

TEST_P(SettleOnDisk, AFolderThatIsBackWhereItWasMayHaveBeenElsewhereWhenItWasRead) {
  fs::create_directories(at("data/other"));
  test::write(at("data/other/three"), std::string(test::SlowWrite::kBytes, 'x'));
  const auto settled = settle_now(at("data"));
  exchange(at("data/below"), at("data/other"));
  exchange(at("data/below"), at("data/other"));
  const auto xfs = GetParam() == "xfs";
  EXPECT_EQ(names_of(touched_since(settled, kLimit, Looked::beforehand)),
            xfs ? (Names{"below/three", "one", "other/three", "two"}) : (Names{"below/three", "other/three"}))
      << "on xfs it may have been any";
  EXPECT_EQ(names_of(touched_since(settled, kLimit, Looked::held)), Names{}) << "it is as it was";
  exchange(at("data/below"), at("data/other"));
  EXPECT_EQ(names_of(touched_since(settled, kLimit, Looked::held)), (Names{"below/three", "other/three"}));
}

TEST_P(SettleOnDisk, AFileThatIsBackWhereItWasMayHaveBeenElsewhereWhenItWasRead) {
  const auto settled = settle_now(at("data"));
  exchange(at("data/one"), at("data/two"));
  EXPECT_EQ(names_of(touched_since(settled, kLimit, Looked::held)), (Names{"one", "two"}));
  exchange(at("data/one"), at("data/two"));
  EXPECT_EQ(names_of(touched_since(settled, kLimit, Looked::beforehand)),
            GetParam() == "xfs" ? (Names{"below/three", "one", "two"}) : (Names{"one", "two"}));
}

TEST_P(SettleOnDisk, WhatIsWrittenInAFolderPutsNothingElseInDoubt) {
  fs::create_directories(at("data/below/deeper"));
  test::write(at("data/below/deeper/four"), "x");
  const auto settled = settle_now(at("data"));
  test::write(at("data/below/new"), "x");
  const auto names = names_of(touched_since(settled, kLimit, Looked::beforehand));
  if (GetParam() == "xfs") {
    EXPECT_EQ(names, (Names{"below/deeper/four", "below/new", "below/three"})) << "there, an exchange would not show";
  } else {
    EXPECT_EQ(names, Names{"below/new"});
  }
}

TEST_P(SettleOnDisk, EveryTouchIsTold) {
  const auto settled = settle_now(at("data"));
  const auto old = time_of(at("data/one"));
  test::write(at("data/one"), "time put back");
  put_time_back(at("data/one"), old);
  fs::create_hard_link(at("data/two"), at("data/below/its other name"));
  fs::rename(at("data/below/three"), at("data/below/renamed"));
  test::write(at("data/new"), "new");
  fs::create_symlink("new", at("data/link"));
  const auto touched = touched_since(settled, kLimit, Looked::held);
  EXPECT_TRUE(touched.exact) << touched.reason;
  EXPECT_EQ(names_of(touched), (Names{"below/its other name", "below/renamed", "link", "new", "one", "two"}));
  for (const auto& file : touched.files) {
    if (file.path != "one") continue;
    EXPECT_EQ(file.size, 13u);
    EXPECT_EQ(file.mtime_second, old.tv_sec);
  }
}

TEST_P(SettleOnDisk, FilesOfAFolderThatTookThePlaceOfAnotherAreTold) {
  fs::create_directories(at("data/left/deep"));
  fs::create_directories(at("data/right/deep"));
  for (const auto* name : {"data/left/deep/file", "data/right/deep/file", "data/left/deep/only here"}) test::write(at(name), "x");
  const auto settled = settle_now(at("data"));
  ASSERT_EQ(::renameat2(AT_FDCWD, at("data/left").c_str(), AT_FDCWD, at("data/right").c_str(), RENAME_EXCHANGE), 0);
  const auto touched = touched_since(settled, kLimit, Looked::held);
  EXPECT_TRUE(touched.exact);
  EXPECT_EQ(names_of(touched), (Names{"left/deep/file", "right/deep/file", "right/deep/only here"}));
}

TEST_P(SettleOnDisk, ANewSourceInThePlaceOfTheOldIsTouchedAsAWhole) {
  fs::create_directories(at("other/below"));
  test::write(at("other/below/three"), "x");
  const auto settled = settle_now(at("data"));
  fs::rename(at("data"), at("gone"));
  fs::rename(at("other"), at("data"));
  EXPECT_EQ(names_of(touched_since(settled, kLimit, Looked::held)), Names{"below/three"});
}

TEST_P(SettleOnDisk, ALimitAndAClockThatWasSetMakeItInexact) {
  auto settled = settle_now(at("data"));
  settled.since_ns = 0;
  const auto all = touched_since(settled, 2, Looked::held);
  EXPECT_TRUE(all.truncated);
  EXPECT_FALSE(all.exact);
  EXPECT_EQ(all.files.size(), 2u);
  EXPECT_TRUE(touched_since(settled, 3, Looked::held).exact);
  settled.clock_offset_ns += 600'000'000;
  const auto later = touched_since(settled, kLimit, Looked::held);
  EXPECT_FALSE(later.exact);
  EXPECT_NE(later.reason.find("clock"), std::string::npos);
}

TEST_P(SettleOnDisk, SomethingMountedInTheSourceMakesItInexact) {
  const auto before = settle_now(at("data"));
  fs::create_directories(at("data/mounted"));
  ASSERT_EQ(::mount("none", at("data/mounted").c_str(), "tmpfs", 0, nullptr), 0);
  const auto settled = settle(at("data"));
  const auto touched = touched_since(before, kLimit, Looked::held);
  ::umount2(at("data/mounted").c_str(), MNT_DETACH);
  EXPECT_FALSE(settled.exact);
  EXPECT_NE(settled.reason.find("mounted in it"), std::string::npos) << settled.reason;
  EXPECT_FALSE(touched.exact);
}

TEST_P(SettleOnDisk, ANameWithANewlineMakesItInexact) {
  test::write(at("data/two\nlines"), "x");
  EXPECT_FALSE(settle(at("data")).exact);
}

TEST_P(SettleOnDisk, TravelsThroughTheWorkersProcess) {
  const Worker worker(fs::read_symlink("/proc/self/exe").string());
  boost::asio::io_context io;
  auto settled = testing::run_task(io, worker.settle(at("data"), Milliseconds(60'000), Cancel()));
  EXPECT_TRUE(settled.exact) << settled.reason;
  EXPECT_EQ(settled.marks.size(), GetParam() == "xfs" ? 5u : 2u);
  const std::string odd = "odd \xff name";
  test::write(at("data/below/" + odd), "12345");
  settled.since_ns += 2'000'000'000;
  const auto touched = testing::run_task(io, worker.touched(settled, Looked::held, kLimit, Milliseconds(60'000), Cancel()));
  EXPECT_TRUE(touched.exact) << touched.reason;
  const auto found = std::find_if(touched.files.begin(), touched.files.end(), [&](const auto& file) { return file.path == "below/" + odd; });
  ASSERT_NE(found, touched.files.end());
  EXPECT_EQ(found->size, 5u);
}

TEST(Settle, IsInexactWhereTimesAreNotKnownToTellAll) {
  const test::Playground memory(test::Medium::memory);
  const auto settled = settle(memory.root().string());
  if (settled.file_system != "tmpfs") GTEST_SKIP() << "mounting is not permitted";
  EXPECT_FALSE(settled.exact);
  EXPECT_NE(settled.reason.find("tmpfs"), std::string::npos);
  EXPECT_TRUE(settled.marks.empty());
  EXPECT_FALSE(touched_since(settled, kLimit, Looked::held).exact);
  EXPECT_FALSE(settle("/proc/sys").exact);
}

TEST(Settle, IsInexactWhereEveryWriteGoesThroughTheJournal) {
  const test::LoopDisk disk("ext4", {}, "data=journal");
  if (!disk.why_not().empty()) GTEST_SKIP() << disk.why_not();
  const auto settled = settle(disk.root());
  EXPECT_FALSE(settled.exact);
  EXPECT_EQ(settled.file_system, "ext4");
  const test::LoopDisk older("ext3");
  EXPECT_FALSE(older.why_not().empty() && settle(older.root()).exact);
}

TEST(Settle, RefusesWhatIsNoFolder) {
  const test::Playground ground;
  test::write(ground / "file", "x");
  EXPECT_THROW(settle(ground / "file"), Error);
  EXPECT_THROW(settle(ground / "missing"), Error);
  EXPECT_THROW(settle("relative"), Error);
}

TEST(Settle, HostileRequestsAreAnsweredWithAnError) {
  for (const std::string request : {R"({"operation":"settle"})", R"({"operation":"settle","path":1})", R"({"operation":"settle","path":"/a/../b"})",
                                    R"({"operation":"touched","settled":{"path":"/tmp"},"limit":1})",
                                    R"({"operation":"touched","limit":1,"settled":{"path":"/tmp","exact":true,"reason":"","file_system":"","since_ns":0,)"
                                    R"("clock_offset_ns":0,"folders":"abc"}})"}) {
    std::istringstream in(request);
    std::ostringstream out;
    EXPECT_NE(worker_main(in, out), 0) << request;
    EXPECT_TRUE(nlohmann::json::parse(out.str()).contains("error"));
  }
}

}  // namespace
}  // namespace kopidocka
