#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/text.hpp"
#include "shop.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

/// What one run does to real containers besides saving them, and what it says when it may not.
class Run : public OneShop {
 protected:
  std::string script(const std::string& name, const std::string& body) {
    const auto path = program_->folder / "hooks" / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path) << "#!/bin/sh\n" << body << "\n";
    ::chmod(path.c_str(), 0700);
    return path.string();
  }

  std::string text_of(const fs::path& path) { return sh("cat '" + path.string() + "'"); }

  /// Started and stopped nothing: the containers still run since the same moment.
  void expect_untouched(const std::string& since) {
    EXPECT_EQ(inspect("db", ".State.StartedAt"), since);
    EXPECT_TRUE(all_running());
    EXPECT_TRUE(program_->journal_lines().empty());
  }
};

TEST_F(Run, StopsDependentsFirstAndStartsProvidersFirst) {
  make_stack();
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  // Docker's own times, as text of the same length and zone.
  EXPECT_LT(inspect("web", ".State.FinishedAt"), inspect("db", ".State.FinishedAt"));
  EXPECT_LT(inspect("db", ".State.StartedAt"), inspect("web", ".State.StartedAt"));
}

TEST_F(Run, SavesRecipeAndNetworksBeforeAnythingIsStopped) {
  make_stack();
  const auto plan = program_->inline_({"backup", unit_, "--dry-run", "--json"}).json();
  const auto report = program_->inline_({"backup", unit_, "--json"}).json();
  ASSERT_EQ(report["result"], "success") << report;
  for (const auto& step : plan["steps"]) {
    const std::string words = step["step"];
    if (words.find("recipe") != std::string::npos || words.find("networks") != std::string::npos) {
      EXPECT_EQ(step["phase"], "prepare") << words;
    }
  }
}

TEST_F(Run, WaitsForHealthBeforeItIsASuccess) {
  make_stack("trap 'exit 0' TERM; while :; do sleep 0.1; done",
             {"--health-cmd", "test -e /data/rows", "--health-interval", "1s", "--health-retries", "3"});
  const auto report = program_->inline_({"backup", unit_, "--json"}).json();
  EXPECT_EQ(report["result"], "success") << report;
  EXPECT_EQ(inspect("db", ".State.Health.Status"), "healthy");
}

TEST_F(Run, AContainerThatDoesNotBecomeHealthyMakesItPartial) {
  make_stack("trap 'exit 0' TERM; while :; do sleep 0.1; done",
             {"--health-cmd", "test ! -e /data/poison", "--health-interval", "1s", "--health-retries", "1", "--health-start-period", "0s",
              "--label", "kopi-docka.start-timeout=5s"});
  sh("touch " + (volume_path("data") / "poison").string());
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(run.exit_code, 3) << run.out << run.err;
  EXPECT_EQ(run.json()["result"], "partial");
  EXPECT_EQ(run.json()["reason"], "health");
  EXPECT_TRUE(all_running());
  ASSERT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json().size(), 1u) << "partial runs are kept";
}

TEST_F(Run, AStoppedContainerStaysStopped) {
  make_stack();
  docker_->docker({"stop", container("web")});
  const auto finished = inspect("web", ".State.FinishedAt");
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  EXPECT_TRUE(running("db"));
  EXPECT_FALSE(running("web"));
  EXPECT_EQ(inspect("web", ".State.FinishedAt"), finished);
}

TEST_F(Run, APreHookThatFailsStopsNothing) {
  make_stack();
  const auto since = inspect("db", ".State.StartedAt");
  script("pre_backup", "echo the queue is not empty >&2; exit 7");
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(run.exit_code, 4);
  EXPECT_EQ(run.json()["result"], "skipped");
  EXPECT_EQ(run.json()["reason"], "hook");
  EXPECT_THAT(run.json()["problems"].dump(), HasSubstr("the queue is not empty"));
  expect_untouched(since);
}

