#include <gmock/gmock.h>
#include <signal.h>

#include <ctime>
#include <fstream>
#include <thread>

#include "shop.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// The daemon on the real engine: what it says, what it notices, when it acts.
class DaemonRun : public OneShop {
 protected:
  void SetUp() override {
    OneShop::SetUp();
    if (!program_) return;
    port_ = free_port();
    program_->environment["KOPI_DOCKA_LISTEN"] = "127.0.0.1:" + std::to_string(port_);
    // So that what it knows it knows from events.
    program_->environment["KOPI_DOCKA_RECONCILE_INTERVAL"] = "1h";
  }

  void start() {
    program_->start_daemon();
    ASSERT_TRUE(eventually([&] { return http_get(port_, "/readyz").status == 200; })) << program_->log();
  }
  void end() {
    program_->signal_daemon(SIGTERM);
    ASSERT_EQ(program_->wait_daemon(), 0) << program_->log();
  }
  std::string metrics() { return http_get(port_, "/metrics").body; }
  /// The value of a series; -1 when it is not there.
  double series(const std::string& name) {
    const auto text = metrics();
    const auto at = text.find("\n" + name + " ");
    return at == std::string::npos ? -1 : std::stod(text.substr(at + name.size() + 2));
  }
  std::string of(const std::string& family, const std::string& unit) { return family + "{unit=\"" + unit + "\"}"; }

  int port_ = 0;
};

