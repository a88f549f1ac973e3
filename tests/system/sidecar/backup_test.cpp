#include <gmock/gmock.h>

#include "shop.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

INSTANTIATE_TEST_SUITE_P(Engines, Shop, ::testing::Values("kopia", "restic"), [](const auto& info) { return info.param; });

TEST_P(Shop, IsBackedUpColdAndBroughtBack) {
  make_stack();
  const auto rows = tree_of(volume_path("data")), files = tree_of(volume_path("files")), site = tree_of(bind_);
  const auto backup = program_->inline_({"backup", unit_, "--json"});
  ASSERT_EQ(backup.exit_code, 0) << backup.err << backup.out;
  const auto report = backup.json();
  EXPECT_EQ(report["result"], "success");
  EXPECT_EQ(report["unit"], unit_);
  EXPECT_GT(report["downtime_seconds"], 0.0);
  EXPECT_EQ(report["problems"].size(), 0u) << report["problems"];
  std::map<std::string, int> types;
  for (const auto& snapshot : report["snapshots"]) {
    ++types[snapshot["type"]];
    EXPECT_EQ(snapshot["errors"], 0);
  }
  EXPECT_EQ(types["volume"], 2);
  EXPECT_EQ(types["bind"], 1);
  EXPECT_EQ(types["recipe"], 1);
  EXPECT_TRUE(all_running());

  const auto points = program_->inline_({"snapshots", unit_, "--json"}).json();
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0]["backup_id"], report["backup_id"]);
  EXPECT_EQ(points[0]["complete"], true);

  sh("rm -r " + bind_.string() + "/* " + volume_path("data").string() + "/*; echo wrong > " + volume_path("files").string() + "/page");
  const auto restore = program_->inline_({"restore", unit_, "--yes", "--json"});
  ASSERT_EQ(restore.exit_code, 0) << restore.err << restore.out;
  EXPECT_TRUE(all_running());
  docker_->docker({"stop", container("db"), container("web")});
  sh("rm -f " + volume_path("data").string() + "/.keep");
  EXPECT_EQ(tree_of(bind_), site);
  // Both containers write their file again when they start, so only what they do not touch can be compared in time.
  EXPECT_EQ(sh("cat " + volume_path("data").string() + "/rows " + volume_path("files").string() + "/page"), "row\npage\n");
  EXPECT_EQ(rows.size(), tree_of(volume_path("data")).size());
  EXPECT_EQ(files.size(), tree_of(volume_path("files")).size());
  for (const auto& path : {volume_path("data"), volume_path("files"), bind_}) {
    EXPECT_EQ(sh("ls -a " + path.parent_path().string() + " | grep -c kopi-docka || true"), "0\n") << path;
  }
}

TEST_P(Shop, ADryRunPrintsThePlanAndChangesNothing) {
  make_stack();
  const auto started = docker_->docker({"inspect", "--format", "{{.State.StartedAt}}", container("db")});
  const auto plan = program_->inline_({"backup", unit_, "--dry-run"});
  EXPECT_EQ(plan.exit_code, 0) << plan.err;
  EXPECT_THAT(plan.out, HasSubstr("hold (containers are down)"));
  EXPECT_THAT(plan.out, HasSubstr("stop container " + container("web")));
  EXPECT_EQ(docker_->docker({"inspect", "--format", "{{.State.StartedAt}}", container("db")}), started);
  EXPECT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json().size(), 0u);
}

TEST_P(Shop, NothingIsStoppedWhenTheRepositoryIsGone) {
  make_stack();
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  const auto started = docker_->docker({"inspect", "--format", "{{.State.StartedAt}}", container("db")});
  fs::rename(program_->folder / "repository", program_->folder / "elsewhere");
  const auto refused = program_->inline_({"backup", unit_});
  EXPECT_TRUE(refused.exit_code == 4 || refused.exit_code == 5) << refused.exit_code << refused.err << refused.out;
  EXPECT_THAT(refused.err + refused.out, HasSubstr("repository"));
  EXPECT_FALSE(fs::exists(program_->folder / "repository"));
  EXPECT_EQ(docker_->docker({"inspect", "--format", "{{.State.StartedAt}}", container("db")}), started);
}

TEST_P(Shop, AWrongPasswordIsNamedAndStopsNothing) {
  make_stack();
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  const auto started = docker_->docker({"inspect", "--format", "{{.State.StartedAt}}", container("db")});
  program_->environment["KOPI_DOCKA_PASSWORD"] = "another";
  const auto refused = program_->inline_({"backup", unit_});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err + refused.out, HasSubstr("password"));
  EXPECT_EQ(docker_->docker({"inspect", "--format", "{{.State.StartedAt}}", container("db")}), started);
}

TEST_P(Shop, OneVolumeOfAnOlderBackupGoesToAFolder) {
  make_stack();
  // A file the containers do not touch: they write their own again at every start.
  const auto kept = volume_path("data").string() + "/kept";
  sh("echo older > " + kept);
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  const auto first = program_->inline_({"snapshots", unit_, "--json"}).json()[0]["backup_id"].get<std::string>();
  sh("echo newer > " + kept);
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  const auto to = program_->folder / "out";
  const auto restore =
      program_->inline_({"restore", unit_, "--at", first.substr(0, 8), "--volume", docker_->name("data"), "--to", to.string(), "--yes"});
  ASSERT_EQ(restore.exit_code, 0) << restore.err << restore.out;
  EXPECT_EQ(sh("cat " + to.string() + "/volumes/" + docker_->name("data") + "/kept"), "older\n");
  EXPECT_EQ(sh("cat " + kept), "newer\n");
  EXPECT_TRUE(all_running());
}

TEST_P(Shop, SecretsAreNeverOnACommandLineOrInALog) {
  make_stack();
  program_->environment["KOPI_DOCKA_LOG_LEVEL"] = "trace";
  const auto backup = program_->inline_({"backup", unit_});
  EXPECT_EQ(backup.exit_code, 0) << backup.err;
  EXPECT_EQ((backup.err + backup.out).find("canary-7f3a9c"), std::string::npos);
  EXPECT_EQ(sh("grep -rl canary-7f3a9c " + program_->state().string() + " " + (program_->folder / "cache").string() + " || true"), "");
}

TEST_P(Shop, WrongLabelsAreAllNamedAndNothingIsBackedUp) {
  docker_->run("lone", {"--label", "kopi-docka.shedule=0 3 * * *", "--label", "kopi-docka.schedule=0 0 31 2 *", "--label",
                        "kopi-docka.timezone=Mars/Olympus"},
               {"sleep", "1000"});
  const auto listed = program_->inline_({"list", docker_->name("lone"), "--json"}).json();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0]["valid"], false);
  const auto problems = listed[0]["problems"].dump();
  EXPECT_THAT(problems, HasSubstr("kopi-docka.schedule"));
  EXPECT_THAT(problems, HasSubstr("shedule"));
  EXPECT_THAT(problems, HasSubstr("Mars/Olympus"));
  const auto backup = program_->inline_({"backup", docker_->name("lone"), "--json"});
  EXPECT_EQ(backup.exit_code, 4);
  EXPECT_EQ(backup.json()["result"], "skipped");
  EXPECT_EQ(docker_->status(docker_->name("lone")), "running");
}

}  // namespace
}  // namespace kopidocka::testing
