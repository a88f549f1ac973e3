#include "contract/engine/engine_fixture.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

/// Restic alone locks its repository.
class ResticLockContract : public EngineContract {
 protected:
  /// With a deadline for locks that a test can wait for.
  SnapshotEngine& hurried(Milliseconds patience) {
    auto own = settings();
    own.deadlines.locked = patience;
    engine_ = engine(own);
    await(engine_->create(Cancel()));
    return *engine_;
  }
  /// A source that takes a while.
  SnapshotRequest long_request() {
    const auto big = folder_ / "big";
    fs::create_directories(big);
    shell("for i in 1 2 3 4; do head -c 150000000 /dev/urandom > '" + big.string() + "/'$i; done");
    auto asked = request("/identity/big");
    asked.source.local_path = big.string();
    return asked;
  }
  std::vector<std::string> of(const std::string& path) {
    SnapshotFilter filter;
    filter.path = path;
    return ids(*engine_, filter);
  }
};

Task<> save(SnapshotEngine& engine, SnapshotRequest asked, std::optional<Snapshot>& made) {
  co_await engine.prepare(std::vector<SourcePolicy>(1, asked.policy), Cancel());
  made = co_await engine.snapshot(asked, Cancel());
}

TEST_P(ResticLockContract, RetentionBesideARunningBackupHarmsNeitherAndIsDoneAfterwards) {
  auto small = request();
  small.policy.retention = {1, 0, 0, 0, 0, 0};
  hurried(Milliseconds(1'000));
  const auto old = prepared_snapshot(*engine_, small), kept = prepared_snapshot(*engine_, small);
  const auto big = long_request();
  std::optional<Snapshot> made;
  TaskGroup group(io_.get_executor());
  group.spawn(save(*engine_, big, made));
  await(sleep_for(Milliseconds(2'000)));
  ASSERT_FALSE(made) << "the backup was too quick for this test";
  EXPECT_TRUE(await(engine_->expire(std::vector<SourcePolicy>{small.policy}, Cancel())).empty());
  await(group.join());
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->clean());
  EXPECT_EQ(of("/identity/data"), (std::vector<std::string>{old.id, kept.id}));
  EXPECT_EQ(await(engine_->expire(std::vector<SourcePolicy>{big.policy}, Cancel())), std::vector<std::string>{old.id});
  EXPECT_EQ(of("/identity/data"), std::vector<std::string>{kept.id});
}

TEST_P(ResticLockContract, ARetentionLeftOverIsDroppedWhenItsSourceIsSavedAnew) {
  auto small = request();
  small.policy.retention = {1, 0, 0, 0, 0, 0};
  hurried(Milliseconds(1'000));
  prepared_snapshot(*engine_, small);
  prepared_snapshot(*engine_, small);
  const auto big = long_request();
  std::optional<Snapshot> made;
  TaskGroup group(io_.get_executor());
  group.spawn(save(*engine_, big, made));
  await(sleep_for(Milliseconds(2'000)));
  EXPECT_TRUE(await(engine_->expire(std::vector<SourcePolicy>{small.policy}, Cancel())).empty());
  await(group.join());
  prepared_snapshot(*engine_, small);  // of a run that has not succeeded yet
  EXPECT_TRUE(await(engine_->expire(std::vector<SourcePolicy>{big.policy}, Cancel())).empty());
  EXPECT_EQ(of("/identity/data").size(), 3u);
}

TEST_P(ResticLockContract, RemovingWaitsForARunningBackup) {
  const auto failed = saved();
  const auto big = long_request();
  std::optional<Snapshot> made;
  TaskGroup group(io_.get_executor());
  group.spawn(save(*engine_, big, made));
  await(sleep_for(Milliseconds(2'000)));
  await(engine_->remove(std::vector<std::string>{failed.id}, Cancel()));
  EXPECT_TRUE(of("/identity/data").empty());
  await(group.join());
  ASSERT_TRUE(made);
  EXPECT_TRUE(made->clean());
}

TEST_P(ResticLockContract, UnreadableEntriesAreKnownWhileAndAfterOthersAreAtWork) {
  if (!fs::exists("/proc/sys/net/ipv4/route/flush")) GTEST_SKIP() << "no unreadable file here";
  hurried(Milliseconds(1'000));
  const auto big = long_request();
  auto odd = request();
  odd.source.local_path = "/proc/sys/net/ipv4/route";
  std::optional<Snapshot> made;
  TaskGroup group(io_.get_executor());
  group.spawn(save(*engine_, big, made));
  await(sleep_for(Milliseconds(2'000)));
  EXPECT_GE(await(engine_->snapshot(odd, Cancel())).errors, 1u);
  SnapshotFilter filter;
  filter.path = "/identity/data";
  EXPECT_GE(await(engine_->list(filter, Cancel())).at(0).errors, 1u);
  await(group.join());
  await(engine_->expire(std::vector<SourcePolicy>{odd.policy}, Cancel()));
  EXPECT_GE(await(engine(settings("two"))->list({.all_hosts = true, .tags = {}, .path = "/identity/data"}, Cancel())).at(0).errors, 1u)
      << "everybody sees it in the repository";
}

TEST_P(ResticLockContract, ASnapshotWithUnreadableEntriesCanBeRemovedBeforeTheyAreNoted) {
  if (!fs::exists("/proc/sys/net/ipv4/route/flush")) GTEST_SKIP() << "no unreadable file here";
  hurried(Milliseconds(60'000));
  const auto big = long_request();
  auto odd = request();
  odd.source.local_path = "/proc/sys/net/ipv4/route";
  std::optional<Snapshot> made;
  TaskGroup group(io_.get_executor());
  group.spawn(save(*engine_, big, made));
  await(sleep_for(Milliseconds(2'000)));
  const auto failed = await(engine_->snapshot(odd, Cancel()));
  await(engine_->remove(std::vector<std::string>{failed.id}, Cancel()));
  EXPECT_TRUE(of("/identity/data").empty());
  await(group.join());
  EXPECT_EQ(ids(*engine_).size(), 1u);
}

TEST_P(ResticLockContract, TheLockOfAnotherProgramIsWaitedFor) {
  saved();
  auto own = settings();
  own.binary = wrapped("case \"$1\" in backup|forget) n=$(cat '" + (folder_ / "tries").string() + "' 2>/dev/null || echo 0)\n" +
                       "  echo $((n + 1)) > '" + (folder_ / "tries").string() + "'\n" +
                       "  if ((n % 3 < 2)); then echo 'unable to create lock in backend: repository is already locked exclusively by PID 7' >&2; exit 1; fi;;\nesac");
  engine_ = engine(own);
  const auto made = prepared_snapshot(*engine_, request());
  EXPECT_TRUE(made.clean());
  await(engine_->remove(std::vector<std::string>{made.id}, Cancel()));
  EXPECT_EQ(ids(*engine_).size(), 1u);
}

TEST_P(ResticLockContract, ALockThatStaysIsToldBeforeAnythingIsStopped) {
  saved();
  auto own = settings();
  own.deadlines.locked = Milliseconds(1'500);
  own.binary = wrapped("if [ \"$1\" = list ]; then echo 'repository is already locked exclusively by PID 7' >&2; exit 1; fi");
  engine_ = engine(own);
  EXPECT_EQ(error_of([&] { await(engine_->prepare(std::vector<SourcePolicy>(1, policy()), Cancel())); }).kind(), ErrorKind::busy);
}

TEST_P(ResticLockContract, PruningIsGivenUpForABackup) {
  saved();
  await(engine_->expire(std::vector<SourcePolicy>(1, policy()), Cancel()));
  auto own = settings();
  own.binary = wrapped("if [ \"$1\" = prune ]; then exec sleep 600; fi");
  engine_ = engine(own);
  static constexpr auto prune = [](SnapshotEngine& engine, std::optional<Error>& end) -> Task<> {
    try {
      co_await engine.maintain(true, Cancel());
    } catch (const Error& error) {
      end = error;
    }
  };
  std::optional<Error> end;
  TaskGroup group(io_.get_executor());
  group.spawn(prune(*engine_, end));
  await(sleep_for(Milliseconds(3'000)));
  EXPECT_TRUE(prepared_snapshot(*engine_, request()).clean());
  await(group.join());
  ASSERT_TRUE(end);
  EXPECT_EQ(end->kind(), ErrorKind::busy) << end->what();
}

INSTANTIATE_TEST_SUITE_P(Engine, ResticLockContract, ::testing::Values("restic"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kopidocka::testing
