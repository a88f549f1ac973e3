#include <signal.h>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>
#include <thread>

#include "base/text.hpp"
#include "shop.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

using Words = std::vector<std::string>;

/// How real containers are held: in which order, by what, and for how long.
class Hold : public OneShop {
 protected:
  /// A service of the unit that ends at once when it is asked to. Its volume "data-NAME" is at /data.
  void member(const std::string& name, const Words& labels = {}, const Words& options = {}) {
    Words all = {"--label", "com.docker.compose.project=" + unit_, "--label", "com.docker.compose.service=" + name,
                 "--label", "com.docker.compose.container-number=1", "--label", "com.docker.compose.oneoff=False",
                 "--label", "kopi-docka.enable=true", "--stop-timeout", "5", "--volume", docker_->volume("data-" + name) + ":/data"};
    for (const auto& label : labels) all.insert(all.end(), {"--label", label});
    all.insert(all.end(), options.begin(), options.end());
    docker_->run(name, all, {"sh", "-c", "trap 'exit 0' TERM; echo row > /data/rows; while :; do sleep 0.1; done"});
  }

  static std::string depends_on(const std::string& other) { return "com.docker.compose.depends_on=" + other + ":service_started:true"; }

  nlohmann::json backup(int code = 0) {
    const auto run = program_->inline_({"backup", unit_, "--json"});
    EXPECT_EQ(run.exit_code, code) << run.out << run.err;
    return run.json();
  }

  nlohmann::json listed() { return program_->inline_({"list", unit_, "--json"}).json().at(0); }

  /// `later` was stopped before `earlier` and started after it, by Docker's own times, as text of the same length and zone.
  void expect_inside(const std::string& later, const std::string& earlier) {
    EXPECT_LT(inspect(later, ".State.FinishedAt"), inspect(earlier, ".State.FinishedAt")) << later << " before " << earlier;
    EXPECT_LT(inspect(earlier, ".State.StartedAt"), inspect(later, ".State.StartedAt")) << earlier << " before " << later;
  }

  /// From now on the engine reads for a very long time while this service does not run.
  void read_slowly_while_down(const std::string& service) {
    const auto gate = program_->folder / "slow_gate";
    const auto docker = trim(sh("command -v docker"));
    const auto slow = "[ \"$(" + docker + " inspect -f '{{.State.Status}}' " + container(service) + ")\" = running ] || sleep 1000";
    std::ofstream(gate) << "#!/bin/sh\n$REAL_GATE \"$@\" || exit $?\n" << slow << "\n";
    ::chmod(gate.c_str(), 0700);
    put_before_engine("if [ -n \"$KOPI_DOCKA_GATE\" ]; then REAL_GATE=\"$KOPI_DOCKA_GATE\" KOPI_DOCKA_GATE=" + gate.string() +
                      "; export REAL_GATE KOPI_DOCKA_GATE; else case \"$*\" in *backup*_data*) " + slow + ";; esac; fi");
  }

  void expect_no_restore_point() { EXPECT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json().size(), 0u); }
};

TEST_F(Hold, AChainOfDependenciesIsStoppedFromItsEndAndStartedFromItsBeginning) {
  member("db");
  member("app", {depends_on("db")});
  member("web", {depends_on("app")});
  member("proxy", {"kopi-docka.depends-on=web"});
  EXPECT_EQ(backup()["result"], "success");
  expect_inside("app", "db");
  expect_inside("web", "app");
  expect_inside("proxy", "web");
}

TEST_F(Hold, WhoLivesInTheNetworkOfAnotherIsStoppedBeforeItAndHasItsNetworkAfterwards) {
  member("vpn");
  member("torrent", {}, {"--network", "container:" + container("vpn")});
  EXPECT_EQ(backup()["result"], "success");
  expect_inside("torrent", "vpn");
  EXPECT_EQ(docker_->shell(container("torrent"), "cat /proc/net/route"), docker_->shell(container("vpn"), "cat /proc/net/route"));
  EXPECT_THAT(docker_->shell(container("torrent"), "cat /proc/net/dev"), HasSubstr("eth0"));
}

