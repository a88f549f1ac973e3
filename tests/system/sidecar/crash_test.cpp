#include <signal.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <thread>

#include "shop.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;

/// Kills of the real program at exact places, on real containers; afterwards every container that ran runs, each run is
/// reported once, and nothing half is offered for restore.
class Crash : public Shop {
 protected:
  ProgramResult ask(std::vector<std::string> words) {
    return program_->daemon_alive() ? program_->run(std::move(words)) : program_->inline_(std::move(words));
  }

  void expect_all_well(const std::string& where) {
    EXPECT_TRUE(all_running()) << where;
    EXPECT_EQ(program_->journal_lines().size(), 0u) << where;
    std::map<std::string, int> seen;
    for (const auto& report : reports()) {
      ++seen[report["backup_id"]];
      EXPECT_NE(report["result"], "skipped") << where << " " << report.dump();
    }
    for (const auto& [id, count] : seen) EXPECT_EQ(count, 1) << where << " " << id;
    for (const auto& point : ask({"snapshots", unit_, "--json"}).json()) {
      EXPECT_EQ(point["complete"], true) << where;
      const auto report = find_report(point["backup_id"]);
      EXPECT_EQ(report["result"], "success") << where << " offers a run that failed";
    }
  }

  nlohmann::json find_report(const std::string& id) {
    for (const auto& report : reports()) {
      if (report["backup_id"] == id) return report;
    }
    return {{"result", "none"}};
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, Crash, ::testing::Values("kopia", "restic"), [](const auto& info) { return info.param; });

TEST_P(Crash, AKillAtEveryJournalRecordLeavesEveryContainerRunningAndEveryRunReportedOnce) {
  if (!on_path("strace")) GTEST_SKIP() << "strace is not on PATH";
  make_stack();
  size_t reported = 0;
  int kills = 0;
  const auto start = [&] {
    program_->start_daemon();
    return eventually([&] { return program_->run({"status", "--json"}).exit_code != 5; });
  };
  ASSERT_TRUE(start()) << program_->log();
  for (int n = 1; n < 60; ++n) {
    program_->arm_daemon(n);
    if (program_->run({"backup", unit_, "--json"}).exit_code == 0) break;
    ASSERT_EQ(program_->wait_daemon(), 128 + SIGKILL) << program_->log();
    program_->disarm_daemon();
    ++kills;
    const auto owed = !program_->journal_lines().empty();
    const auto where = "kill at fsync " + std::to_string(n);
    ASSERT_TRUE(start()) << where << ": " << program_->log();
    ASSERT_TRUE(eventually([&] { return all_running() && program_->journal_lines().empty(); })) << where << ": " << program_->log();
    expect_all_well(where);
    const auto now = reports().size();
    EXPECT_LE(now, reported + 1) << where;
    if (owed) {
      EXPECT_EQ(now, reported + 1) << where << ": the run was lost";
    }
    reported = now;
    if (HasFailure()) return;
  }
  // begin, hold, and for two members stopping, stopped, starting, started; the report; reported and end
  EXPECT_GE(kills, 12);
  EXPECT_LT(kills, 59);
}

TEST_P(Crash, AKillBetweenAStopRequestAndItsAnswerIsSettledByTheNextStart) {
  // It ignores TERM, so Docker answers the stop only after its 5 seconds of grace.
  make_stack("trap '' TERM; while :; do sleep 0.1; done");
  program_->start_daemon();
  ASSERT_TRUE(eventually([&] { return program_->ready(); })) << program_->log();
  std::thread request([&] { (void)program_->run({"backup", unit_}); });
  const auto stopping_db = [&] {
    const auto lines = program_->journal_lines();
    const auto id = docker_->docker({"inspect", "--format", "{{.Id}}", container("db")}).substr(0, 64);
    return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
      return line.find("\"stopping\"") != std::string::npos && line.find(id) != std::string::npos;
    });
  };
  EXPECT_TRUE(eventually(stopping_db)) << program_->log();
  program_->signal_daemon(SIGKILL);
  request.join();
  EXPECT_EQ(program_->wait_daemon(), 128 + SIGKILL);
  EXPECT_FALSE(program_->journal_lines().empty());
  program_->start_daemon();
  EXPECT_TRUE(eventually([&] { return all_running() && program_->journal_lines().empty(); })) << program_->log();
  const auto lost = reports();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0]["result"], "failed");
  EXPECT_EQ(lost[0]["reason"], "interrupted");
}