TEST_F(Run, HooksAreToldWhatTheyRunFor) {
  make_stack();
  const auto note = (program_->folder / "note").string();
  const auto line = "echo $KOPI_DOCKA_HOOK_TYPE $KOPI_DOCKA_UNIT_NAME $KOPI_DOCKA_RESULT >> " + note;
  script("pre_backup", line + "; env >> " + note);
  script("post_backup", line + "; exit 3");
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(run.exit_code, 3) << "a failed hook after the run costs the success, not the backup";
  EXPECT_EQ(run.json()["result"], "partial");
  const auto text = text_of(note);
  EXPECT_THAT(text, HasSubstr("pre_backup " + unit_));
  EXPECT_THAT(text, HasSubstr("post_backup " + unit_ + " success"));
  EXPECT_THAT(text, Not(HasSubstr("canary-7f3a9c"))) << "the repository's password is none of a hook's business";
}

TEST_F(Run, AFailedReadStartsEverythingAndLeavesNoRestorePoint) {
  make_stack();
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  put_before_engine("case \"$*\" in *snapshot*create*_data*|*backup*_data*) echo disk on fire >&2; exit 1;; esac");
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
  EXPECT_EQ(run.json()["result"], "failed");
  EXPECT_EQ(run.json()["reason"], "snapshot");
  EXPECT_EQ(run.json()["snapshots"].size(), 0u);
  EXPECT_THAT(run.json()["problems"].dump(), HasSubstr("disk on fire"));
  EXPECT_TRUE(all_running());
  EXPECT_TRUE(program_->journal_lines().empty());
  const auto points = program_->inline_({"snapshots", unit_, "--json"}).json();
  ASSERT_EQ(points.size(), 1u);
  EXPECT_NE(points[0]["backup_id"], run.json()["backup_id"]);
}

TEST_F(Run, AnEngineThatEndsWithoutASnapshotIsNoSuccess) {
  make_stack();
  put_before_engine("case \"$*\" in *snapshot*create*_data*|*backup*_data*) exit 0;; esac");
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
  EXPECT_EQ(run.json()["result"], "failed");
  EXPECT_TRUE(all_running());
  EXPECT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json().size(), 0u);
}

