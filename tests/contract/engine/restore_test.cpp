#include <sys/stat.h>
#include <unistd.h>

#include "contract/engine/engine_fixture.hpp"
#include "support/awkward_tree.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

std::string listing(const fs::path& root, bool kopia) { return shell(tree_listing_script(root.string(), kopia)); }

std::string hashes(const fs::path& root) { return shell(tree_hashes_script(root.string())); }

TEST_P(EngineContract, AnAwkwardTreeComesBackAsItWas) {
  shell(awkward_tree_script(source_.string(), "300M"));
  const auto before = listing(source_, kopia());
  const auto made = saved();
  ASSERT_TRUE(made.clean()) << made.errors;
  EXPECT_EQ(listing(source_, kopia()), before) << "a snapshot must not change its source";
  const auto target = folder_ / "back";
  restore(*engine_, made.id, target.string());
  EXPECT_EQ(listing(target, kopia()), before);
  EXPECT_EQ(shell("cd '" + target.string() + "' && tail -c 4 hole && rm hole"), "tail");
  fs::remove(source_ / "hole");
  EXPECT_EQ(hashes(target), hashes(source_));
}

TEST_P(EngineContract, AHoleStaysAHole) {
  if (await(created().probe(Cancel())).engine_version.rfind("restic 0.14", 0) == 0) {
    GTEST_SKIP() << "restic 0.14 restores holes as zeros";
  }
  fs::resize_file(source_ / "file", 2'000'000'000);
  const auto made = saved();
  restore(*engine_, made.id, (folder_ / "back").string());
  struct stat info{};
  ASSERT_EQ(::stat((folder_ / "back" / "file").c_str(), &info), 0);
  EXPECT_EQ(info.st_size, 2'000'000'000);
  EXPECT_LT(info.st_blocks * 512, 100'000'000);
}

TEST_P(EngineContract, AnEmptyFolderCanBeFilledInPlace) {
  shell("chmod 0750 '" + source_.string() + "'; touch -d '2005-05-05 05:05:05.5' '" + source_.string() + "'");
  const auto made = saved();
  const auto target = folder_ / "there already";
  fs::create_directories(target);
  restore(*engine_, made.id, target.string());
  EXPECT_EQ(listing(target, kopia()), listing(source_, kopia()));
  EXPECT_EQ(shell("ls -A '" + folder_.string() + "'"), "one\nrepository\nsource\nthere already\n");
}

TEST_P(EngineContract, AnEmptySourceComesBackEmpty) {
  fs::remove(source_ / "file");
  const auto made = saved();
  EXPECT_TRUE(made.clean());
  restore(*engine_, made.id, (folder_ / "back").string());
  EXPECT_TRUE(fs::is_empty(folder_ / "back"));
}

TEST_P(EngineContract, ATargetThatHoldsSomethingIsRefusedAndUntouched) {
  const auto made = saved();
  const auto target = folder_ / "full";
  fs::create_directories(target);
  write(target / "mine", "precious");
  EXPECT_EQ(error_of([&] { restore(*engine_, made.id, target.string()); }).kind(), ErrorKind::refused);
  EXPECT_EQ(shell("ls -A '" + target.string() + "'"), "mine\n");
  fs::create_directory_symlink(target, folder_ / "link");
  EXPECT_EQ(error_of([&] { restore(*engine_, made.id, (folder_ / "link").string()); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { restore(*engine_, made.id, (target / "mine").string(), true); }).kind(), ErrorKind::refused);
  EXPECT_EQ(error_of([&] { restore(*engine_, made.id, (folder_ / "no" / "parent").string()); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { restore(*engine_, made.id, "relative"); }).kind(), ErrorKind::invalid);
  EXPECT_EQ(read(target / "mine"), "precious");
}

TEST_P(EngineContract, AnUnknownSnapshotIsNotFoundAndLeavesNoTarget) {
  created();
  const auto target = folder_ / "back";
  EXPECT_EQ(error_of([&] { restore(*engine_, std::string(64, 'a').substr(0, kopia() ? 32 : 64), target.string()); }).kind(),
            ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { restore(*engine_, "../../etc", target.string()); }).kind(), ErrorKind::not_found);
  EXPECT_FALSE(fs::exists(target));
}

TEST_P(EngineContract, ASnapshotOfAnotherHostCanBeRestored) {
  const auto made = saved();
  const auto other = engine(settings("two"));
  restore(*other, made.id, (folder_ / "back").string());
  EXPECT_EQ(read(folder_ / "back" / "file"), "content");
}

TEST_P(EngineContract, ARestoreThatMissesDataIsAnError) {
  shell("head -c 8000000 /dev/urandom > '" + (source_ / "big").string() + "'");
  const auto made = saved();
  const auto packs = kopia() ? "p" : "data";
  shell("find '" + (repository_ / packs).string() + "' -type f -size +1M -delete; rm -rf '" + (folder_ / "one" / "cache").string() + "'");
  const auto error = error_of([&] { restore(*engine_, made.id, (folder_ / "back").string()); });
  EXPECT_EQ(error.kind(), ErrorKind::failed) << error.what();
}

TEST_P(EngineContract, FilesThatTheEngineCouldNotTellApartAreMissedAtTheRestore) {
  shell("cd '" + source_.string() + "' && echo 1 > $'n\\xff' && echo 2 > $'n\\xfe'");
  const auto made = saved();
  RestoreRequest asked;
  asked.id = made.id;
  asked.target = (folder_ / "back").string();
  asked.source_path = "/identity/data";
  asked.files = made.files;
  std::string warning;
  asked.on_warning = [&](const std::string& text) { warning = text; };
  await(engine_->restore(asked, Cancel()));
  if (kopia()) {
    EXPECT_NE(warning.find("1 of 3 files did not come back"), std::string::npos) << warning;
  } else {
    EXPECT_EQ(warning, "");
    EXPECT_EQ(shell("ls '" + asked.target + "' | wc -l"), "3\n");
  }
}

}  // namespace
}  // namespace kopidocka::testing
