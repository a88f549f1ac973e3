#include <chrono>

#include "contract/engine/engine_fixture.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

TEST_P(EngineContract, ASnapshotTellsWhatItHoldsAndIsListedTheSame) {
  write(source_ / "second", std::string(1'000, 'x'));
  const auto before = std::chrono::system_clock::now();
  auto asked = request();
  asked.tags = {{"unit", "shop"}, {"type", "volume"}};
  const auto made = prepared_snapshot(created(), asked);
  EXPECT_TRUE(made.clean());
  EXPECT_EQ(made.bytes, 1'007u);
  EXPECT_EQ(made.files, 2u);
  EXPECT_GE(made.start_time, before - std::chrono::seconds(1));
  EXPECT_GE(made.end_time, made.start_time);
  const auto listed = await(engine_->list({}, Cancel()));
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].id, made.id);
  EXPECT_EQ(listed[0].path, "/identity/data");
  EXPECT_EQ(listed[0].tags, asked.tags);
  EXPECT_TRUE(listed[0].clean());
}

TEST_P(EngineContract, TagsComeBackByteForByte) {
  auto asked = request();
  asked.tags = {{"colon", "a:b:c"},    {"comma", "a,b"},        {"sign", "a=b==c"},           {"newline", "a\nb"},
                {"percent", "100%41"}, {"unicode", "Grüße 漢字 🐳"}, {"empty", ""},            {"space", "  two  "},
                {"quotes", "'\"\\"},   {"backup_id", "x-1"},     {"dash", "--all --delete"}};
  const auto made = prepared_snapshot(created(), asked);
  EXPECT_EQ(made.tags, asked.tags);
  EXPECT_EQ(await(engine_->list({}, Cancel())).at(0).tags, asked.tags);
}

TEST_P(EngineContract, TagNamesThatAnEngineWouldMisreadAreRefused) {
  for (const std::string name : {"a:b", "a=b", "a,b", "", "a b"}) {
    auto asked = request();
    asked.tags = {{name, "value"}};
    EXPECT_EQ(error_of([&] { await(created().snapshot(asked, Cancel())); }).kind(), ErrorKind::invalid) << name;
  }
}

TEST_P(EngineContract, ListsAreFilteredByPathAndEveryTag) {
  auto first = request("/identity/a"), second = request("/identity/b");
  first.tags = {{"unit", "shop"}, {"type", "volume"}};
  second.tags = {{"unit", "shop"}, {"type", "recipe"}};
  const auto a = prepared_snapshot(created(), first), b = prepared_snapshot(*engine_, second);
  SnapshotFilter filter;
  filter.tags = {{"unit", "shop"}};
  EXPECT_EQ(ids(*engine_, filter), (std::vector<std::string>{a.id, b.id}));
  filter.tags["type"] = "recipe";
  EXPECT_EQ(ids(*engine_, filter), std::vector<std::string>{b.id});
  filter = {};
  filter.path = "/identity/a/";
  EXPECT_EQ(ids(*engine_, filter), std::vector<std::string>{a.id});
  filter.tags = {{"type", "recipe"}};
  EXPECT_TRUE(ids(*engine_, filter).empty());
}

TEST_P(EngineContract, AnUnchangedSourceStillGetsASnapshotOfItsOwn) {
  const auto first = saved(), second = prepared_snapshot(*engine_, request());
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(ids(*engine_).size(), 2u);
}

TEST_P(EngineContract, AFileThatLooksUnchangedIsReadAnewWhenThatIsAskedFor) {
  write(source_ / "sly", "old content");
  shell("touch -d @1000000000 '" + (source_ / "sly").string() + "'");
  (void)saved();
  write(source_ / "sly", "new content");
  shell("touch -d @1000000000 '" + (source_ / "sly").string() + "'");
  auto asked = request();
  const auto trusting = prepared_snapshot(*engine_, asked);
  asked.reread = true;
  const auto anew = prepared_snapshot(*engine_, asked);
  restore(*engine_, anew.id, (folder_ / "anew").string());
  EXPECT_EQ(read(folder_ / "anew" / "sly"), "new content");
  if (!kopia()) return;
  restore(*engine_, trusting.id, (folder_ / "trusting").string());
  EXPECT_EQ(read(folder_ / "trusting" / "sly"), "old content") << "else nobody needs to ask";
}

TEST_P(EngineContract, ASourceThatVanishedIsAnErrorAndLeavesNothing) {
  created();
  fs::remove_all(source_);
  EXPECT_EQ(error_of([&] { await(engine_->snapshot(request(), Cancel())); }).kind(), ErrorKind::failed);
  EXPECT_TRUE(ids(*engine_).empty());
}

TEST_P(EngineContract, APathThatIsItsOwnIdentityNeedsNoOverride) {
  auto asked = request(source_.string());
  const auto made = prepared_snapshot(created(), asked);
  EXPECT_EQ(made.path, source_.string());
  EXPECT_TRUE(made.clean());
}

TEST_P(EngineContract, ASingleFileIsASource) {
  auto asked = request();
  asked.source.local_path = (source_ / "file").string();
  const auto made = prepared_snapshot(created(), asked);
  EXPECT_TRUE(made.clean());
  EXPECT_EQ(made.files, 1u);
  const auto target = folder_ / "came-back.zip";
  restore(*engine_, made.id, target.string(), true);
  EXPECT_EQ(read(target), "content");
}

TEST_P(EngineContract, ExcludedNamesAreLeftOutAndOthersKept) {
  // The rule is also the name of a folder above the source: only what is below it may go.
  fs::create_directories(source_ / "deep" / "er" / "source");
  fs::create_directories(source_ / "source");
  fs::create_directories(source_ / "top" / "cache");
  write(source_ / "source" / "gone", "x");
  write(source_ / "deep" / "er" / "source" / "gone", "x");
  write(source_ / "deep" / "er" / "note.tmp", "x");
  write(source_ / "top" / "cache" / "kept", "x");
  fs::create_directories(source_ / "cache");
  write(source_ / "cache" / "gone", "x");
  auto asked = request();
  asked.policy.exclude = {"source", "*.tmp", "/cache"};
  const auto made = prepared_snapshot(created(), asked);
  restore(*engine_, made.id, (folder_ / "back").string());
  EXPECT_EQ(shell("cd '" + (folder_ / "back").string() + "' && find . -type f | sort"), "./file\n./top/cache/kept\n");
}

TEST_P(EngineContract, ARuleThatEndsWithASlashIsForFoldersOnly) {
  fs::create_directories(source_ / "logs");
  fs::create_directories(source_ / "deep" / "er");
  write(source_ / "logs" / "gone", "x");
  write(source_ / "deep" / "logs", "a file of that name");
  auto asked = request();
  asked.policy.exclude = {"logs/"};
  restore(*engine_, prepared_snapshot(created(), asked).id, (folder_ / "back").string());
  EXPECT_EQ(shell("cd '" + (folder_ / "back").string() + "' && find . -type f | sort"), "./deep/logs\n./file\n");
}

TEST_P(EngineContract, WhatARestoreKeepsInsideTheDataIsLeftOut) {
  const std::string run = ".kopi-docka-0d7c8f3e-1111-4222-8333-444455556666";
  fs::create_directories(source_ / run / "old");
  write(source_ / run / "old" / "kept", "x");
  fs::create_directories(source_ / "inner" / (run + ".data.old"));
  write(source_ / "inner" / (run + ".data.old") / "kept", "x");
  write(source_ / ".kopi-docka-notes", "a user's own");
  restore(*engine_, saved().id, (folder_ / "back").string());
  EXPECT_EQ(shell("cd '" + (folder_ / "back").string() + "' && find . -type f | sort"), "./.kopi-docka-notes\n./file\n");
}

TEST_P(EngineContract, ALinkToTheDataIsFollowedAndKeepsItsIdentity) {
  fs::create_directory_symlink(source_, folder_ / "link");
  for (const auto& path : {std::string("/identity/data"), (folder_ / "link").string()}) {
    auto asked = request(path);
    asked.source.local_path = (folder_ / "link").string();
    const auto made = prepared_snapshot(created(), asked);
    EXPECT_EQ(made.path, path);
    EXPECT_EQ(made.files, 1u);
    const auto target = folder_ / ("back" + std::to_string(path.size()));
    restore(*engine_, made.id, target.string());
    EXPECT_EQ(read(target / "file"), "content");
  }
}

TEST_P(EngineContract, AnEntryThatCannotBeReadMakesTheSnapshotUnclean) {
  // Root reads everything, except what the kernel itself refuses.
  auto asked = request();
  if (!fs::exists("/proc/sys/net/ipv4/route/flush")) GTEST_SKIP() << "no unreadable file here";
  asked.source.local_path = "/proc/sys/net/ipv4/route";
  const auto made = prepared_snapshot(created(), asked);
  EXPECT_TRUE(made.usable());
  EXPECT_FALSE(made.clean());
  EXPECT_GE(made.errors, 1u);
  const auto listed = await(engine_->list({}, Cancel()));
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].id, made.id);
  EXPECT_FALSE(listed[0].clean());
  EXPECT_EQ(listed[0].tags, asked.tags);
}