TEST_F(Run, TheRecipeHidesSecretsAndTheEnvironmentFileHasThemAll) {
  make_stack("trap 'exit 0' TERM; while :; do sleep 0.1; done",
             {"--env", "DB_PASSWORD=hunter2", "--env", "MONKEY=banana", "--env", "KEYBOARD=qwertz", "--env", "DB_PASSWORD_FILE=/run/secrets/db"});
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  const auto out = program_->folder / "out";
  ASSERT_EQ(program_->inline_({"restore", unit_, "--to", out.string(), "--yes"}).exit_code, 0);
  const auto inspected = text_of(out / "recipe" / (container("db") + "_inspect.json"));
  EXPECT_THAT(inspected, Not(HasSubstr("hunter2")));
  for (const auto* kept : {"MONKEY=banana", "KEYBOARD=qwertz", "DB_PASSWORD_FILE=/run/secrets/db"}) EXPECT_THAT(inspected, HasSubstr(kept));
  EXPECT_THAT(text_of(out / "recipe" / "environment.json"), HasSubstr("hunter2"));
  struct stat info{};
  ASSERT_EQ(::stat((out / "recipe" / "environment.json").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600u);
  const auto reconstructed = text_of(out / "recipe" / "reconstructed-compose.yaml");
  EXPECT_THAT(reconstructed, HasSubstr("\"db\":"));
  EXPECT_THAT(reconstructed, Not(HasSubstr("hunter2")));

  program_->environment["KOPI_DOCKA_RECIPE_ENVIRONMENT"] = "false";
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  const auto without = program_->folder / "without";
  ASSERT_EQ(program_->inline_({"restore", unit_, "--to", without.string(), "--yes"}).exit_code, 0);
  EXPECT_FALSE(fs::exists(without / "recipe" / "environment.json"));
}

TEST_F(Run, AComposeFileOutOfSightIsAWarningEverywhere) {
  make_stack("trap 'exit 0' TERM; while :; do sleep 0.1; done",
             {"--label", "com.docker.compose.project.working_dir=/nowhere", "--label",
              "com.docker.compose.project.config_files=/nowhere/compose.yaml"});
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_TRUE(run.exit_code == 0 || run.exit_code == 3) << run.out << run.err;
  EXPECT_THAT(run.json()["problems"].dump(), HasSubstr("/nowhere/compose.yaml"));
  const auto out = program_->folder / "out";
  ASSERT_EQ(program_->inline_({"restore", unit_, "--to", out.string(), "--yes"}).exit_code, 0);
  EXPECT_TRUE(fs::exists(out / "recipe" / "reconstructed-compose.yaml"));
}

TEST_F(Run, TheScopeSaysWhatIsSaved) {
  make_stack();
  const auto types = [&](const std::string& scope) {
    std::set<std::string> found;
    const auto run = program_->inline_({"backup", unit_, "--scope", scope, "--json"});
    EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
    const auto report = run.json();
    for (const auto& snapshot : report["snapshots"]) found.insert(snapshot["type"]);
    EXPECT_EQ(report["scope"], scope);
    return found;
  };
  EXPECT_THAT(types("minimal"), ::testing::UnorderedElementsAre("volume", "bind"));
  EXPECT_THAT(types("standard"), ::testing::IsSupersetOf({"volume", "bind", "recipe"}));
  EXPECT_THAT(types("standard"), Not(Contains("docker_config")));
}

TEST_F(Run, TooLittleFreeSpaceIsFoundBeforeAnythingStops) {
  make_stack();
  const auto since = inspect("db", ".State.StartedAt");
  program_->environment["KOPI_DOCKA_MIN_FREE"] = "900TiB";
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(run.exit_code, 4) << run.out << run.err;
  EXPECT_EQ(run.json()["result"], "skipped");
  EXPECT_THAT(run.json()["problems"].dump(), HasSubstr("KOPI_DOCKA_MIN_FREE"));
  expect_untouched(since);
}

TEST_F(Run, AFullDiskUnderTheStateFolderStopsNothing) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  make_stack();
  const auto since = inspect("db", ".State.StartedAt");
  const auto small = program_->folder / "small";
  fs::create_directories(small);
  sh("cp -a " + program_->state().string() + " " + (program_->folder / "copy").string());
  sh("mount -t tmpfs -o size=1m none " + small.string() + " && cp -a " + (program_->folder / "copy").string() + "/. " + small.string());
  program_->environment["KOPI_DOCKA_STATE_DIR"] = small.string();
  sh("dd if=/dev/zero of=" + small.string() + "/fill bs=4k 2>/dev/null || true");
  const auto run = program_->inline_({"backup", unit_});
  EXPECT_NE(run.exit_code, 0);
  EXPECT_THAT(run.err + run.out, HasSubstr("No space left"));
  expect_untouched(since);
  sh("umount " + small.string());
}

TEST_F(Run, AFullDiskUnderTheRepositoryStartsEverythingAgain) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting a small file system needs root";
  make_stack();
  const auto small = program_->folder / "small";
  fs::create_directories(small);
  sh("mount -t tmpfs -o size=24m none " + small.string());
  program_->environment["KOPI_DOCKA_REPOSITORY"] = "filesystem://" + small.string();
  program_->environment["KOPI_DOCKA_STATE_DIR"] = (program_->folder / "state-of-small").string();
  program_->environment["KOPI_DOCKA_MIN_FREE"] = "0";
  ASSERT_EQ(program_->inline_({"repository", "init"}).exit_code, 0);
  sh("head -c 60000000 /dev/urandom > " + (volume_path("data") / "big").string());
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(run.exit_code, 1) << run.out << run.err;
  EXPECT_EQ(run.json()["result"], "failed");
  EXPECT_TRUE(all_running());
  for (const auto& point : program_->inline_({"snapshots", unit_, "--json"}).json()) EXPECT_EQ(point["complete"], false) << point;
  sh("umount -l " + small.string());
}

