#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <map>
#include <set>

#include "base/file.hpp"
#include "contract/engine/warm_fixture.hpp"
#include "worker/settle.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

constexpr size_t kLimit = 40'000;

/// A file that a program has mapped and stores to.
class MappedFile {
 public:
  explicit MappedFile(const fs::path& path) : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    memory_ = static_cast<char*>(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0));
  }
  ~MappedFile() { ::munmap(memory_, kBytes); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  void store(char value) { static_cast<volatile char*>(memory_)[100] = value; }

  static constexpr size_t kBytes = 4096;

 private:
  FileDescriptor file_;
  char* memory_;
};

class WarmDistrust : public WarmContract {
 protected:
  std::set<std::string> ids_of_all() {
    std::set<std::string> result;
    for (const auto& snapshot : everything()) result.insert(snapshot.id);
    return result;
  }
  std::string mapped_content(char value) {
    std::string content(MappedFile::kBytes, 'o');
    content[100] = value;
    return content;
  }
};

TEST_P(WarmDistrust, WhatIsInDoubtIsReadAnewAndTheRestIsTrusted) {
  fs::create_directories(source_ / "below");
  write_old("clean", "clean");
  write_old("below/also clean", "also clean");
  write_old("touched", "its content");
  write_old("below/twin", "its content");
  write(source_ / "recent", "recent");
  const auto doubt = distrust(warm(), minutes_ago(10), {"touched", "below/gone meanwhile"});
  // "file" of the fixture is recent, too.
  EXPECT_EQ(doubt.files, 4u);
  EXPECT_EQ(doubt.bytes, 11u + 11u + 6u + 7u);
  EXPECT_EQ(doubt.trust.size(), 2u);
  const auto left = incomplete();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0].id, doubt.id);
  EXPECT_EQ(left[0].files, 2u);
  EXPECT_EQ(left[0].tags, (Tags{{"kd_warm", "run-1"}}));
  const auto saved = cold();
  EXPECT_EQ(read_for(saved.id), (ReadFiles{4, 2}));
  EXPECT_EQ(saved.files, 6u);
  EXPECT_EQ(restored(saved.id, "below/twin"), "its content");
}

TEST_P(WarmDistrust, ItVouchesForWhatItKeptAndForNothingElse) {
  write_old("clean", "clean");
  write_old("touched", "touched");
  struct stat info {};
  ASSERT_EQ(::stat((source_ / "clean").c_str(), &info), 0);
  const auto doubt = distrust(warm(), minutes_ago(10), {"touched"});
  EXPECT_TRUE(doubt.trust.vouches_for("clean", 5, info.st_mtim.tv_sec));
  EXPECT_FALSE(doubt.trust.vouches_for("clean", 6, info.st_mtim.tv_sec));
  EXPECT_FALSE(doubt.trust.vouches_for("clean", 5, info.st_mtim.tv_sec + 1));
  EXPECT_FALSE(doubt.trust.vouches_for("touched", 7, info.st_mtim.tv_sec));
}

TEST_P(WarmDistrust, WithNothingInDoubtTheSnapshotStaysAsItIs) {
  write_old("file", "content");
  const auto beforehand = warm();
  const auto doubt = distrust(beforehand, minutes_ago(10));
  EXPECT_EQ(doubt.id, beforehand.id);
  EXPECT_EQ(doubt.files, 0u);
  EXPECT_EQ(read_for(cold().id), (ReadFiles{0, 1}));
}

TEST_P(WarmDistrust, WithAllInDoubtNothingOfItIsTrusted) {
  fs::create_directories(source_ / "a/b");
  write(source_ / "a/b/deep", "deep");
  const auto doubt = distrust(warm(), minutes_ago(10));
  EXPECT_EQ(doubt.files, 2u);
  EXPECT_EQ(incomplete().at(0).files, 0u);
  EXPECT_EQ(read_for(cold().id), (ReadFiles{2, 0}));
}

TEST_P(WarmDistrust, AFileRewrittenWithItsOldTimeIsSavedWithItsLastContent) {
  write_old("file", "before");
  const auto settled = settle(source_.string());
  if (!settled.exact) GTEST_SKIP() << settled.reason;
  const auto beforehand = warm();
  write_unseen(source_ / "file", "after!");
  const auto touched = touched_since(settled, kLimit, Looked::held);
  ASSERT_EQ(touched.files.size(), 1u);
  distrust(beforehand, settled, touched);
  EXPECT_EQ(restored(cold().id, "file"), "after!");
}

