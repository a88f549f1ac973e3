#include <sys/stat.h>
#include <unistd.h>

#include "contract/engine/engine_fixture.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

/// Everything about every entry that a restore must bring back, one NUL-terminated record each. Device and inode numbers
/// and change times cannot come back. Kopia (0.23) stores the newest time below a folder as the time of the folder, except
/// at the root, and restores times of symbolic links without their nanoseconds.
std::string listing(const fs::path& root, bool kopia) {
  const std::string folder_time = kopia ? "" : "%T@", link_time = kopia ? "%TF %TH:%TM" : "%T@";
  return shell("cd '" + root.string() + "' && find . -maxdepth 0 -printf '%T@\\0' && find . \\( -type d -printf '%P|%y|%m|%U|%G|" +
               folder_time + "\\0' \\) -o \\( -type l -printf '%P|%y|%U|%G|" + link_time + "|%l\\0' \\) -o " +
               "-printf '%P|%y|%m|%U|%G|%T@|%s\\0' | sort -z");
}

std::string hashes(const fs::path& root) {
  return shell("cd '" + root.string() + "' && find . -type f -print0 | sort -z | xargs -0 sha256sum -z");
}

void make_awkward_tree(const fs::path& root) {
  shell("cd '" + root.string() + R"sh('
    printf 'x' > $'new\nline'; printf 'y' > ' leading and trailing '; printf z > '-rf'; printf q > "quote'\"\\"
    printf 'u' > 'Grüße 漢字 🐳'; printf 's' > '*?[a]'; : > empty
    mkdir hollow deep; d=deep; for i in $(seq 40); do d=$d/level$i; done; mkdir -p $d; echo bottom > $d/file
    echo hidden > .hidden; echo 'file' > .kopiaignore; echo 'kept.*' > deep/.kopiaignore; echo k > deep/kept.me
    mkdir cache; echo 'Signature: 8a477f597d28d172789f06886806bc55' > cache/CACHEDIR.TAG; echo c > cache/data
    echo secret > no-mode; chmod 0 no-mode; echo exe > setuid; chmod 4755 setuid; echo g > setgid; chmod 2755 setgid
    mkdir sticky; chmod 1777 sticky; mkdir closed; echo in > closed/inside; chmod 0500 closed
    echo owned > owned; mkdir -p owned.d; echo f > owned.d/f
    ln -s file link; ln -s /etc/passwd absolute; ln -s '../../../etc' up; ln -s $'odd\n target' oddlink; ln -s nowhere dangling
    ln -s deep dirlink; truncate -s 5G hole; printf tail >> hole
    if [ "$(id -u)" = 0 ]; then chown 1234:5678 owned owned.d; chown -h 4321:8765 link; chown 33:33 sticky; fi
    chmod 4755 setuid; chmod 2755 setgid
    touch -d '2001-02-03 04:05:06.123456789' file owned; touch -h -d '1999-12-31 23:59:59.987654321' link
    touch -d '2010-10-10 10:10:10.101010101' owned.d deep closed
    chmod 0751 .; touch -d '2005-05-05 05:05:05.555555555' .
  )sh");
}

TEST_P(EngineContract, AnAwkwardTreeComesBackAsItWas) {
  make_awkward_tree(source_);
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

}  // namespace
}  // namespace kopidocka::testing
