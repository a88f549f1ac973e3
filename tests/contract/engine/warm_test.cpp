#include <csignal>

#include "base/text.hpp"
#include "catalog/restore_points.hpp"
#include "contract/engine/warm_fixture.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

/// A warm pass on its way, to be disturbed.
class WarmPass : public WarmContract {
 protected:
  static Task<> take(WarmPass& test, WarmRequest request) {
    try {
      (void)co_await test.engine_->warm(std::move(request), test.cancel_);
    } catch (const Error& error) {
      test.error_ = error;
    }
  }

  static Task<> disturb(std::function<bool()> attempt) {
    for (int i = 0; i < 2'000 && !attempt(); ++i) co_await sleep_for(Milliseconds(20));
  }

  static Task<> both(WarmPass& test, WarmRequest request, std::function<bool()> attempt) {
    TaskGroup group(test.io_.get_executor());
    group.spawn(take(test, std::move(request)));
    group.spawn(disturb(std::move(attempt)));
    co_await group.join();
  }

  /// `attempt` is called again and again until it has done what it wanted.
  void warm_and(std::function<bool()> attempt) {
    await(engine_->prepare(std::vector<SourcePolicy>(1, gated_policy()), Cancel()));
    WarmRequest asked;
    asked.source = {"/identity/data", source_.string()};
    asked.run = "run-1";
    await(both(*this, asked, std::move(attempt)));
  }

  /// The process id of the kopia that takes a snapshot; empty when there is none.
  static std::string pass_under_way() {
    for (const auto& child : children()) {
      if (read("/proc/" + child + "/cmdline").find("kd_warm") != std::string::npos) return child;
    }
    return {};
  }

  Cancel cancel_;
  std::optional<Error> error_;
};

TEST_P(WarmPass, LeavesOneIncompleteSnapshotThatNoListShows) {
  write(source_ / "large", std::string(1 << 20, 'x'));
  const auto saved = warm();
  EXPECT_EQ(saved.files, 2u);
  EXPECT_EQ(saved.bytes, (1u << 20) + 7u);
  EXPECT_EQ(saved.unread, 0u);
  const auto all = everything();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, saved.id);
  EXPECT_EQ(all[0].incomplete, "canceled");
  EXPECT_EQ(all[0].tags, (Tags{{"kd_warm", "run-1"}}));
  SnapshotFilter of_everybody;
  of_everybody.all_hosts = true;
  EXPECT_TRUE(ids(*engine_).empty());
  EXPECT_TRUE(ids(*engine_, of_everybody).empty());
  SnapshotFilter for_it;
  for_it.tags[kWarmTag] = "run-1";
  EXPECT_EQ(ids(*engine_, for_it), std::vector<std::string>{saved.id});
  EXPECT_EQ(children(), std::vector<std::string>());
}

TEST_P(WarmPass, WhatItReadIsNeitherReadNorUploadedAgainAndItGoesWithTheNextSnapshot) {
  write_old("one", "1");
  write_old("two", "22");
  warm();
  const auto data = shell("find '" + repository_.string() + "' -name 'p*.f' | sort | md5sum");
  const auto saved = cold();
  EXPECT_TRUE(saved.clean());
  EXPECT_EQ(read_for(saved.id), (ReadFiles{0, 3}));
  EXPECT_EQ(shell("find '" + repository_.string() + "' -name 'p*.f' | sort | md5sum"), data);
  EXPECT_EQ(restored(saved.id, "two"), "22");
  EXPECT_TRUE(incomplete().empty());
  EXPECT_EQ(drop(), 0u);
}

TEST_P(WarmPass, OfAnEarlierOneNothingStays) {
  warm("run-1");
  write(source_ / "more", "more");
  const auto second = warm("run-2");
  const auto all = everything();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].id, second.id);
}

TEST_P(WarmPass, IsNoRestorePointEvenWhenItBearsTheTagsOfOne) {
  warm();
  EXPECT_TRUE(restore_points(everything()).empty());
  auto forged = everything();
  ASSERT_EQ(forged.size(), 1u);
  for (const auto& [tag, value] : Tags{{"unit", "shop"}, {"backup_id", "b"}, {"type", "volume"}, {"volume", "data"}}) forged[0].tags[tag] = value;
  EXPECT_TRUE(restore_points(forged).empty());
}

