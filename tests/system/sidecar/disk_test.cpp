#include <signal.h>

#include <gmock/gmock.h>

#include <fstream>

#include "shop.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;

struct Case {
  std::string engine, file_system, expected;
};
void PrintTo(const Case& one, std::ostream* out) { *out << one.engine << " on " << one.file_system; }

/// A unit whose data lies on a file system of its own, a loop mount that containers see.
class Disk : public ::testing::TestWithParam<Case>, protected ShopStack {
 protected:
  void SetUp() override {
    if (const auto why = open_shop(GetParam().engine); !why.empty()) GTEST_SKIP() << why;
    const auto& type = GetParam().file_system;
    disk_ = program_->folder / "disk";
    const auto image = (program_->folder / "image").string();
    if (!on_path("mkfs." + type)) GTEST_SKIP() << "mkfs." << type << " is not on PATH";
    try {
      sh("mkdir '" + disk_.string() + "' && truncate -s 400M '" + image + "' && mkfs." + type + " -q '" + image + "' && mount -o loop '" + image + "' '" +
         disk_.string() + "'");
      mounted_ = true;
    } catch (const std::exception& error) {
      GTEST_SKIP() << "a loop mount of " << type << " cannot be had: " << error.what();
    }
    data_ = disk_ / "data";
    fs::create_directory(data_);
  }

  void TearDown() override {
    docker_.reset();
    if (mounted_) sh("umount -l '" + disk_.string() + "'");
    close_shop();
  }

  /// A program that writes until it is told to stop, and then once more.
  void run_writer() {
    docker_->run("db", {"--volume", data_.string() + ":/data", "--label", "kopi-docka.enable=true", "--stop-timeout", "5"},
                 {"sh", "-c", "trap 'echo the end > /data/last; exit 0' TERM; [ -e /data/big ] || dd if=/dev/urandom of=/data/big bs=1M count=30 2>/dev/null; "
                              "i=$(cat /data/count 2>/dev/null || echo 0); while :; do i=$((i+1)); echo $i > /data/count; echo $i >> /data/log; touch -d @1000000000 /data/log; sleep 0.05; done"});
    ASSERT_TRUE(eventually([&] { return fs::exists(data_ / "log"); }));
  }

  std::string content(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// What we may have left beside the data.
  std::vector<std::string> beside() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(disk_)) {
      const auto name = entry.path().filename().string();
      if (name != "data" && name != "lost+found") names.push_back(name);
    }
    return names;
  }

  /// As another client of the same repository sees it.
  std::string kopia(const std::vector<std::string>& words) {
    std::vector<std::string> argv{"kopia"};
    argv.insert(argv.end(), words.begin(), words.end());
    auto environment = program_->environment;
    environment["KOPIA_PASSWORD"] = "canary-7f3a9c";
    environment["KOPIA_CONFIG_PATH"] = (program_->folder / "other.config").string();
    environment["KOPIA_CHECK_FOR_UPDATES"] = "false";
    environment["HOME"] = program_->folder.string();
    const auto run = run_program(argv, environment);
    EXPECT_EQ(run.exit_code, 0) << run.err;
    return run.out;
  }

  std::vector<std::string> incomplete() {
    kopia({"repository", "connect", "filesystem", "--path", (program_->folder / "repository").string()});
    std::vector<std::string> found;
    for (const auto& snapshot : nlohmann::json::parse(kopia({"snapshot", "list", "--all", "--json"}))) {
      if (snapshot.contains("incomplete") || snapshot.value("tags", nlohmann::json::object()).contains("tag:kd_warm")) found.push_back(snapshot["id"]);
    }
    return found;
  }

  void expect_restored_to_the_last_byte(const std::string& unit, int round) {
    const auto out = program_->folder / ("out" + std::to_string(round));
    const auto restore = program_->inline_({"restore", unit, "--to", out.string(), "--yes", "--json"});
    ASSERT_EQ(restore.exit_code, 0) << restore.err << restore.out;
    const auto back = trim(sh("dirname $(find '" + out.string() + "' -name last)"));
    EXPECT_EQ(content(fs::path(back) / "last"), "the end\n") << "written while it was being stopped";
    const auto count = content(fs::path(back) / "count");
    EXPECT_EQ(trim(sh("tail -n 1 '" + back + "/log'")), trim(count)) << "a file whose time was put back";
    EXPECT_EQ(trim(sh("wc -l < '" + back + "/log'")), trim(sh("tail -n 1 '" + back + "/log'")));
    EXPECT_EQ(sh("cmp '" + back + "/big' '" + (data_ / "big").string() + "' 2>&1 || true"), "");
  }

  static std::string trim(std::string text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
    return text;
  }

  fs::path disk_, data_;
  bool mounted_ = false;
};