TEST_P(Crash, SigtermInTheMiddleOfAHoldStartsTheContainersFirst) {
  make_stack("trap '' TERM; while :; do sleep 0.1; done");
  program_->start_daemon();
  ASSERT_TRUE(eventually([&] { return program_->ready(); })) << program_->log();
  std::thread request([&] { (void)program_->run({"backup", unit_}); });
  EXPECT_TRUE(eventually([&] { return !running("web"); }));
  program_->signal_daemon(SIGTERM);
  EXPECT_EQ(program_->wait_daemon(), 0) << program_->log();
  request.join();
  EXPECT_TRUE(all_running());
  const auto ended = reports();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0]["result"], "failed");
  EXPECT_EQ(ended[0]["reason"], "cancelled") << ended[0];
  EXPECT_TRUE(program_->journal_lines().empty());
}

TEST_P(Crash, AContainerThatSomebodyStartedMeanwhileIsLeftToHim) {
  if (!on_path("strace")) GTEST_SKIP() << "strace is not on PATH";
  make_stack();
  // Killed at the record "stopped" of the second member: both are down.
  for (int n = 4; n < 12 && (running("db") || running("web")); ++n) {
    program_->inline_({"recover"});
    ASSERT_EQ(program_->killed_at_fsync({"backup", unit_}, n).exit_code, 128 + SIGKILL);
  }
  ASSERT_FALSE(running("db"));
  docker_->docker({"start", container("db")});
  docker_->docker({"stop", container("db")});
  const auto recovered = program_->inline_({"recover", "--json"});
  EXPECT_EQ(recovered.exit_code, 0) << recovered.out << recovered.err;
  EXPECT_FALSE(running("db")) << "its user had stopped it after our run";
  EXPECT_TRUE(running("web"));
  EXPECT_TRUE(program_->journal_lines().empty());
}

TEST_P(Crash, ADamagedIdentityKeepsNoContainerDown) {
  if (!on_path("strace")) GTEST_SKIP() << "strace is not on PATH";
  make_stack();
  for (int n = 4; n < 12 && (running("db") || running("web")); ++n) {
    program_->inline_({"recover"});
    ASSERT_EQ(program_->killed_at_fsync({"backup", unit_}, n).exit_code, 128 + SIGKILL);
  }
  ASSERT_FALSE(running("db"));
  sh("echo null > '" + (program_->state() / "identity.json").string() + "'");
  const auto recovered = program_->inline_({"recover"});
  EXPECT_NE(recovered.exit_code, 0) << "it is not all well";
  EXPECT_THAT(recovered.out, HasSubstr("identity.json"));
  EXPECT_TRUE(all_running());
  EXPECT_NE(program_->inline_({"backup", unit_}).exit_code, 0);
  EXPECT_TRUE(all_running());
}

TEST_P(Crash, AKillAtEveryRecordOfARestoreKeepsTheOldDataOrTheNew) {
  if (!on_path("strace")) GTEST_SKIP() << "strace is not on PATH";
  make_stack();
  sh("echo one > " + volume_path("data").string() + "/value");
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  sh("echo two > " + volume_path("data").string() + "/value");
  for (int n = 1; n < 60; ++n) {
    const auto killed = program_->killed_at_fsync({"restore", unit_, "--yes"}, n);
    if (killed.exit_code == 0) break;
    ASSERT_EQ(killed.exit_code, 128 + SIGKILL) << killed.err;
    const auto recovered = program_->inline_({"recover", "--json"});
    EXPECT_EQ(recovered.exit_code, 0) << "kill at fsync " << n << ": " << recovered.err << recovered.out;
    EXPECT_TRUE(all_running()) << n;
    const auto value = sh("cat " + volume_path("data").string() + "/value");
    EXPECT_TRUE(value == "two\n" || value == "one\n") << n << ": " << value;
    EXPECT_EQ(docker_->shell(container("db"), "cat /data/value") + "\n", value) << n << ": the container works on other data than what lies there";
    const auto left = sh("ls -a " + volume_path("data").parent_path().string());
    if (value == "two\n") {
      EXPECT_THAT(left, ::testing::Not(HasSubstr(".new"))) << n;
    }
    if (HasFailure()) return;
    if (value == "one\n") sh("echo two > " + volume_path("data").string() + "/value");
  }
  EXPECT_EQ(sh("cat " + volume_path("data").string() + "/value"), "one\n");
}

}  // namespace
}  // namespace kopidocka::testing