TEST_F(DaemonRun, SaysReadyOnceAndAnswersItsProbes) {
  program_->start_daemon();
  ASSERT_TRUE(eventually([&] { return http_get(port_, "/readyz").status == 200; })) << program_->log();
  EXPECT_EQ(http_get(port_, "/healthz").status, 200);
  EXPECT_EQ(http_get(port_, "/nothing").status, 404);
  const auto log = program_->log();
  const auto first = log.find("ready: ");
  ASSERT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("ready: ", first + 1), std::string::npos) << log;
  EXPECT_EQ(program_->run({"health"}).exit_code, 0);
  EXPECT_EQ(program_->run({"status", "--json"}).json()["identity"], "root@testhost");
  struct stat info{};
  ASSERT_EQ(::stat((program_->state() / "control.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  end();
  EXPECT_EQ(program_->run({"health"}).exit_code, 1);
}

TEST_F(DaemonRun, WhatItServesIsWellFormedForPrometheus) {
  if (!on_path("promtool")) GTEST_SKIP() << "promtool is not on PATH";
  make_stack();
  start();
  ASSERT_EQ(program_->run({"backup", unit_}).exit_code, 0);
  const auto file = (program_->folder / "metrics").string();
  sh("cat > " + file + " <<'METRICS'\n" + metrics() + "METRICS\n");
  const auto checked = run_program({"sh", "-c", "promtool check metrics < " + file}, {{"PATH", program_->environment["PATH"]}});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
}

TEST_F(DaemonRun, AStackThatComesChangesOrGoesIsKnownFromItsEvents) {
  start();
  const auto unit = docker_->name("guest");
  const auto valid = of("kopidocka_unit_config_valid", unit);
  EXPECT_EQ(series(valid), -1);
  const auto volume = docker_->volume("guest") + ":/data";
  docker_->run("guest", {"--label", "kopi-docka.schedule=0 3 * * *", "--volume", volume}, {"sleep", "1000"});
  EXPECT_TRUE(eventually([&] { return series(valid) == 1; })) << program_->log();
  EXPECT_EQ(program_->run({"list", unit, "--json"}).json()[0]["valid"], true);
  docker_->docker({"rm", "-f", unit});
  EXPECT_TRUE(eventually([&] { return series(valid) == -1; }));
  docker_->run("guest", {"--label", "kopi-docka.schedule=0 3 * *", "--volume", volume}, {"sleep", "1000"});
  EXPECT_TRUE(eventually([&] { return series(valid) == 0; }));
  EXPECT_TRUE(eventually([&] { return program_->log().find("kopi-docka.schedule") != std::string::npos; })) << program_->log();
  docker_->docker({"rename", unit, docker_->name("renamed")});
  EXPECT_TRUE(eventually([&] { return series(of("kopidocka_unit_config_valid", docker_->name("renamed"))) == 0; }));
  EXPECT_EQ(series(valid), -1);
}

/// A daily time of a schedule, so many seconds from now.
std::string daily(int seconds_from_now) {
  const std::time_t time = std::time(nullptr) + seconds_from_now;
  std::tm utc{};
  ::gmtime_r(&time, &utc);
  return std::to_string(utc.tm_min) + " " + std::to_string(utc.tm_hour) + " * * *";
}

TEST_F(DaemonRun, RunsAUnitWhenItIsDue) {
  // Under a prefix of its own: the daemons of tests that run beside this one must not take the unit for theirs.
  const auto prefix = "test." + unit_;
  program_->environment["KOPI_DOCKA_LABEL_PREFIX"] = prefix;
  // Several times of one unit, in its own zone; the first comes within two minutes.
  make_stack("trap 'exit 0' TERM; while :; do sleep 0.1; done",
             {"--label", prefix + ".schedule=" + daily(90) + "; 0 0 1 1 *", "--label", prefix + ".timezone=Etc/UTC"});
  start();
  EXPECT_NE(program_->run({"list", unit_, "--json"}).json()[0]["next_run"], nullptr);
  ASSERT_TRUE(eventually([&] { return reports().size() == 1; }, std::chrono::seconds(180))) << program_->log();
  EXPECT_EQ(reports()[0]["trigger"], "schedule");
  EXPECT_EQ(reports()[0]["result"], "success") << reports()[0];
}

TEST_F(DaemonRun, MakesUpOnceForAllThatWasMissed) {
  const auto prefix = "test." + unit_;
  program_->environment["KOPI_DOCKA_LABEL_PREFIX"] = prefix;
  make_stack("trap 'exit 0' TERM; while :; do sleep 0.1; done",
             {"--label", prefix + ".schedule=" + daily(-1200) + "; " + daily(-600), "--label", prefix + ".timezone=Etc/UTC"});
  // Known since days, and nobody was there.
  std::ofstream(program_->state() / "units.json") << nlohmann::json{{unit_, "2026-01-02T03:04:05+00:00"}};
  start();
  ASSERT_TRUE(eventually([&] { return reports().size() == 1; })) << program_->log();
  EXPECT_EQ(reports()[0]["trigger"], "catch-up");
  EXPECT_EQ(reports()[0]["result"], "success") << reports()[0];
  end();
  start();
  EXPECT_FALSE(eventually([&] { return reports().size() > 1; }, std::chrono::seconds(8))) << "one run makes up for all";
}

TEST_F(DaemonRun, APausedUnitHasNoNextRunUntilItIsResumedAlsoAfterARestart) {
  make_stack("trap 'exit 0' TERM; while :; do sleep 0.1; done", {"--label", "kopi-docka.schedule=0 3 * * *"});
  start();
  ASSERT_TRUE(eventually([&] { return !program_->run({"list", unit_, "--json"}).json()[0]["next_run"].is_null(); }));
  ASSERT_EQ(program_->run({"pause", unit_, "--for", "2h"}).exit_code, 0);
  EXPECT_TRUE(program_->run({"list", unit_, "--json"}).json()[0]["next_run"].is_null());
  EXPECT_THAT(program_->run({"status"}).out, HasSubstr("paused: " + unit_ + " until"));
  end();
  start();
  EXPECT_TRUE(program_->run({"list", unit_, "--json"}).json()[0]["next_run"].is_null());
  EXPECT_EQ(program_->run({"pause", unit_ + "x"}).exit_code, 4) << "a typo pauses nothing";
  EXPECT_EQ(program_->run({"resume", unit_, "--json"}).json().size(), 0u);
  EXPECT_FALSE(program_->run({"list", unit_, "--json"}).json()[0]["next_run"].is_null());
  EXPECT_EQ(program_->run({"resume", unit_}).exit_code, 4) << "it is not paused";
}

TEST_F(DaemonRun, ARunningBackupIsCancelledAndItsContainersAreStarted) {
  make_stack();
  put_before_engine("case \"$*\" in *' create '*_data*|*backup*_data*) sleep 1000;; esac");
  start();
  std::thread backup([&] { (void)program_->run({"backup", unit_}); });
  EXPECT_TRUE(eventually([&] { return program_->run({"status", "--json"}).json()["running"].size() == 1; }));
  const auto cancelled = program_->run({"cancel", unit_, "--json"});
  backup.join();
  EXPECT_EQ(cancelled.exit_code, 0) << cancelled.err;
  EXPECT_EQ(cancelled.json()["reason"], "cancelled") << cancelled.out;
  EXPECT_TRUE(all_running());
  EXPECT_EQ(program_->run({"cancel", unit_}).exit_code, 4);
}

TEST_F(DaemonRun, TwoRunsOfOneUnitNeverGoOnAtOnce) {
  make_stack("trap '' TERM; while :; do sleep 0.1; done");
  start();
  ProgramResult first;
  std::thread request([&] { first = program_->run({"backup", unit_, "--json"}); });
  EXPECT_TRUE(eventually([&] { return !program_->journal_lines().empty(); }));
  const auto second = program_->run({"backup", unit_, "--json"});
  EXPECT_EQ(second.exit_code, 4);
  EXPECT_EQ(second.json()["result"], "skipped");
  EXPECT_EQ(second.json()["reason"], "busy");
  request.join();
  EXPECT_EQ(first.json()["result"], "success") << first.out;
}

TEST_F(DaemonRun, OnlyOneWorksOnAStateFolder) {
  start();
  const auto second = program_->inline_({"backup", "--all"});
  EXPECT_EQ(second.exit_code, 4);
  EXPECT_THAT(second.err, HasSubstr("another kopi-docka"));
}

TEST_F(DaemonRun, TheLastSuccessSurvivesARestart) {
  make_stack();
  start();
  ASSERT_EQ(program_->run({"backup", unit_}).exit_code, 0);
  const auto name = of("kopidocka_backup_last_success_timestamp_seconds", unit_);
  const auto before = series(name);
  EXPECT_GT(before, 1.7e9);
  EXPECT_EQ(series(of("kopidocka_containers_held_stopped", unit_)), 0);
  end();
  start();
  EXPECT_TRUE(eventually([&] { return series(name) > 0; }));
  EXPECT_NEAR(series(name), before, 0.001);
}

TEST_F(DaemonRun, ALostRepositoryIsSeenAndAReturningOneIsUsedAgain) {
  make_stack();
  start();
  const auto since = inspect("db", ".State.StartedAt");
  fs::rename(program_->folder / "repository", program_->folder / "elsewhere");
  const auto refused = program_->run({"backup", unit_, "--json"});
  EXPECT_EQ(refused.exit_code, 4) << refused.out;
  EXPECT_EQ(refused.json()["reason"], "repository");
  EXPECT_EQ(inspect("db", ".State.StartedAt"), since);
  EXPECT_EQ(program_->run({"status"}).exit_code, 1);
  fs::rename(program_->folder / "elsewhere", program_->folder / "repository");
  EXPECT_EQ(program_->run({"backup", unit_}).exit_code, 0);
}

TEST_F(DaemonRun, SecretsAreInNoLogMetricOrArgument) {
  make_stack();
  // Not the one that other tests, running beside this one, look for by name.
  program_->environment["KOPI_DOCKA_PASSWORD"] = "canary-of-this-test";
  program_->environment["KOPI_DOCKA_REPOSITORY"] = "filesystem://" + (program_->folder / "second").string();
  program_->environment["KOPI_DOCKA_STATE_DIR"] = (program_->folder / "second-state").string();
  fs::create_directories(program_->folder / "second");
  const auto created = program_->inline_({"repository", "init"});
  ASSERT_EQ(created.exit_code, 0) << created.err;
  program_->environment["KOPI_DOCKA_LOG_LEVEL"] = "trace";
  start();
  std::string arguments;
  std::thread request([&] { (void)program_->run({"backup", unit_}); });
  for (int round = 0; round < 100; ++round) {
    arguments += sh("cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' || true");
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
  }
  request.join();
  EXPECT_THAT(arguments, HasSubstr("snapshot")) << "no engine was caught at work";
  EXPECT_THAT(arguments, Not(HasSubstr("canary-of-this-test")));
  EXPECT_THAT(program_->log(), Not(HasSubstr("canary-of-this-test")));
  EXPECT_THAT(metrics(), Not(HasSubstr("canary-of-this-test")));
}

TEST_F(DaemonRun, WaitsForAnEngineThatIsNotThereYet) {
  const auto socket = program_->folder / "docker.sock";
  program_->environment["DOCKER_HOST"] = "unix://" + socket.string();
  program_->start_daemon();
  ASSERT_TRUE(eventually([&] { return http_get(port_, "/healthz").status == 200; })) << program_->log();
  EXPECT_EQ(http_get(port_, "/readyz").status, 503);
  EXPECT_TRUE(eventually([&] { return program_->log().find("docker.sock") != std::string::npos; })) << program_->log();
  fs::create_symlink("/var/run/docker.sock", socket);
  EXPECT_TRUE(eventually([&] { return http_get(port_, "/readyz").status == 200; })) << program_->log();
}

}  // namespace
}  // namespace kopidocka::testing