TEST_P(EngineContract, RemovedSnapshotsAreGoneAndOthersStay) {
  const auto first = saved(), second = prepared_snapshot(*engine_, request()), third = prepared_snapshot(*engine_, request());
  await(engine_->remove(std::vector<std::string>{first.id, third.id}, Cancel()));
  EXPECT_EQ(ids(*engine_), std::vector<std::string>{second.id});
  EXPECT_EQ(error_of([&] { await(engine_->remove(std::vector<std::string>{first.id}, Cancel())); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { await(engine_->remove(std::vector<std::string>{"--all"}, Cancel())); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(ids(*engine_), std::vector<std::string>{second.id});
}

TEST_P(EngineContract, RetentionKeepsExactlyTheNewestOnes) {
  auto asked = request();
  asked.policy.retention = {2, 0, 0, 0, 0, 0};
  std::vector<std::string> made;
  for (int i = 0; i < 4; ++i) made.push_back(prepared_snapshot(created(), asked).id);
  auto other = request("/identity/other");
  other.policy.retention = asked.policy.retention;
  const auto kept = prepared_snapshot(*engine_, other).id;
  const auto gone = await(engine_->expire(std::vector<SourcePolicy>{asked.policy}, Cancel()));
  SnapshotFilter filter;
  filter.path = "/identity/data";
  EXPECT_EQ(ids(*engine_, filter), (std::vector<std::string>{made[2], made[3]}));
  // Kopia let the oldest go by itself.
  EXPECT_EQ(gone, kopia() ? std::vector<std::string>{made[1]} : (std::vector<std::string>{made[1], made[0]}));
  filter.path = "/identity/other";
  EXPECT_EQ(ids(*engine_, filter), std::vector<std::string>{kept});
}

TEST_P(EngineContract, TheLastGoodSnapshotStaysUntilTheNextRunHasSucceeded) {
  auto asked = request();
  asked.policy.retention = {1, 0, 0, 0, 0, 0};
  const auto good = prepared_snapshot(created(), asked);
  for (int i = 0; i < 2; ++i) {
    const auto of_a_failed_run = prepared_snapshot(*engine_, asked);
    await(engine_->remove(std::vector<std::string>{of_a_failed_run.id}, Cancel()));
    EXPECT_EQ(ids(*engine_), std::vector<std::string>{good.id});
  }
  const auto next = prepared_snapshot(*engine_, asked);
  EXPECT_EQ(await(engine_->expire(std::vector<SourcePolicy>{asked.policy}, Cancel())), std::vector<std::string>{good.id});
  EXPECT_EQ(ids(*engine_), std::vector<std::string>{next.id});
}

TEST_P(EngineContract, ATighterRetentionTakesEffectAtExpire) {
  auto asked = request();
  std::vector<std::string> made;
  for (int i = 0; i < 3; ++i) made.push_back(prepared_snapshot(created(), asked).id);
  EXPECT_EQ(ids(*engine_).size(), 3u);
  asked.policy.retention = {1, 0, 0, 0, 0, 0};
  auto gone = await(engine_->expire(std::vector<SourcePolicy>{asked.policy}, Cancel()));
  std::sort(gone.begin(), gone.end());
  std::vector<std::string> expected{made[0], made[1]};
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(gone, expected);
  EXPECT_EQ(ids(*engine_), std::vector<std::string>{made[2]});
}

TEST_P(EngineContract, TwoEnginesWorkOnOneRepositoryAtOnce) {
  created();
  const auto second = engine(settings("two"));
  TaskGroup both(io_.get_executor());
  static constexpr auto save = [](SnapshotEngine& engine, SnapshotRequest asked) -> Task<> {
    co_await engine.prepare(std::vector<SourcePolicy>(1, asked.policy), Cancel());
    for (int i = 0; i < 2; ++i) co_await engine.snapshot(asked, Cancel());
  };
  both.spawn(save(*engine_, request("/identity/a")));
  both.spawn(save(*engine_, request("/identity/b")));
  both.spawn(save(*second, request("/identity/a")));
  await(both.join());
  EXPECT_EQ(ids(*engine_).size(), 4u);
  EXPECT_EQ(ids(*second).size(), 2u);
}

TEST_P(EngineContract, MaintenanceLosesNoSnapshot) {
  const auto made = saved();
  await(engine_->maintain(false, Cancel()));
  await(engine_->maintain(true, Cancel()));
  EXPECT_EQ(ids(*engine_), std::vector<std::string>{made.id});
  EXPECT_NO_THROW(await(engine_->verify(std::vector<std::string>{made.id}, 100, Cancel())));
}

}  // namespace
}  // namespace kopidocka::testing