TEST_F(Hold, ACircleOfLabelsIsAWarningAndABackup) {
  member("a", {"kopi-docka.depends-on=b"});
  member("b", {"kopi-docka.depends-on=c"});
  member("c", {"kopi-docka.depends-on=a"});
  const auto unit = listed();
  EXPECT_EQ(unit["valid"], true) << unit["problems"];
  EXPECT_THAT(unit["problems"].dump(), HasSubstr("depends on itself through"));
  EXPECT_EQ(backup()["result"], "success");
  expect_inside("a", "b");
  expect_inside("b", "c");
}

TEST_F(Hold, AMemberThatTheLabelKeepsUpIsNotTouchedWhileTheOthersAreHeld) {
  member("db");
  const auto reader = [&](const std::string& name, const std::string& mode) {
    docker_->run(name,
                 {"--label", "com.docker.compose.project=" + unit_, "--label", "com.docker.compose.service=" + name, "--label",
                  "com.docker.compose.container-number=1", "--label", depends_on("db"), "--label", "kopi-docka.stop=false", "--volume",
                  docker_->name("data-db") + ":/db:" + mode},
                 {"sleep", "1000"});
  };
  reader("reader", "ro");
  const auto since = inspect("reader", ".State.StartedAt"), before = inspect("db", ".State.StartedAt");
  const auto report = backup();
  EXPECT_EQ(report["result"], "success") << report;
  EXPECT_EQ(inspect("reader", ".State.StartedAt"), since);
  EXPECT_NE(inspect("db", ".State.StartedAt"), before);
  reader("writer", "rw");
  const auto unit = listed();
  EXPECT_EQ(unit["valid"], false);
  EXPECT_THAT(unit["problems"].dump(), HasSubstr("it is to stay up, but can write to volume " + docker_->name("data-db")));
  EXPECT_EQ(backup(4)["result"], "skipped");
}

TEST_F(Hold, AWriterOfAnotherUnitIsHeldTooOrTheSourceIsRefused) {
  member("db");
  const Words writes = {"--volume", docker_->name("data-db") + ":/out", "--stop-timeout", "5"};
  docker_->run("importer", writes, {"sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done"});
  EXPECT_THAT(listed()["problems"].dump(), HasSubstr(container("importer") + " writes to it too and is stopped and started with each backup"));
  EXPECT_THAT(program_->inline_({"backup", unit_, "--dry-run"}).out, HasSubstr("stop container " + container("importer") + " of another unit"));
  const auto before = inspect("importer", ".State.StartedAt");
  const auto report = backup();
  EXPECT_EQ(report["result"], "success") << report;
  EXPECT_TRUE(running("importer"));
  EXPECT_NE(inspect("importer", ".State.StartedAt"), before);
  std::map<std::string, bool> foreign;
  for (const auto& held : report["members"]) foreign[held["name"]] = held["foreign"];
  EXPECT_EQ(foreign, (std::map<std::string, bool>{{container("db"), false}, {container("importer"), true}}));

  auto deleted_by_a_stop = writes;
  deleted_by_a_stop.push_back("--rm");
  docker_->run("visitor", deleted_by_a_stop, {"sleep", "1000"});
  EXPECT_EQ(listed()["valid"], false);
  EXPECT_EQ(backup(4)["result"], "skipped");
  EXPECT_TRUE(running("visitor"));
}

TEST_F(Hold, APausedCopyIsMadeWithoutAnyStopAndNamedSoEverywhere) {
  member("db", {"kopi-docka.consistency=pause"});
  member("web", {depends_on("db")});
  const auto since = inspect("db", ".State.StartedAt");
  const auto report = backup();
  EXPECT_EQ(report["result"], "success") << report;
  EXPECT_EQ(report["consistency"], "pause");
  EXPECT_THAT(report["problems"].dump(), HasSubstr("as after a power cut"));
  EXPECT_EQ(inspect("db", ".State.StartedAt"), since);
  EXPECT_EQ(inspect("db", ".State.Status") + inspect("web", ".State.Status"), "runningrunning");
  EXPECT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json()[0]["consistency"], "pause");
  EXPECT_THAT(program_->inline_({"snapshots", unit_}).out, HasSubstr("complete, pause"));
  EXPECT_THAT(program_->inline_({"history"}).out, HasSubstr("success, pause"));
  EXPECT_THAT(program_->inline_({"list", unit_}).out, HasSubstr("consistency pause"));
  EXPECT_THAT(program_->inline_({"backup", unit_, "--dry-run"}).out, HasSubstr("pause container " + container("db")));
}

