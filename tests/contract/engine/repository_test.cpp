#include "contract/engine/engine_fixture.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

TEST_P(EngineContract, ACreatedRepositoryHasTheSameIdForEveryClient) {
  const auto mine = await(created().probe(Cancel()));
  const auto other = await(engine(settings("two"))->probe(Cancel()));
  EXPECT_GE(mine.unique_id.size(), 32u);
  EXPECT_EQ(mine.unique_id, other.unique_id);
  EXPECT_EQ(mine.storage, "filesystem:" + repository_.string());
  EXPECT_EQ(mine.engine_version.rfind(GetParam() + " ", 0), 0u) << mine.engine_version;
  EXPECT_GT(mine.bytes_total, mine.bytes_free);
  EXPECT_GT(mine.bytes_free, 0u);
}

TEST_P(EngineContract, CreatingTwiceIsRefusedAndHarmless) {
  const auto id = await(created().probe(Cancel())).unique_id;
  EXPECT_EQ(error_of([&] { await(engine_->create(Cancel())); }).kind(), ErrorKind::busy);
  EXPECT_EQ(error_of([&] { await(engine(settings("two"))->create(Cancel())); }).kind(), ErrorKind::busy);
  EXPECT_EQ(await(engine_->probe(Cancel())).unique_id, id);
}

TEST_P(EngineContract, CreatingAmongForeignDataIsRefused) {
  write(repository_ / "holiday.jpg", "picture");
  EXPECT_EQ(error_of([&] { await(engine(settings())->create(Cancel())); }).kind(), ErrorKind::busy);
}

TEST_P(EngineContract, AMissingRepositoryIsReportedAndNeverCreated) {
  EXPECT_EQ(error_of([&] { await(engine(settings())->probe(Cancel())); }).kind(), ErrorKind::not_found);
  EXPECT_TRUE(fs::is_empty(repository_));
}

TEST_P(EngineContract, AStorageThatIsNotMountedIsUnreachableAndNeverCreated) {
  auto lost = settings();
  lost.repository = "filesystem://" + (folder_ / "not-mounted").string();
  EXPECT_EQ(error_of([&] { await(engine(lost)->probe(Cancel())); }).kind(), ErrorKind::unreachable);
  EXPECT_EQ(error_of([&] { await(engine(lost)->create(Cancel())); }).kind(), ErrorKind::unreachable);
  EXPECT_FALSE(fs::exists(folder_ / "not-mounted"));
}

TEST_P(EngineContract, AStorageThatDisappearsLaterIsUnreachable) {
  created();
  fs::rename(repository_, folder_ / "elsewhere");
  EXPECT_EQ(error_of([&] { await(engine_->probe(Cancel())); }).kind(), ErrorKind::unreachable);
  EXPECT_EQ(error_of([&] { await(engine_->list({}, Cancel())); }).kind(), ErrorKind::unreachable);
  EXPECT_FALSE(fs::exists(repository_));
}

TEST_P(EngineContract, AWrongPasswordIsDeniedAndNeverShown) {
  created();
  auto wrong = settings("two");
  wrong.password = Secret("wr0ng-canary");
  const auto error = error_of([&] { await(engine(wrong)->probe(Cancel())); });
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_NE(error.next_step().find("KOPI_DOCKA_PASSWORD"), std::string::npos);
  EXPECT_EQ(std::string(error.what()).find("wr0ng-canary"), std::string::npos);
  auto later = settings();
  later.password = wrong.password;
  EXPECT_EQ(error_of([&] { await(engine(later)->list({}, Cancel())); }).kind(), ErrorKind::denied);
  auto none = settings("three");
  none.password = Secret();
  EXPECT_EQ(error_of([&] { await(engine(none)->probe(Cancel())); }).kind(), ErrorKind::denied);
}

TEST_P(EngineContract, AnotherRepositoryThanThePinnedOneIsRefused) {
  auto pinned = settings();
  pinned.pinned_id = await(created().probe(Cancel())).unique_id;
  EXPECT_NO_THROW(await(engine(pinned)->probe(Cancel())));
  pinned.pinned_id.back() = pinned.pinned_id.back() == '0' ? '1' : '0';
  const auto error = error_of([&] { await(engine(pinned)->probe(Cancel())); });
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_NE(error.message().find(pinned.pinned_id), std::string::npos);
  EXPECT_EQ(error_of([&] { await(engine(pinned)->list({}, Cancel())); }).kind(), ErrorKind::refused) << "without a probe as well";
}

TEST_P(EngineContract, ADamagedRepositoryIsAnErrorNotAnEmptyOne) {
  created();
  const auto file = repository_ / (kopia() ? "kopia.repository.f" : "config");
  fs::permissions(file, fs::perms::owner_write | fs::perms::owner_read);
  write(file, "no longer what it was, but long enough to be looked at as a whole");
  const auto error = error_of([&] { await(engine(settings("two"))->probe(Cancel())); });
  EXPECT_EQ(error.kind(), ErrorKind::failed) << error.what();
}