TEST_P(WarmPass, IsRemovedByDropAndByNothingElse) {
  const auto real = cold();
  warm("run-1");
  EXPECT_EQ(drop("run-2"), 0u);
  EXPECT_EQ(drop("run-1", "/identity/other"), 0u);
  EXPECT_EQ(incomplete().size(), 1u);
  auto expiring = gated_policy();
  expiring.retention = {1, 0, 0, 0, 0, 0};
  EXPECT_TRUE(await(engine_->expire(std::vector<SourcePolicy>(1, expiring), Cancel())).empty());
  EXPECT_EQ(drop("run-1"), 1u);
  EXPECT_EQ(drop("run-1"), 0u);
  ASSERT_EQ(everything().size(), 1u);
  EXPECT_EQ(everything()[0].id, real.id);
}

TEST_P(WarmPass, ThatIsCancelledLeavesNothing) {
  write(source_ / "large", std::string(8 << 20, 'x'));
  warm_and([this] {
    if (pass_under_way().empty()) return false;
    cancel_.request(CancelGrade::abort_step);
    return true;
  });
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->kind(), ErrorKind::cancelled) << error_->text();
  EXPECT_TRUE(everything().empty());
  EXPECT_EQ(children(), std::vector<std::string>());
}

TEST_P(WarmPass, WhoseKopiaIsKilledIsAFailureAndLeavesNothing) {
  warm_and([] {
    const auto pid = pass_under_way();
    if (pid.empty() || shell("pgrep -P " + pid + " || true").empty()) return false;
    ::kill(std::stoi(pid), SIGKILL);
    return true;
  });
  ASSERT_TRUE(error_);
  EXPECT_TRUE(everything().empty());
}

TEST_P(WarmPass, ThatSomebodyInterruptsHalfWayLeavesNothingThatLooksWhole) {
  write(source_ / "large", std::string(64 << 20, 'x'));
  warm_and([] {
    const auto pid = pass_under_way();
    if (pid.empty() || shell("pgrep -P " + pid + " || true").empty()) return false;
    ::kill(-std::stoi(pid), SIGINT);
    return true;
  });
  for (const auto& snapshot : everything()) EXPECT_FALSE(snapshot.incomplete.empty());
}

TEST_P(WarmPass, ThatKopiaDoesNotBringToTheGateIsNotKeptAlthoughItIsComplete) {
  auto own = warm_settings();
  own.binary = wrapped("set -- \"${@/#--force-enable-actions/--force-disable-actions}\"");
  engine_ = engine(own);
  const auto error = error_of([&] { warm(); });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_NE(error.text().find("gate"), std::string::npos) << error.text();
  EXPECT_TRUE(everything().empty());
}

TEST_P(WarmPass, TakesLongerThanItMayAndLeavesNothing) {
  write(source_ / "large", std::string(64 << 20, 'x'));
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_policy()), Cancel()));
  WarmRequest asked;
  asked.source = {"/identity/data", source_.string()};
  asked.run = "run-1";
  asked.deadline = Milliseconds(1);
  const auto error = error_of([&] { await(engine_->warm(asked, Cancel())); });
  EXPECT_EQ(error.kind(), ErrorKind::timeout) << error.text();
  EXPECT_TRUE(everything().empty());
}

TEST_P(WarmPass, IsRefusedForASingleFileAndWhereSomebodyElseHasAnAction) {
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_policy()), Cancel()));
  WarmRequest file;
  file.source = {"/identity/data", (source_ / "file").string()};
  file.run = "run-1";
  EXPECT_EQ(error_of([&] { await(engine_->warm(file, Cancel())); }).kind(), ErrorKind::refused);
  tool({"kopia", "policy", "set", "root@host-one:/identity/other", "--before-snapshot-root-action=/bin/true"});
  EXPECT_EQ(error_of([&] { warm("run-1", "/identity/other"); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { warm("a run"); }).kind(), ErrorKind::invalid);
  EXPECT_TRUE(everything().empty());
}

/// What the death of the daemon leaves: a snapshot that was ended, one that was not, and what Kopia saves on its way.
TEST_P(WarmPass, WhatADeadOneLeftIsRemovedAtTheNextStart) {
  const auto real = cold();
  warm("run-1");
  const std::string identity = "--override-source=root@host-one:/identity/";
  tool({"kopia", "snapshot", "create", source_.string(), identity + "two", "--tags=kd_warm:run-2"});
  for (int i = 0; i < 8; ++i) shell("head -c 40000000 /dev/urandom > '" + (source_ / ("large" + std::to_string(i))).string() + "'");
  const auto own = settings();
  shell("export KOPIA_CONFIG_PATH='" + own.state_folder + "/kopia.config' KOPIA_PASSWORD=canary-s3cret KOPIA_CHECK_FOR_UPDATES=false KOPIA_LOG_DIR='" +
        own.cache_folder + "/log'; timeout -s KILL 20 kopia snapshot create '" + source_.string() + "' " + identity +
        "three --tags=kd_warm:run-3 --checkpoint-interval=300ms --parallel=1 & pid=$!; "
        "for i in $(seq 100); do sleep 0.2; kopia snapshot list --json --all --incomplete | grep -q checkpoint && break; done; "
        "pkill -KILL -P $pid kopia; wait $pid || true");
  ASSERT_EQ(incomplete().size() >= 2, true);
  EXPECT_GE(drop(), 3u);
  ASSERT_EQ(everything().size(), 1u);
  EXPECT_EQ(everything()[0].id, real.id);
  EXPECT_EQ(drop(), 0u);
}

