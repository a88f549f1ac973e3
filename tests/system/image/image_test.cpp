#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "support/docker_fixture.hpp"
#include "support/program.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
using nlohmann::json;
namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

/// The product as its users have it: the image, in containers. These tests run alone, because only one sidecar acts on a
/// Docker Engine, and the programs of other tests step back for it.
class Image : public ::testing::Test {
 protected:
  void SetUp() override {
    image_ = variable("KOPI_DOCKA_TEST_IMAGE");
    if (image_.empty()) GTEST_SKIP() << "KOPI_DOCKA_TEST_IMAGE names no image: scripts/test --no-image";
    if (const auto why = DockerFixture::unavailable(); !why.empty()) GTEST_SKIP() << why;
    if (!sh("docker ps --all --quiet --filter label=kopi-docka.role=sidecar --filter status=running").empty() ||
        docker_cli({"container", "inspect", "kopi-docka"}).exit_code == 0) {
      GTEST_SKIP() << "a kopi-docka is here already";
    }
    docker_ = std::make_unique<DockerFixture>("image");
    // "kopia" where the image has it, else what every image has.
    engine_ = docker_cli({"run", "--rm", "--network", "none", "--entrypoint", "kopia", image_, "--version"}).exit_code == 0 ? "kopia" : "restic";
    folder_ = fs::temp_directory_path() / ("kd-image-" + make_uuid().substr(0, 8));
    fs::create_directories(folder_);
    root_ = trim(docker_->docker({"info", "--format", "{{.DockerRootDir}}"}));
  }