TEST_F(Hold, AHotCopyTouchesNobodyAndIsNamedSoEverywhere) {
  member("db", {"kopi-docka.consistency=none"});
  const auto since = inspect("db", ".State.StartedAt");
  const auto report = backup();
  EXPECT_EQ(report["result"], "success") << report;
  EXPECT_EQ(report["consistency"], "none");
  EXPECT_EQ(report["downtime_seconds"], 0.0);
  EXPECT_EQ(inspect("db", ".State.StartedAt"), since);
  EXPECT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json()[0]["consistency"], "none");
  EXPECT_THAT(program_->inline_({"snapshots", unit_}).out, HasSubstr("complete, none"));
}

TEST_F(Hold, AKillWhileContainersArePausedIsSettledByTheNextStart) {
  member("db", {"kopi-docka.consistency=pause"});
  member("web", {depends_on("db")});
  const auto path = program_->environment["PATH"];
  read_slowly_while_down("db");
  program_->start_daemon();
  ASSERT_TRUE(eventually([&] { return program_->ready(); })) << program_->log();
  std::thread request([&] { (void)program_->run({"backup", unit_}); });
  const auto status = [&](const std::string& service) { return docker_->status(container(service)); };
  EXPECT_TRUE(eventually([&] { return status("db") == "paused" && status("web") == "paused"; })) << program_->log();
  program_->signal_daemon(SIGKILL);
  request.join();
  EXPECT_EQ(program_->wait_daemon(), 128 + SIGKILL);
  EXPECT_EQ(status("db") + status("web"), "pausedpaused");
  program_->environment["PATH"] = path;
  program_->start_daemon();
  EXPECT_TRUE(eventually([&] { return all_running() && program_->journal_lines().empty(); })) << program_->log();
  const auto lost = reports();
  ASSERT_EQ(lost.size(), 1u);
  EXPECT_EQ(lost[0]["reason"], "interrupted");
}

TEST_F(Hold, AContainerThatSomebodyElsePausedIsRefusedAndStaysPaused) {
  member("db", {"kopi-docka.consistency=pause"});
  docker_->docker({"pause", container("db")});
  EXPECT_EQ(backup(4)["result"], "skipped");
  EXPECT_EQ(program_->inline_({"recover"}).exit_code, 0);
  EXPECT_EQ(docker_->status(container("db")), "paused");
  docker_->docker({"unpause", container("db")});
}

TEST_F(Hold, AnEngineThatHangsBeforeItHasOpenedTheRepositoryStopsNothing) {
  if (!on_path("kopia")) GTEST_SKIP() << "kopia is not on PATH, and restic opens inside the hold";
  member("db", {"kopi-docka.warm=off"});
  ASSERT_EQ(backup()["result"], "success");
  const auto before = inspect("db", ".State.StartedAt");
  program_->environment["KOPI_DOCKA_ENGINE_TIMEOUT"] = "20s";
  put_before_engine("case \"$*\" in *' create '*_data*) sleep 1000;; esac");
  const auto report = backup(1);
  EXPECT_EQ(report["result"], "failed") << report;
  EXPECT_THAT(report["problems"].dump(), HasSubstr("has not opened the repository"));
  EXPECT_EQ(inspect("db", ".State.StartedAt"), before);
  EXPECT_TRUE(program_->journal_lines().empty());
}

TEST_F(Hold, WhenMaxDowntimeIsOverEverythingIsStartedAndTheRunHasFailed) {
  // Nothing is left to read in the hold otherwise: nobody writes here.
  member("db", {"kopi-docka.max-downtime=3s", "kopi-docka.warm=off"});
  member("web", {depends_on("db")});
  const auto before = inspect("db", ".State.StartedAt");
  EXPECT_THAT(program_->inline_({"backup", unit_, "--dry-run"}).out, HasSubstr("at most 3s from the first stop"));
  read_slowly_while_down("db");
  const auto report = backup(1);
  EXPECT_EQ(report["result"], "failed") << report;
  EXPECT_EQ(report["reason"], "max-downtime");
  EXPECT_TRUE(all_running());
  EXPECT_NE(inspect("db", ".State.StartedAt"), before);
  expect_inside("web", "db");
  EXPECT_TRUE(program_->journal_lines().empty());
  expect_no_restore_point();
}

}  // namespace
}  // namespace kopidocka::testing