TEST_F(Run, ABindWhoseFolderIsGoneIsRefused) {
  make_stack();
  const auto since = inspect("db", ".State.StartedAt");
  fs::rename(bind_, program_->folder / "moved");
  const auto run = program_->inline_({"backup", unit_, "--json"});
  EXPECT_EQ(run.exit_code, 4) << run.out << run.err;
  EXPECT_EQ(run.json()["result"], "skipped");
  EXPECT_THAT(run.json()["problems"].dump(), HasSubstr(bind_.string()));
  expect_untouched(since);
}

TEST_F(Run, AnUnreachableDockerEngineIsNamed) {
  program_->environment["DOCKER_HOST"] = "unix:///nowhere/docker.sock";
  const auto run = program_->inline_({"backup", unit_});
  EXPECT_EQ(run.exit_code, 5) << run.err;
  EXPECT_THAT(run.err, HasSubstr("/nowhere/docker.sock"));
}

TEST_F(Run, WithoutADaemonAVerbSaysWhatToDo) {
  const auto run = program_->run({"list"});
  EXPECT_EQ(run.exit_code, 5);
  EXPECT_THAT(run.err, HasSubstr("--inline"));
}

/// The repository as another client sees it, through kopia's own program.
TEST_F(Run, SnapshotsCarryTheTagsAndIdentitiesOfThePythonOriginal) {
  if (!on_path("kopia")) GTEST_SKIP() << "kopia is not on PATH";
  make_stack();
  const auto report = program_->inline_({"backup", unit_, "--json"}).json();
  ASSERT_EQ(report["result"], "success");
  const auto config = (program_->folder / "other.config").string();
  const auto kopia = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "kopia");
    for (const auto* word : {"--config-file", config.c_str()}) words.emplace_back(word);
    return run_program(words, {{"PATH", program_->environment["PATH"]}, {"HOME", program_->folder.string()}, {"KOPIA_PASSWORD", "canary-7f3a9c"},
                               {"KOPIA_CHECK_FOR_UPDATES", "false"}});
  };
  const auto connected = kopia({"repository", "connect", "filesystem", "--path", (program_->folder / "repository").string()});
  ASSERT_EQ(connected.exit_code, 0) << connected.err;
  std::map<std::string, nlohmann::json> by_path;
  for (const auto& snapshot : kopia({"snapshot", "list", "--all", "--json"}).json()) {
    EXPECT_EQ(snapshot["source"]["userName"], "root");
    EXPECT_EQ(snapshot["source"]["host"], "testhost");
    by_path[snapshot["source"]["path"]] = snapshot["tags"];
  }
  const auto recipe = "/var/cache/kopi-docka/staging/recipes/" + unit_;
  ASSERT_THAT(by_path, Contains(::testing::Key(recipe)));
  ASSERT_THAT(by_path, Contains(::testing::Key(volume_path("data").string())));
  ASSERT_THAT(by_path, Contains(::testing::Key(bind_.string())));
  for (const auto& [path, tags] : by_path) {
    EXPECT_EQ(tags["tag:unit"], unit_) << path;
    EXPECT_EQ(tags["tag:backup_id"], report["backup_id"]) << path;
    EXPECT_EQ(tags["tag:backup_scope"], "standard") << path;
    EXPECT_TRUE(tags.contains("tag:timestamp")) << path;
  }
  EXPECT_EQ(by_path[recipe]["tag:type"], "recipe");
  const auto& volume = by_path[volume_path("data").string()];
  EXPECT_EQ(volume["tag:type"], "volume");
  EXPECT_EQ(volume["tag:volume"], docker_->name("data"));
  EXPECT_EQ(volume["tag:backup_format"], "direct");
  const auto& bind = by_path[bind_.string()];
  EXPECT_EQ(bind["tag:bind_source"], bind_.string());
  EXPECT_EQ(bind["tag:bind_destination"], "/site");
  EXPECT_EQ(bind["tag:read_only"], "false");
}

}  // namespace
}  // namespace kopidocka::testing