std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.file_system + "_" + info.param.engine; }

INSTANTIATE_TEST_SUITE_P(All, Disk,
                         ::testing::Values(Case{"kopia", "ext4", "exact"}, Case{"kopia", "xfs", "clone"}, Case{"kopia", "btrfs", "clone"},
                                           Case{"restic", "ext4", "cold"}, Case{"restic", "xfs", "clone"}, Case{"restic", "btrfs", "clone"}),
                         name_of);

TEST_P(Disk, AFullRunHoldsTheLastContentAndLeavesNothingBeside) {
  run_writer();
  const auto unit = docker_->name("db");
  for (int round = 1; round <= 2; ++round) {
    const auto run = program_->inline_({"backup", unit, "--json"});
    ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
    const auto report = run.json();
    EXPECT_EQ(report["snapshots"].back().value("warm", ""), GetParam().expected) << report.dump();
    EXPECT_THAT(beside(), IsEmpty());
    EXPECT_EQ(docker_->status(unit), "running");
    expect_restored_to_the_last_byte(unit, round);
    fs::remove(data_ / "last");
  }
  if (GetParam().engine == "kopia") {
    EXPECT_THAT(incomplete(), IsEmpty());
  }
}

TEST_P(Disk, ASingleFileAndAFolderBehindALinkOfAUserAreBackedUpToo) {
  const auto single = disk_ / "single", home = disk_ / "home", real = disk_ / "real";
  fs::create_directories(home);
  fs::create_directories(real);
  fs::create_directory_symlink(real, home / "app");
  sh("chown -h 1000:1000 '" + home.string() + "' '" + (home / "app").string() + "'");
  std::ofstream(single) << "first\n";
  docker_->run("db", {"--label", "kopi-docka.enable=true", "--stop-timeout", "5", "--volume", single.string() + ":/single", "--volume",
                      (home / "app").string() + ":/app"},
               {"sh", "-c", "trap 'echo end > /single; echo end > /app/file; exit 0' TERM; while :; do sleep 0.1; done"});
  const auto unit = docker_->name("db");
  const auto run = program_->inline_({"backup", unit, "--json"});
  ASSERT_EQ(run.exit_code, 0) << run.out << run.err;
  const auto out = program_->folder / "out";
  const auto restore = program_->inline_({"restore", unit, "--to", out.string(), "--yes"});
  ASSERT_EQ(restore.exit_code, 0) << restore.err << restore.out;
  EXPECT_EQ(content(trim(sh("find '" + out.string() + "' -type f -name '*single*'"))), "end\n");
  EXPECT_EQ(content(trim(sh("find '" + out.string() + "' -name file -type f"))), "end\n");
}

TEST_P(Disk, ARunThatIsKilledLeavesNeitherACopyNorAWarmSnapshot) {
  run_writer();
  const auto unit = docker_->name("db");
  ASSERT_EQ(program_->inline_({"backup", unit}).exit_code, 0);
  // With a copy: while it is read. Else when the repository has the warm snapshot.
  const bool clone = GetParam().expected == "clone";
  const std::string when = clone ? "*.clone/*" : GetParam().engine == "kopia" ? "*snapshot*list*" : "*backup*disk*";
  const std::string first = clone || GetParam().engine == "restic" ? "" : "kopia snapshot list --all --json --config-file=\"$KOPIA_CONFIG_PATH\" 2>/dev/null | grep -q kd_warm && ";
  const auto path = program_->environment["PATH"];
  put_before_engine("PATH='" + path + "'; case \"$*\" in " + when + ") " + first + "{ kill -9 $PPID; sleep 1; };; esac");
  const auto killed = program_->inline_({"backup", unit});
  EXPECT_EQ(killed.exit_code, 128 + SIGKILL) << killed.out << killed.err;
  program_->environment["PATH"] = path;
  if (clone) {
    EXPECT_EQ(beside().size(), 1u);
  }
  if (GetParam().expected == "exact") {
    EXPECT_EQ(incomplete().size(), 1u);
  }
  program_->inline_({"recover"});
  EXPECT_TRUE(eventually([&] { return docker_->status(unit) == "running"; }));
  const auto again = program_->inline_({"backup", unit, "--json"});
  EXPECT_EQ(again.exit_code, 0) << again.out << again.err;
  EXPECT_THAT(beside(), IsEmpty());
  if (GetParam().engine == "kopia") {
    EXPECT_THAT(incomplete(), IsEmpty());
  }
  EXPECT_TRUE(program_->journal_lines().empty());
  expect_restored_to_the_last_byte(unit, 1);
}

}  // namespace
}  // namespace kopidocka::testing