/// The trap itself: were it to vanish, all this would be for nothing.
TEST_P(WarmDistrust, LeftAloneAWarmSnapshotSpoilsTheNextOne) {
  write_old("file", "before");
  warm();
  write_unseen(source_ / "file", "after!");
  EXPECT_EQ(restored(cold().id, "file"), "before");
}

TEST_P(WarmDistrust, DroppedItSpoilsNothing) {
  write_old("file", "before");
  warm();
  write_unseen(source_ / "file", "after!");
  EXPECT_EQ(drop(), 1u);
  EXPECT_EQ(restored(cold().id, "file"), "after!");
}

TEST_P(WarmDistrust, AStoreToAPageThatIsDirtyAlreadyIsSaved) {
  write_old("file", mapped_content('a'));
  MappedFile mapped(source_ / "file");
  mapped.store('b');
  const auto settled = settle(source_.string());
  if (!settled.exact) GTEST_SKIP() << settled.reason;
  mapped.store('c');
  const auto beforehand = warm();
  // As a rule this does not show: the page is dirty still, unless somebody else has the disk synced just now.
  mapped.store('d');
  distrust(beforehand, settled, touched_since(settled, kLimit, Looked::beforehand));
  EXPECT_EQ(restored(cold().id, "file"), mapped_content('d'));
}

