#include <sys/mount.h>
#include <unistd.h>

#include <chrono>

#include "contract/engine/engine_fixture.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

Task<> abort_after(Cancel cancel, Milliseconds delay) {
  co_await sleep_for(delay);
  cancel.request(CancelGrade::abort_step);
}

/// Enough data that no engine is through before anyone can say stop.
void make_much(const fs::path& folder) {
  shell("for i in 1 2 3 4 5 6; do head -c 150000000 /dev/urandom > '" + folder.string() + "/big'$i; done");
}


TEST_P(EngineContract, AnAbortedSnapshotLeavesNothingUsableAndNoChild) {
  make_much(source_);
  created();
  await(engine_->prepare(std::vector<SourcePolicy>(1, policy()), Cancel()));
  Cancel cancel;
  auto asked = request();
  asked.tags = {{"unit", "shop"}};
  TaskGroup group(io_.get_executor());
  group.spawn(abort_after(cancel, Milliseconds(2'000)));
  EXPECT_EQ(error_of([&] { await(engine_->snapshot(asked, cancel)); }).kind(), ErrorKind::cancelled);
  EXPECT_TRUE(children().empty());
  await(group.join());
  for (const auto& left : await(engine_->list({}, Cancel()))) EXPECT_FALSE(left.usable()) << left.id;
  EXPECT_TRUE(ids(*engine_, {.all_hosts = false, .tags = {{"unit", "shop"}}, .path = ""}).empty());
  EXPECT_TRUE(prepared_snapshot(*engine_, asked).clean()) << "the repository must not stay locked";
}

TEST_P(EngineContract, ASnapshotThatExceedsItsDeadlineLeavesNothingUsable) {
  make_much(source_);
  created();
  await(engine_->prepare(std::vector<SourcePolicy>(1, policy()), Cancel()));
  auto asked = request();
  asked.deadline = Milliseconds(1'500);
  EXPECT_EQ(error_of([&] { await(engine_->snapshot(asked, Cancel())); }).kind(), ErrorKind::timeout);
  EXPECT_TRUE(children().empty());
  for (const auto& left : await(engine_->list({}, Cancel()))) EXPECT_FALSE(left.usable()) << left.id;
}

TEST_P(EngineContract, AnEngineThatIsInterruptedByOthersIsNotBelieved) {
  make_much(source_);
  created();
  await(engine_->prepare(std::vector<SourcePolicy>(1, policy()), Cancel()));
  static constexpr auto interrupt = []() -> Task<> {
    co_await sleep_for(Milliseconds(2'000));
    for (const auto& pid : children()) ::kill(std::stoi(pid), SIGINT);
  };
  TaskGroup group(io_.get_executor());
  group.spawn(interrupt());
  EXPECT_EQ(error_of([&] { await(engine_->snapshot(request(), Cancel())); }).kind(), ErrorKind::failed);
  await(group.join());
  for (const auto& left : await(engine_->list({}, Cancel()))) EXPECT_FALSE(left.usable()) << left.id;
}

TEST_P(EngineContract, ThePasswordIsInNobodysArguments) {
  make_much(source_);
  static constexpr auto look = [](std::string& seen) -> Task<> {
    for (int i = 0; i < 40; ++i) {
      for (const auto& pid : children()) seen += read("/proc/" + pid + "/cmdline");
      co_await sleep_for(Milliseconds(50));
    }
  };
  std::string seen;
  TaskGroup group(io_.get_executor());
  group.spawn(look(seen));
  saved();
  await(group.join());
  EXPECT_NE(seen.find(GetParam()), std::string::npos) << "the watch saw no child at all";
  EXPECT_EQ(seen.find("canary-s3cret"), std::string::npos);
  EXPECT_EQ(shell("grep -rl canary-s3cret '" + (folder_ / "one").string() + "' || true"), "");
}

TEST_P(EngineContract, ProgressIsReported) {
  make_much(source_);
  created();
  auto asked = request();
  std::uint64_t most = 0;
  asked.on_progress = [&](std::uint64_t bytes) { most = std::max(most, bytes); };
  EXPECT_TRUE(prepared_snapshot(*engine_, asked).clean());
  EXPECT_GT(most, 0u);
}

fs::path some_pack(const fs::path& repository, bool kopia) {
  return shell("find '" + (repository / (kopia ? "p" : "data")).string() + "' -type f -size +1M -print -quit | tr -d '\\n'");
}

TEST_P(EngineContract, VerifyIsContentWithASoundRepository) {
  const auto made = saved();
  for (const int percent : {0, 10, 100}) {
    EXPECT_NO_THROW(await(engine_->verify(std::vector<std::string>{made.id}, percent, Cancel()))) << percent;
  }
}

TEST_P(EngineContract, VerifySeesAFlippedByteWhenItReadsEverything) {
  shell("head -c 5000000 /dev/urandom > '" + (source_ / "big").string() + "'");
  const auto made = saved();
  const auto pack = some_pack(repository_, kopia());
  ASSERT_FALSE(pack.empty());
  shell("f='" + pack.string() + "'; chmod u+w \"$f\"; b=$(dd if=\"$f\" bs=1 skip=500000 count=1 status=none | od -An -tu1 | tr -d ' '); " +
        "printf \"\\\\x$(printf %02x $((b ^ 255)))\" | dd of=\"$f\" bs=1 seek=500000 conv=notrunc status=none");
  const auto error = error_of([&] { await(engine_->verify(std::vector<std::string>{made.id}, 100, Cancel())); });
  EXPECT_EQ(error.kind(), ErrorKind::failed) << error.what();
}

TEST_P(EngineContract, VerifySeesAMissingPackWithoutReadingData) {
  shell("head -c 5000000 /dev/urandom > '" + (source_ / "big").string() + "'");
  const auto made = saved();
  fs::remove(some_pack(repository_, kopia()));
  const auto error = error_of([&] { await(engine_->verify(std::vector<std::string>{made.id}, 0, Cancel())); });
  EXPECT_EQ(error.kind(), ErrorKind::failed) << error.what();
}

TEST_P(EngineContract, VerifyMissesASnapshotThatIsGone) {
  const auto made = saved(), kept = prepared_snapshot(*engine_, request());
  await(engine_->remove(std::vector<std::string>{made.id}, Cancel()));
  EXPECT_EQ(error_of([&] { await(engine_->verify(std::vector<std::string>{made.id}, 0, Cancel())); }).kind(), ErrorKind::failed);
  EXPECT_NO_THROW(await(engine_->verify(std::vector<std::string>{kept.id}, 0, Cancel())));
}

TEST_P(EngineContract, AFullDiskIsToldWithinItsDeadlineAndNothingIsBelieved) {
  if (::mount("none", repository_.c_str(), "tmpfs", 0, "size=40m") != 0) GTEST_SKIP() << "may not mount a file system here";
  struct Unmount {
    ~Unmount() { ::umount2(path.c_str(), MNT_DETACH); }
    fs::path path;
  } unmount{repository_};
  created();
  shell("head -c 120000000 /dev/urandom > '" + (source_ / "big").string() + "'");
  await(engine_->prepare(std::vector<SourcePolicy>(1, policy()), Cancel()));
  auto asked = request();
  asked.deadline = std::chrono::minutes(5);
  const auto kind = error_of([&] { await(engine_->snapshot(asked, Cancel())); }).kind();
  EXPECT_TRUE(kind == ErrorKind::no_space || kind == ErrorKind::failed) << to_string(kind);
  EXPECT_TRUE(children().empty());
  fs::remove(source_ / "big");
  ::mount("none", repository_.c_str(), "tmpfs", MS_REMOUNT, "size=200m");
  EXPECT_TRUE(ids(*engine_).empty());
  EXPECT_TRUE(prepared_snapshot(*engine_, request()).clean()) << "it must go on once there is room again";
}

}  // namespace
}  // namespace kopidocka::testing