TEST_P(EngineContract, UnsupportedOrSenselessSettingsAreRefusedByName) {
  const auto kind_of = [&](const std::string& url) {
    auto bad = settings();
    bad.repository = url;
    const auto made = make_engine(bad);
    return made ? ErrorKind::internal : made.error().kind();
  };
  EXPECT_EQ(kind_of("s3://key:secret@bucket"), ErrorKind::invalid);
  EXPECT_EQ(kind_of("filesystem://relative"), ErrorKind::invalid);
  EXPECT_EQ(kind_of(""), ErrorKind::invalid);
  auto host = settings();
  host.hostname = "a@b:c";
  EXPECT_EQ(make_engine(host).error().kind(), ErrorKind::invalid);
  auto name = settings();
  name.engine = "tar";
  EXPECT_EQ(make_engine(name).error().kind(), ErrorKind::invalid);
}

TEST_P(EngineContract, AProgramThatIsNotInstalledIsNeverAMissingRepository) {
  created();
  auto missing = settings();
  missing.binary = GetParam() + "-of-another-world";
  EXPECT_EQ(error_of([&] { await(engine(missing)->probe(Cancel())); }).kind(), ErrorKind::refused);
}

TEST_P(EngineContract, ADamagedConfigFileIsNamedAndCanBeRemoved) {
  if (!kopia()) GTEST_SKIP() << "restic keeps no config file";
  const auto id = await(created().probe(Cancel())).unique_id;
  const auto file = settings().state_folder + "/kopia.config";
  write(file, "{ cut off");
  const auto error = error_of([&] { await(engine_->probe(Cancel())); });
  EXPECT_EQ(error.kind(), ErrorKind::failed);
  EXPECT_NE(error.message().find(file), std::string::npos);
  const auto in_use = error_of([&] { await(engine_->list({}, Cancel())); });
  EXPECT_EQ(in_use.kind(), ErrorKind::failed);
  EXPECT_NE(in_use.message().find("damaged"), std::string::npos) << in_use.what();
  fs::remove(file);
  EXPECT_EQ(await(engine_->probe(Cancel())).unique_id, id);
}

TEST_P(EngineContract, AConfigFileThatLeadsElsewhereIsRefused) {
  if (!kopia()) GTEST_SKIP() << "restic keeps no config file";
  created();
  const auto other = folder_ / "other";
  fs::create_directories(other);
  auto moved = settings();
  moved.repository = "filesystem://" + other.string();
  EXPECT_EQ(error_of([&] { await(engine(moved)->probe(Cancel())); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { await(engine(moved)->create(Cancel())); }).kind(), ErrorKind::refused);
  EXPECT_TRUE(fs::is_empty(other));
}

TEST_P(EngineContract, AConfigFileRemovedUnderARunningEngineIsWrittenAnew) {
  if (!kopia()) GTEST_SKIP() << "restic keeps no config file";
  created();
  fs::remove(settings().state_folder + "/kopia.config");
  EXPECT_EQ(error_of([&] { await(engine_->list({}, Cancel())); }).kind(), ErrorKind::unreachable);
  EXPECT_TRUE(await(engine_->list({}, Cancel())).empty());
}

TEST_P(EngineContract, TheIdentityOfTheSettingsIsUsedWhateverTheMachineIsCalled) {
  const auto first = saved();
  EXPECT_EQ(first.host, "host-one");
  EXPECT_EQ(first.path, "/identity/data");
  auto renamed = settings();
  renamed.hostname = "new-name";
  const auto other = engine(renamed);
  const auto second = prepared_snapshot(*other, request());
  EXPECT_EQ(second.host, "new-name");
  EXPECT_EQ(ids(*other), std::vector<std::string>{second.id});
  SnapshotFilter everybody;
  everybody.all_hosts = true;
  EXPECT_EQ(ids(*other, everybody), (std::vector<std::string>{first.id, second.id}));
  if (kopia()) {
    EXPECT_EQ(first.user, "root");
  }
}

TEST_P(EngineContract, ANewRepositoryHasNothingOfAnOlderOneInItsCache) {
  created();
  const auto other = folder_ / "another";
  fs::create_directories(other);
  auto fresh = settings();
  fresh.state_folder = (folder_ / "fresh").string();
  fresh.repository = "filesystem://" + other.string();
  fresh.password = Secret("quite-another");
  const auto engine_of_fresh = engine(fresh);
  EXPECT_NE(await(engine_of_fresh->create(Cancel())).unique_id, await(engine_->probe(Cancel())).unique_id);
}

}  // namespace
}  // namespace kopidocka::testing
