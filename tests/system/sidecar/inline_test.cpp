#include <gmock/gmock.h>
#include <signal.h>

#include "shop.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;

/// Work in the command's own process, where no daemon stands behind it.
class Inline : public OneShop {
 protected:
  /// Runs the script with $KD as the program; the environment is the program's own.
  ProgramResult shell(const std::string& script) {
    auto environment = program_->environment;
    environment["KD"] = program_binary();
    environment["FOLDER"] = program_->folder.string();
    return run_program({"bash", "-c", script}, environment);
  }
};

TEST_F(Inline, AWrongPasswordIsASkippedRunWithItsReport) {
  make_stack();
  program_->environment["KOPI_DOCKA_PASSWORD"] = "not-the-right-one";
  const auto ran = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(ran.exit_code, 4) << ran.err;
  EXPECT_EQ(ran.json()["result"], "skipped");
  EXPECT_EQ(ran.json()["reason"], "repository");
  EXPECT_TRUE(all_running());
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports()[0]["result"], "skipped");
}

TEST_F(Inline, ADryRunMakesNoRepository) {
  make_stack();
  const auto place = program_->folder / "nothing-yet";
  program_->environment["KOPI_DOCKA_REPOSITORY"] = "filesystem://" + place.string();
  EXPECT_EQ(program_->inline_({"backup", unit_, "--dry-run"}).exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(place));
}

TEST_F(Inline, ATerminalThatGoesAwayInAHoldLeavesNothingStopped) {
  make_stack("trap 'sleep 2; exit 0' TERM; while :; do sleep 0.1; done");
  // The signal comes while db, which takes two seconds to stop, is being stopped.
  const auto ran = shell("env --default-signal=HUP \"$KD\" backup " + unit_ + " --inline --json >\"$FOLDER/out\" 2>&1 & run=$!; for i in $(seq 600); do "
                         "grep -qs '\"stopping\"' " + (program_->state() / "journal").string() + "/* && break; sleep 0.05; done; "
                         "kill -HUP $run; wait $run; code=$?; grep '^{' \"$FOLDER/out\"; exit $code");
  EXPECT_EQ(ran.exit_code, 130) << ran.out << ran.err;
  EXPECT_EQ(ran.json()["reason"], "cancelled");
  EXPECT_TRUE(all_running());
  EXPECT_TRUE(program_->journal_lines().empty());
}

TEST_F(Inline, AReaderThatGoesAwayEndsNoRun) {
  make_stack();
  (void)shell("\"$KD\" backup " + unit_ + " --inline 2>&1 | true");
  EXPECT_TRUE(all_running());
  ASSERT_EQ(reports().size(), 1u);
  EXPECT_EQ(reports()[0]["result"], "success");
}

TEST_F(Inline, DoctorNamesAMissingDockerEngine) {
  program_->environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
  const auto ran = program_->inline_({"doctor", "--json"});
  EXPECT_EQ(ran.exit_code, 1) << ran.err;
  std::map<std::string, std::string> verdicts;
  const auto answer = ran.json();
  for (const auto& check : answer["checks"]) verdicts[check["check"]] = check["verdict"];
  EXPECT_EQ(verdicts["docker engine"], "bad");
  for (const auto* name : {"state folder", "engine program", "password", "repository"}) EXPECT_EQ(verdicts[name], "good") << ran.out;
}

TEST_F(Inline, HealthOfADaemonWithoutAPortIsAskedOverItsSocket) {
  EXPECT_EQ(program_->run({"health", "--live"}).exit_code, 1);
  program_->start_daemon();
  ASSERT_TRUE(eventually([&] { return program_->ready(); })) << program_->log();
  EXPECT_EQ(program_->environment["KOPI_DOCKA_LISTEN"], "off");
  EXPECT_EQ(program_->run({"health", "--live"}).exit_code, 0);
  EXPECT_EQ(program_->run({"health"}).out, "ready\n");
  EXPECT_EQ(program_->run({"health", "--json"}).json()["ready"], true);
  program_->signal_daemon(SIGSTOP);
  EXPECT_EQ(program_->run({"health", "--live"}).exit_code, 1) << "it hangs";
  EXPECT_EQ(program_->run({"list"}).exit_code, 5);
  program_->signal_daemon(SIGCONT);
}

}  // namespace
}  // namespace kopidocka::testing
