#include "hooks/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include "support/run_task.hpp"

namespace kopidocka {
namespace {

using kopidocka::testing::run_task;
using ::testing::HasSubstr;
using ::testing::Not;

class Script : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "hooks-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, const std::string& body, mode_t mode = 0755) const {
    std::ofstream(folder / name) << "#!/bin/sh\n" << body << "\n";
    ASSERT_EQ(::chmod((folder / name).c_str(), mode), 0);
  }
  std::string refusal() const {
    const auto found = find_script(folder, "pre_backup");
    EXPECT_FALSE(found);
    if (found) return {};
    EXPECT_EQ(found.error().kind(), ErrorKind::refused);
    EXPECT_FALSE(found.error().next_step().empty());
    return found.error().text();
  }
  /// What running `body` throws; nothing when it ends well.
  std::optional<Error> run(const std::string& body, Milliseconds timeout = Milliseconds(20'000), Cancel cancel = {}) {
    write("pre_backup", body);
    const auto script = find_script(folder, "pre_backup");
    if (!script || !script->has_value()) return Error(ErrorKind::internal, "no script");
    try {
      run_task(io, run_script(**script, {{"KOPI_DOCKA_UNIT_NAME", "shop; rm -rf $HOME"}}, timeout, cancel));
      return std::nullopt;
    } catch (const Error& error) {
      return error;
    }
  }
  std::string content(const std::string& name) const {
    std::ifstream file(folder / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string path(const std::string& name) const { return (folder / name).string(); }

  boost::asio::io_context io;
  std::filesystem::path folder;
};

TEST_F(Script, IsFoundWithAndWithoutItsEnding) {
  write("pre_backup", "exit 0");
  write("post_backup.sh", "exit 0");
  EXPECT_EQ((*find_script(folder, "pre_backup"))->path, folder / "pre_backup");
  EXPECT_EQ((*find_script(folder, "post_backup"))->path, folder / "post_backup.sh");
  EXPECT_EQ((*find_script(folder, "post_backup"))->name, "post_backup");
}

TEST_F(Script, MayBeMissingAndSoMayItsFolder) {
  EXPECT_FALSE(find_script(folder, "pre_backup")->has_value());
  EXPECT_FALSE(find_script(folder / "nothing", "pre_backup")->has_value());
}

TEST_F(Script, IsRefusedWhenItIsALinkOrAFolder) {
  write("real", "exit 0");
  std::filesystem::create_symlink(folder / "real", folder / "pre_backup");
  EXPECT_THAT(refusal(), HasSubstr("is not a regular file"));
  std::filesystem::remove(folder / "pre_backup");
  std::filesystem::create_symlink(folder / "gone", folder / "pre_backup");
  EXPECT_THAT(refusal(), HasSubstr("is not a regular file")) << "a dangling link is no missing script";
  std::filesystem::remove(folder / "pre_backup");
  std::filesystem::create_directory(folder / "pre_backup");
  EXPECT_THAT(refusal(), HasSubstr("is not a regular file"));
}

TEST_F(Script, IsRefusedWhenEverybodyMayWriteToItOrItsFolder) {
  write("pre_backup", "exit 0", 0757);
  EXPECT_THAT(refusal(), HasSubstr("may be written by everybody"));
  write("pre_backup", "exit 0", 0755);
  ASSERT_EQ(::chmod(folder.c_str(), 01777), 0);
  EXPECT_THAT(refusal(), HasSubstr("lies in a folder that everybody may write to"));
}

TEST_F(Script, IsRefusedWhenItIsNotExecutable) {
  write("pre_backup", "exit 0", 0644);
  EXPECT_THAT(refusal(), HasSubstr("is not executable"));
}

TEST_F(Script, IsRefusedWhenItBelongsToSomebodyElse) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  write("pre_backup", "exit 0");
  ASSERT_EQ(::chown(path("pre_backup").c_str(), 12345, 0), 0);
  EXPECT_THAT(refusal(), HasSubstr("belongs to another user"));
}

TEST_F(Script, GetsItsVariablesAsTheyAreAndNoneOfOurs) {
  ::setenv("KOPI_DOCKA_PASSWORD", "secret", 1);
  const auto failed = run("env > " + path("out"));
  ::unsetenv("KOPI_DOCKA_PASSWORD");
  EXPECT_FALSE(failed) << failed->text();
  EXPECT_THAT(content("out"), HasSubstr("KOPI_DOCKA_HOOK_TYPE=pre_backup\n"));
  EXPECT_THAT(content("out"), HasSubstr("KOPI_DOCKA_UNIT_NAME=shop; rm -rf $HOME\n"));
  EXPECT_THAT(content("out"), Not(HasSubstr("secret")));
}

TEST_F(Script, ThatFailsIsShownWithItsLastLine) {
  const auto failed = run("echo first >&2\necho 'the disk is gone' >&2\necho >&2\nexit 3");
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind(), ErrorKind::failed);
  EXPECT_THAT(failed->text(), HasSubstr("ended with code 3: the disk is gone"));
  EXPECT_THAT(failed->text(), Not(HasSubstr("first")));
}

TEST_F(Script, ThatFailsAndSpeaksOnStandardOutputOnlyIsShownToo) {
  EXPECT_THAT(run("echo out\nexit 1")->text(), HasSubstr("ended with code 1: out"));
  EXPECT_THAT(run("echo out\necho ' ' >&2\nexit 1")->text(), HasSubstr(": out"));
  EXPECT_THAT(run("exit 1")->text(), ::testing::EndsWith("ended with code 1"));
  EXPECT_EQ(run("printf '\\033[2J' >&2; exit 1")->text().find('\x1b'), std::string::npos);
}

TEST_F(Script, ThatTakesTooLongIsEndedWithAllItsChildren) {
  const auto failed = run("sleep 300 &\necho $! > " + path("child") + "\nsleep 300", Milliseconds(700));
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind(), ErrorKind::timeout);
  EXPECT_THAT(failed->text(), HasSubstr("took longer than"));
  const auto child = std::stoi(content("child"));
  bool alive = true;
  for (int round = 0; alive && round < 100; ++round) {
    std::ifstream status("/proc/" + std::to_string(child) + "/stat");
    std::string text;
    alive = static_cast<bool>(std::getline(status, text)) && text.find(") Z ") == std::string::npos;
    if (alive) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_FALSE(alive);
}

TEST_F(Script, IsEndedByAnAbort) {
  Cancel cancel;
  cancel.request(CancelGrade::abort_step);
  const auto failed = run("sleep 300", Milliseconds(20'000), cancel);
  ASSERT_TRUE(failed);
  EXPECT_EQ(failed->kind(), ErrorKind::cancelled);
}

TEST_F(Script, MayPrintMuchWithoutBeingBlocked) {
  EXPECT_FALSE(run("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234567890123456789012345678901234567890123456789; i=$((i+1)); done"));
}

}  // namespace
}  // namespace kopidocka