  void TearDown() override {
    docker_.reset();
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  /// The sidecar as compose/sidecar.yaml runs it, by hand: with these more options, under a name of this test.
  std::string sidecar(const std::string& name, std::vector<std::string> more) {
    std::vector<std::string> words = {"run", "--detach", "--name", docker_->name(name), "--read-only", "--security-opt", "no-new-privileges:true",
                                      "--cap-drop", "ALL", "--cap-add", "DAC_READ_SEARCH", "--cap-add", "DAC_OVERRIDE", "--cap-add", "CHOWN",
                                      "--cap-add", "FOWNER", "--cap-add", "FSETID", "--cap-add", "SETFCAP", "--cap-add", "MKNOD", "--tmpfs", "/tmp",
                                      "--env", "KOPI_DOCKA_ENGINE=" + engine_, "--volume", "/var/run/docker.sock:/var/run/docker.sock",
                                      "--volume", root_ + "/volumes:" + root_ + "/volumes"};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(image_);
    docker_->docker(words);
    return docker_->name(name);
  }

  std::vector<std::string> places(const std::string& name) {
    return {"--volume", docker_->name(name + "-state") + ":/var/lib/kopi-docka", "--volume", docker_->name(name + "-cache") + ":/var/cache/kopi-docka",
            "--volume", docker_->name(name + "-repository") + ":/repository"};
  }

  CliResult verb(const std::string& container, std::vector<std::string> words) {
    words.insert(words.begin(), {"exec", container, "kopi-docka"});
    return docker_cli(words);
  }

  bool ready(const std::string& container) {
    return eventually([&] { return verb(container, {"health"}).exit_code == 0; }, std::chrono::seconds(120));
  }

  std::string state_of(const std::string& container, const std::string& field) {
    return docker_->docker({"inspect", "--format", "{{" + field + "}}", container});
  }

  /// KiB of memory that process 1 of the container really holds.
  long resident(const std::string& container) {
    return std::atol(docker_->docker({"exec", container, "sh", "-c", "sed -n 's/^VmRSS: *//p' /proc/1/status"}).c_str());
  }

  std::string image_, engine_, root_;
  std::unique_ptr<DockerFixture> docker_;
  fs::path folder_;
};

/// compose/sidecar.yaml beside a stack that knows nothing of it, as a user pastes it.
TEST_F(Image, TheSidecarFileServesAStackThatKnowsNothingOfIt) {
  const auto compose = compose_command();
  if (compose.empty()) GTEST_SKIP() << "neither 'docker compose' nor docker-compose is installed";
  const fs::path project = folder_ / "project";
  fs::copy(fs::path(SOURCE_DIR) / "examples/notes", project, fs::copy_options::recursive);
  fs::copy_file(fs::path(SOURCE_DIR) / "compose/sidecar.yaml", project / "sidecar.yaml");
  // The lines a user adds: the folders of bind mounts and of the compose file, and the engine when it is not kopia.
  std::ofstream(project / "mine.yaml") << "services:\n  kopi-docka:\n    image: " << image_ << "\n    environment: {KOPI_DOCKA_ENGINE: " << engine_
                                       << "}\n    volumes: ['" << project.string() << ":" << project.string() << "']\n";
  const auto name = docker_->name("notes");
  const auto call = [&](std::vector<std::string> words) {
    auto argv = compose;
    for (const auto* file : {"compose.yaml", "sidecar.yaml", "mine.yaml"}) argv.insert(argv.end(), {"-f", (project / file).string()});
    argv.insert(argv.end(), {"-p", name});
    argv.insert(argv.end(), words.begin(), words.end());
    return run_program(argv, {{"PATH", variable("PATH")}, {"HOME", folder_.string()}, {"NOTES_IMAGE", kTestImage}});
  };
  const auto up = call({"up", "-d"});
  struct Down {
    std::function<void()> call;
    ~Down() { call(); }
  } down{[&] { call({"down", "-v", "-t", "5"}); }};
  ASSERT_EQ(up.exit_code, 0) << up.err;
  ASSERT_TRUE(ready("kopi-docka")) << docker_cli({"logs", "kopi-docka"}).output;

  const auto self = json::parse(docker_->docker({"inspect", "kopi-docka"}))[0];
  const auto& host = self["HostConfig"];
  EXPECT_EQ(host["ReadonlyRootfs"], true);
  EXPECT_EQ(host["CapDrop"], json::array({"ALL"}));
  EXPECT_EQ(host["Privileged"], false);
  EXPECT_EQ(host["SecurityOpt"], json::array({"no-new-privileges:true"}));
  EXPECT_EQ(host["RestartPolicy"]["Name"], "always");
  EXPECT_TRUE(host["PortBindings"].empty());
  EXPECT_EQ(self["Config"]["StopTimeout"], 120);
  EXPECT_EQ(docker_->docker({"exec", "kopi-docka", "stat", "-c", "%a", "/var/lib/kopi-docka/password"}), "600");
  EXPECT_LT(resident("kopi-docka"), 20 * 1024) << "KiB, idle";

  const auto listed = json::parse(verb("kopi-docka", {"list", name, "--json"}).output)[0];
  EXPECT_EQ(listed["valid"], true) << listed["problems"];
  EXPECT_EQ(listed["problems"].size(), 0u) << listed["problems"];
  EXPECT_EQ(listed["containers"].size(), 2u) << "the sidecar is no member of what it backs up";
  ASSERT_TRUE(eventually([&] { return docker_->shell(name + (compose.size() == 2 ? "-writer-1" : "_writer_1"), "wc -l < /notes/notes.txt") >= "3"; }));
  const auto since = state_of("kopi-docka", ".State.StartedAt");
  const auto backup = verb("kopi-docka", {"backup", name});
  ASSERT_EQ(backup.exit_code, 0) << backup.output;
  EXPECT_EQ(state_of("kopi-docka", ".State.StartedAt"), since) << "it never stops itself";
  EXPECT_LT(resident("kopi-docka"), 20 * 1024) << "KiB, after a run";
  EXPECT_TRUE(eventually([&] { return state_of("kopi-docka", ".State.Health.Status") == "healthy"; }, std::chrono::seconds(90)));

  const auto notes = fs::path(root_) / "volumes" / (name + "_notes") / "_data/notes.txt";
  const auto page = project / "pages/index.html";
  const auto first = sh("head -n 3 " + notes.string()), before = sh("cat " + page.string());
  sh("rm " + notes.string() + " " + page.string());

  // Re-created, as by every update of the image: the same password, identity and history.
  const auto recreated = call({"up", "-d", "--force-recreate", "--no-deps", "kopi-docka"});
  ASSERT_EQ(recreated.exit_code, 0) << recreated.err;
  ASSERT_TRUE(ready("kopi-docka")) << docker_cli({"logs", "kopi-docka"}).output;
  const auto points = json::parse(verb("kopi-docka", {"snapshots", name, "--json"}).output);
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(json::parse(verb("kopi-docka", {"history", name, "--json"}).output).size(), 1u);

  const auto restore = verb("kopi-docka", {"restore", name, "--yes"});
  ASSERT_EQ(restore.exit_code, 0) << restore.output;
  EXPECT_EQ(sh("head -n 3 " + notes.string()), first);
  EXPECT_EQ(sh("cat " + page.string()), before);

  // The only copy of everything else is gone: repository and password are enough, on a machine without a daemon.
  const auto password = trim(docker_->docker({"exec", "kopi-docka", "cat", "/var/lib/kopi-docka/password"}));
  docker_->docker({"stop", "kopi-docka"});
  std::ofstream(folder_ / "password") << password << "\n";
  fs::permissions(folder_ / "password", fs::perms::owner_read);
  fs::create_directories(folder_ / "back");
  const auto alone = docker_cli({"run", "--rm", "--name", docker_->name("alone"), "--env", "KOPI_DOCKA_ENGINE=" + engine_, "--env",
                                 "KOPI_DOCKA_PASSWORD_FILE=/password", "--volume", (folder_ / "password").string() + ":/password:ro", "--volume",
                                 "/var/run/docker.sock:/var/run/docker.sock", "--volume", name + "_kopi-docka-repository:/repository", "--volume",
                                 (folder_ / "back").string() + ":/back", image_, "restore", name, "--to", "/back/here", "--yes", "--inline"});
  EXPECT_EQ(alone.exit_code, 0) << alone.output;
  EXPECT_EQ(sh("head -n 3 " + (folder_ / "back/here/volumes").string() + "/" + name + "_notes/notes.txt"), first);
}

TEST_F(Image, WithoutAMountForItsStateNothingIsStopped) {
  const auto data = docker_->volume("data");
  docker_->run("guest", {"--label", "kopi-docka.enable=true", "--volume", data + ":/data", "--stop-timeout", "1"}, {"sleep", "1000"});
  const auto since = state_of(docker_->name("guest"), ".State.StartedAt");
  // A state folder in the container's own layer would be gone with it, and with it the debts.
  const auto name = sidecar("forgetful", {"--tmpfs", "/var/lib/kopi-docka", "--volume", docker_->name("cache") + ":/var/cache/kopi-docka",
                                          "--env", "KOPI_DOCKA_PASSWORD=of-this-test", "--volume", docker_->name("repository") + ":/repository"});
  ASSERT_TRUE(eventually([&] { return verb(name, {"health", "--live"}).exit_code == 0; }, std::chrono::seconds(60)));
  ASSERT_TRUE(eventually([&] { return verb(name, {"list"}).exit_code == 0; })) << docker_cli({"logs", name}).output;
  // The daemon makes the default one by itself; whoever comes second is told that there is one.
  const auto made = verb(name, {"repository", "init"});
  EXPECT_TRUE(made.exit_code == 0 || made.exit_code == 4) << made.output;
  ASSERT_TRUE(eventually([&] { return verb(name, {"repository", "status"}).exit_code == 0; })) << docker_cli({"logs", name}).output;
  const auto run = verb(name, {"backup", docker_->name("guest")});
  EXPECT_EQ(run.exit_code, 4) << run.output;
  EXPECT_THAT(run.output, HasSubstr("state folder"));
  EXPECT_EQ(state_of(docker_->name("guest"), ".State.StartedAt"), since);
}

TEST_F(Image, WhatItCannotSeeIsInvalidAndWhatItSeesElsewhereIsMapped) {
  const auto data = docker_->volume("data");
  fs::create_directories(folder_ / "seen");
  fs::create_directories(folder_ / "unseen");
  sh("echo mapped > " + (folder_ / "seen/file").string());
  docker_->run("seen", {"--label", "kopi-docka.enable=true", "--volume", (folder_ / "seen").string() + ":/data", "--stop-timeout", "1"}, {"sleep", "1000"});
  docker_->run("unseen", {"--label", "kopi-docka.enable=true", "--volume", (folder_ / "unseen").string() + ":/data"}, {"sleep", "1000"});
  auto more = places("near");
  more.insert(more.end(), {"--volume", (folder_ / "seen").string() + ":/elsewhere"});
  const auto name = sidecar("near", more);
  ASSERT_TRUE(ready(name)) << docker_cli({"logs", name}).output;
  const auto unseen = json::parse(verb(name, {"list", docker_->name("unseen"), "--json"}).output)[0];
  EXPECT_EQ(unseen["valid"], false);
  EXPECT_THAT(unseen["problems"].dump(), HasSubstr((folder_ / "unseen").string()));
  const auto since = state_of(docker_->name("unseen"), ".State.StartedAt");
  EXPECT_EQ(verb(name, {"backup", docker_->name("unseen")}).exit_code, 4);
  EXPECT_EQ(state_of(docker_->name("unseen"), ".State.StartedAt"), since);

  const auto seen = json::parse(verb(name, {"list", docker_->name("seen"), "--json"}).output)[0];
  EXPECT_EQ(seen["binds"][0]["local_path"], "/elsewhere");
  ASSERT_EQ(verb(name, {"backup", docker_->name("seen")}).exit_code, 0);
  sh("echo lost > " + (folder_ / "seen/file").string());
  const auto restore = verb(name, {"restore", docker_->name("seen"), "--yes"});
  EXPECT_EQ(restore.exit_code, 0) << restore.output;
  EXPECT_EQ(sh("cat " + (folder_ / "seen/file").string()), "mapped\n");
  (void)data;
}

TEST_F(Image, OnlyOneSidecarOfAnEngineActs) {
  const auto first = sidecar("first", places("first"));
  ASSERT_TRUE(ready(first)) << docker_cli({"logs", first}).output;
  const auto second = sidecar("second", places("second"));
  EXPECT_TRUE(eventually([&] { return docker_cli({"logs", second}).output.find(first) != std::string::npos; })) << docker_cli({"logs", second}).output;
  EXPECT_NE(verb(second, {"health"}).exit_code, 0);
  EXPECT_EQ(verb(second, {"health", "--live"}).exit_code, 0);
  docker_->docker({"rm", "--force", first});
  EXPECT_TRUE(ready(second)) << docker_cli({"logs", second}).output;
}

TEST_F(Image, AKilledSidecarStartsWhatItHadStopped) {
  const auto data = docker_->volume("data");
  // It ignores TERM: the hold is long enough to be met.
  docker_->run("guest", {"--label", "kopi-docka.enable=true", "--volume", data + ":/data", "--stop-timeout", "8"},
               {"sh", "-c", "trap '' TERM; while :; do sleep 0.2; done"});
  auto more = places("victim");
  more.insert(more.end(), {"--restart", "always"});
  const auto name = sidecar("victim", more);
  ASSERT_TRUE(ready(name)) << docker_cli({"logs", name}).output;
  docker_->docker({"exec", "--detach", name, "kopi-docka", "backup", docker_->name("guest")});
  ASSERT_TRUE(eventually([&] { return docker_cli({"exec", name, "sh", "-c", "grep -q stopping /var/lib/kopi-docka/journal/*"}).exit_code == 0; }));
  sh("kill -9 " + state_of(name, ".State.Pid"));
  ASSERT_TRUE(ready(name)) << docker_cli({"logs", name}).output;
  EXPECT_TRUE(eventually([&] { return docker_->status(docker_->name("guest")) == "running"; }));
  const auto history = json::parse(verb(name, {"history", "--json"}).output);
  ASSERT_EQ(history.size(), 1u);
  EXPECT_EQ(history[0]["result"], "failed");
  EXPECT_EQ(history[0]["reason"], "interrupted");
}

TEST_F(Image, AddsLittleToItsBase) {
  const auto base = variable("KOPI_DOCKA_TEST_BASE_IMAGE");
  if (base.empty()) GTEST_SKIP() << "KOPI_DOCKA_TEST_BASE_IMAGE names no image";
  const auto size = [&](const std::string& image) { return std::stoll(docker_->docker({"image", "inspect", "--format", "{{.Size}}", image})); };
  const auto engines = std::stoll(docker_->docker({"run", "--rm", "--network", "none", "--entrypoint", "sh", image_, "-c",
                                                   "total=0; for name in kopia restic; do file=$(command -v $name) && total=$((total + $(stat -Lc %s $file))); "
                                                   "done; echo $total"}));
  EXPECT_LT(size(image_) - size(base) - engines, 40ll << 20);
}

}  // namespace
}  // namespace kopidocka::testing