TEST_P(WarmPass, OfAnotherIdentityIsNotOurs) {
  warm();
  auto other = warm_settings("two");
  const auto stranger = engine(other);
  EXPECT_EQ(await(stranger->drop_warm("", "", Cancel())), 0u);
  EXPECT_EQ(incomplete().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Engine, WarmPass, ::testing::Values("kopia"), [](const auto& info) { return info.param; });

class WarmRetention : public WarmContract {
 protected:
  /// Takes `count` snapshots as runs do; which of them stay, by their number.
  std::vector<int> kept(const std::string& path, const Retention& retention, int count, bool with_warm_pass) {
    std::vector<std::string> made;
    auto expiring = gated_policy(path);
    expiring.retention = retention;
    for (int i = 0; i < count; ++i) {
      write(source_ / "file", path + std::to_string(i));
      await(engine_->prepare(std::vector<SourcePolicy>(1, expiring), Cancel()));
      WarmRequest asked;
      asked.source = {path, source_.string()};
      asked.run = "run-" + std::to_string(i);
      if (with_warm_pass) await(engine_->warm(asked, Cancel()));
      auto snapshot = request(path);
      snapshot.policy = expiring;
      made.push_back(await(engine_->snapshot(snapshot, Cancel())).id);
      await(engine_->expire(std::vector<SourcePolicy>(1, expiring), Cancel()));
    }
    SnapshotFilter of_path;
    of_path.path = path;
    const auto there = ids(*engine_, of_path);
    std::vector<int> numbers;
    for (int i = 0; i < count; ++i) {
      if (std::find(there.begin(), there.end(), made[static_cast<size_t>(i)]) != there.end()) numbers.push_back(i);
    }
    return numbers;
  }
};

TEST_P(WarmRetention, KeepsTheSameSnapshotsWithAndWithoutWarmPasses) {
  const Retention latest_one{1, 0, 0, 0, 0, 0}, latest_two{2, 0, 0, 0, 0, 0}, usual;
  EXPECT_EQ(kept("/identity/a", latest_one, 3, true), kept("/identity/b", latest_one, 3, false));
  EXPECT_EQ(kept("/identity/c", latest_two, 4, true), kept("/identity/d", latest_two, 4, false));
  EXPECT_EQ(kept("/identity/e", usual, 2, true), kept("/identity/f", usual, 2, false));
}

/// Kopia applies the retention at a warm pass as well, and a run may end there.
TEST_P(WarmRetention, AWarmPassAloneLetsNothingGo) {
  auto one = gated_policy();
  one.retention = {1, 0, 0, 0, 0, 0};
  auto asked = request();
  asked.policy = one;
  const auto first = prepared_snapshot(*engine_, asked);
  WarmRequest beforehand;
  beforehand.source = asked.source;
  for (int i = 0; i < 3; ++i) {
    write(source_ / "file", "version " + std::to_string(i));
    beforehand.run = "run-" + std::to_string(i);
    await(engine_->warm(beforehand, Cancel()));
  }
  EXPECT_EQ(ids(*engine_), std::vector<std::string>{first.id});
}

INSTANTIATE_TEST_SUITE_P(Engine, WarmRetention, ::testing::Values("kopia"), [](const auto& info) { return info.param; });

class WarmUnable : public EngineContract {};

TEST_P(WarmUnable, AnEngineThatCannotWaitHalfWaySaysSo) {
  auto& plain = created();
  EXPECT_FALSE(plain.can_warm());
  WarmRequest asked;
  asked.source = {"/identity/data", source_.string()};
  asked.run = "run-1";
  EXPECT_EQ(error_of([&] { await(plain.warm(asked, Cancel())); }).kind(), ErrorKind::refused);
  EXPECT_EQ(await(plain.drop_warm("", "", Cancel())), 0u);
}

INSTANTIATE_TEST_SUITE_P(Engine, WarmUnable, ::testing::Values("kopia", "restic"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kopidocka::testing