TEST_P(WarmDistrust, AFileThatOnlyLooksUntouchedIsToldOnceTheContainersAreDown) {
  write_old("file", "before");
  write_old("other", "other");
  ::usleep(100'000);  // more than a tick of the coarse clock
  auto settled = settle(source_.string());
  if (!settled.exact) GTEST_SKIP() << settled.reason;
  // Without its slack: the files of a test are younger than that.
  settled.since_ns += 2'000'000'000;
  const auto doubt = distrust(warm(), settled, touched_since(settled, kLimit, Looked::beforehand));
  write_unseen(source_ / "file", "after!");
  write(source_ / "other", "its time shows it");
  size_t spoiled = 0;
  for (const auto& file : touched_since(settled, kLimit, Looked::held).files) spoiled += doubt.trust.vouches_for(file.path, file.size, file.mtime_second) ? 1 : 0;
  EXPECT_EQ(spoiled, 1u);
}

TEST_P(WarmDistrust, SnapshotsOfOtherClientsAndOurOwnStayAsTheyAre) {
  write_old("touched", "shared by all");
  const auto own_before = cold();
  const auto stranger = engine(warm_settings("two"));
  const auto theirs = prepared_snapshot(*stranger, request("/their/data"));
  write(source_ / "recent", "recent");
  const auto beforehand = warm();
  auto before = ids_of_all();
  distrust(beforehand, minutes_ago(10), {"touched"});
  auto after = ids_of_all();
  EXPECT_EQ(before.erase(beforehand.id), 1u);
  for (const auto& id : before) EXPECT_TRUE(after.contains(id)) << id;
  EXPECT_EQ(after.size(), before.size() + 1);
  EXPECT_EQ(restored(theirs.id, "touched"), "shared by all");
  EXPECT_EQ(restored(own_before.id, "touched"), "shared by all");
}

TEST_P(WarmDistrust, TakesNoIdButThatOfTheWarmSnapshotOfThisSource) {
  write_old("file", "content");
  const auto real = cold();
  EXPECT_THROW(await(engine_->distrust(real.id, "/identity/data", minutes_ago(10), {"file"}, Cancel())), Error);
  const auto beforehand = warm();
  const auto before = ids_of_all();
  for (const auto& id : {real.id, std::string(), std::string("all"), std::string(32, 'a'), beforehand.id + "," + real.id}) {
    EXPECT_EQ(error_of([&] { await(engine_->distrust(id, "/identity/data", minutes_ago(10), {"file"}, Cancel())); }).kind(), ErrorKind::refused);
  }
  EXPECT_THROW(await(engine_->distrust(beforehand.id, "/identity/other", minutes_ago(10), {"file"}, Cancel())), Error);
  EXPECT_EQ(ids_of_all(), before);
}

TEST_P(WarmDistrust, NamesThatCannotBeToldApartAreRefusedAndNothingIsLeftToTrust) {
  for (const auto* name : {"two\nlines", "ends with one\n", "no text \xff"}) {
    write_old(name, "x");
    const auto beforehand = warm();
    const auto error = error_of([&] { distrust(beforehand, minutes_ago(10), {"file", name}); });
    EXPECT_EQ(error.kind(), ErrorKind::refused) << error.text();
    EXPECT_TRUE(incomplete().empty());
    fs::remove(source_ / name);
  }
}

TEST_P(WarmDistrust, ANameThatLooksLikeAnotherEntryIsNoticed) {
  fs::create_directories(source_ / "x\n-rw-r--r--            1 2026-01-01 00:00:00 UTC 00000000000000000000000000000000   ");
  write_old("file", "content");
  const auto beforehand = warm();
  EXPECT_EQ(error_of([&] { distrust(beforehand, minutes_ago(10)); }).kind(), ErrorKind::refused);
  EXPECT_TRUE(incomplete().empty());
}

TEST_P(WarmDistrust, OddNamesAreNamesLikeAnyOther) {
  for (const auto* name : {" starts with space", "ends with space ", "tab\there", "-rw-r--r--", "ünïcödé", "quote\"'", "\\n", "a\rb"}) write_old(name, name);
  fs::permissions(source_ / "tab\there", fs::perms(04755));
  const auto doubt = distrust(warm(), minutes_ago(10), {" starts with space", "a\rb", "ünïcödé"});
  EXPECT_EQ(doubt.files, 4u);
  EXPECT_EQ(doubt.trust.size(), 5u);
  EXPECT_EQ(read_for(cold().id), (ReadFiles{4, 5}));
}

TEST_P(WarmDistrust, AKopiaThatChangesNothingIsNotBelieved) {
  auto own = warm_settings();
  own.binary = wrapped("if [ \"$1 $2\" = 'snapshot fix' ]; then echo 'No changes.' >&2; exit 0; fi");
  engine_ = engine(own);
  const auto beforehand = warm();
  EXPECT_EQ(error_of([&] { distrust(beforehand, minutes_ago(10)); }).kind(), ErrorKind::failed);
  EXPECT_TRUE(incomplete().empty());
}

Task<> distrust_into(SnapshotEngine& engine, std::string id, std::string path, TimePoint since, std::vector<std::string>& failures) {
  std::string failure;
  try {
    (void)co_await engine.distrust(id, path, since, std::vector<std::string>(), Cancel());
  } catch (const Error& error) {
    failure = error.text();
  }
  if (!failure.empty()) failures.push_back(failure);
}

TEST_P(WarmDistrust, SeveralSourcesAtATimeDoNotTakeEachOtherForDamage) {
  std::map<std::string, std::string> ids;
  for (const auto* path : {"/identity/a", "/identity/b", "/identity/c"}) ids[path] = warm("run", path).id;
  std::vector<std::string> failures;
  TaskGroup group(io_.get_executor());
  for (const auto& [path, id] : ids) group.spawn(distrust_into(*engine_, id, path, minutes_ago(10), failures));
  await(group.join());
  EXPECT_EQ(failures, std::vector<std::string>());
  EXPECT_EQ(incomplete().size(), 3u);
}

/// What we never ask for, done to us: it cannot be undone, but it is not passed over.
TEST_P(WarmDistrust, ARewriteOfOtherSnapshotsIsToldLoudly) {
  cold();
  auto own = warm_settings();
  own.binary = wrapped("[ \"$1 $2\" != 'snapshot fix' ] || for a; do shift; case $a in --manifest-id=*) ;; *) set -- \"$@\" \"$a\";; esac; done");
  engine_ = engine(own);
  write(source_ / "file", "changed");
  write(source_ / "file", "content");
  const auto beforehand = warm();
  const auto error = error_of([&] { distrust(beforehand, minutes_ago(10)); });
  EXPECT_EQ(error.kind(), ErrorKind::internal);
  EXPECT_NE(error.text().find("DANGER"), std::string::npos) << error.text();
  EXPECT_TRUE(incomplete().empty());
}

TEST_P(WarmDistrust, ThatIsCancelledLeavesNothingToTrust) {
  const auto beforehand = warm();
  Cancel now;
  now.request(CancelGrade::abort_step);
  EXPECT_EQ(error_of([&] { await(engine_->distrust(beforehand.id, "/identity/data", minutes_ago(10), {}, now)); }).kind(), ErrorKind::cancelled);
  drop();
  EXPECT_TRUE(incomplete().empty());
}

INSTANTIATE_TEST_SUITE_P(Engine, WarmDistrust, ::testing::Values("kopia"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kopidocka::testing
