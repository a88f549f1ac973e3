#include "daemon/doctor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "daemon/service.hpp"
#include "support/fake_docker.hpp"
#include "support/fake_engine.hpp"
#include "support/run_task.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

/// The daemon's parts around a Docker Engine and a repository in memory.
class Doctor : public ::testing::Test {
 protected:
  Doctor() : folder_(fs::temp_directory_path() / ("kd-doctor-" + make_uuid())) {
    environment_ = {{"KOPI_DOCKA_STATE_DIR", (folder_ / "state").string()},
                    {"KOPI_DOCKA_CACHE_DIR", (folder_ / "cache").string()},
                    {"KOPI_DOCKA_CONFIG", "/dev/null"},
                    {"KOPI_DOCKA_REPOSITORY", "filesystem://" + (folder_ / "repository").string()},
                    {"KOPI_DOCKA_PASSWORD", "secret-word"},
                    {"KOPI_DOCKA_HOSTNAME", "testhost"}};
  }
  ~Doctor() override { fs::remove_all(folder_); }

  Assembly& assembly() {
    if (!assembly_) {
      auto loaded = load_settings(environment_, false);
      if (!loaded.settings) throw loaded.problems.front();
      assembly_ = std::make_unique<Assembly>(io_.get_executor(), *loaded.settings);
      auto docker = std::make_unique<FakeDocker>();
      docker_ = docker.get();
      assembly_->docker = std::move(docker);
      assembly_->engine_maker = [](EngineSettings) -> Result<std::unique_ptr<SnapshotEngine>> {
        return std::unique_ptr<SnapshotEngine>(std::make_unique<FakeEngine>());
      };
    }
    return *assembly_;
  }

  std::map<std::string, Check> examined(bool alone = true) {
    Coordinator coordinator(assembly());
    std::map<std::string, Check> found;
    for (auto& check : run_task(io_, examine(coordinator, alone, Cancel()))) found[check.name] = check;
    return found;
  }

  boost::asio::io_context io_;
  fs::path folder_;
  Environment environment_;
  std::unique_ptr<Assembly> assembly_;
  FakeDocker* docker_ = nullptr;
};

using Verdict = Check::Verdict;

TEST_F(Doctor, FindsAllInOrder) {
  const auto checks = examined();
  for (const auto* name : {"docker engine", "state folder", "password", "repository", "journal"}) {
    ASSERT_EQ(checks.count(name), 1u) << name;
    EXPECT_EQ(checks.at(name).verdict, Verdict::good) << name << ": " << checks.at(name).found;
  }
  EXPECT_EQ(checks.count("engine program"), 1u);
  EXPECT_EQ(checks.count("units"), 1u);
}

TEST_F(Doctor, NamesAMissingDockerEngineAndGoesOn) {
  assembly();
  docker_->away = ErrorKind::unreachable;
  const auto checks = examined();
  EXPECT_EQ(checks.at("docker engine").verdict, Verdict::bad);
  EXPECT_EQ(checks.at("state folder").verdict, Verdict::good);
  EXPECT_EQ(checks.at("password").verdict, Verdict::good);
  EXPECT_EQ(checks.at("repository").verdict, Verdict::good) << "the name of this host is in the settings";
}

TEST_F(Doctor, WithoutDockerAndNameTheRepositoryIsNotAsked) {
  environment_.erase("KOPI_DOCKA_HOSTNAME");
  assembly();
  docker_->away = ErrorKind::unreachable;
  EXPECT_EQ(examined().at("repository").verdict, Verdict::warning);
}

TEST_F(Doctor, AStateFolderOfSomebodyElseIsNamedAndTheRepositoryLeftAlone) {
  StateFolder other(folder_ / "state");
  ASSERT_TRUE(other.open());
  const auto checks = examined();
  EXPECT_EQ(checks.at("state folder").verdict, Verdict::bad);
  EXPECT_THAT(checks.at("state folder").found, HasSubstr("another kopi-docka"));
  EXPECT_EQ(checks.at("docker engine").verdict, Verdict::good);
  EXPECT_EQ(checks.count("repository"), 0u);
}

TEST_F(Doctor, AnEngineProgramThatIsNotThereIsBadAndTheOtherOneIsNamed) {
  const auto programs = folder_ / "programs";
  fs::create_directories(programs);
  fs::create_symlink("/bin/true", programs / "restic");
  const std::string path = ::getenv("PATH");
  ::setenv("PATH", programs.c_str(), 1);
  const auto check = examined().at("engine program");
  ::setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(check.verdict, Verdict::bad);
  EXPECT_THAT(check.found, HasSubstr("kopia is not installed"));
  EXPECT_THAT(check.next_step, HasSubstr("KOPI_DOCKA_ENGINE=restic"));
}

TEST_F(Doctor, TellsWhetherAPasswordExists) {
  environment_.erase("KOPI_DOCKA_PASSWORD");
  environment_.erase("KOPI_DOCKA_REPOSITORY");
  assembly().open_folders();
  EXPECT_THAT(check_password(assembly()).found, HasSubstr("none exists yet"));
  EXPECT_EQ(check_password(assembly()).verdict, Verdict::good);
  ASSERT_TRUE(assembly().state.create_password());
  EXPECT_THAT(check_password(assembly()).found, HasSubstr("generated, kept only in"));
  EXPECT_EQ(check_password(assembly()).verdict, Verdict::warning);
}

TEST_F(Doctor, ARepositoryOfTheUsersOwnNeedsAPassword) {
  environment_.erase("KOPI_DOCKA_PASSWORD");
  assembly().open_folders();
  EXPECT_EQ(check_password(assembly()).verdict, Verdict::bad);
  EXPECT_THAT(check_password(assembly()).next_step, HasSubstr("KOPI_DOCKA_PASSWORD_FILE"));
}

TEST_F(Doctor, WhatARunHoldsIsNoMatterForWorry) {
  const std::map<std::string, std::set<std::string>> held = {{"shop", {"db"}}, {"blog", {"web"}}};
  ActiveRun run;
  run.unit = "shop";
  EXPECT_EQ(left_stopped(held, {run}), (std::map<std::string, std::set<std::string>>{{"blog", {"web"}}}));
  EXPECT_EQ(left_stopped(held, {}), held);
}

TEST_F(Doctor, WhatIsLeftStoppedIsBad) {
  JournalRecord begin, stopping;
  begin.type = JournalRecord::Type::begin;
  begin.run = stopping.run = "run-1";
  begin.unit = "shop";
  stopping.type = JournalRecord::Type::stopping;
  stopping.container = "0123456789abcdef";
  assembly().held.apply(begin);
  assembly().held.apply(stopping);
  const auto check = examined().at("journal");
  EXPECT_EQ(check.verdict, Verdict::bad);
  EXPECT_THAT(check.found, HasSubstr("unit shop has containers held stopped: 0123456789ab"));
}

TEST_F(Doctor, HintsNameLabelsUnderTheirPrefix) {
  environment_["KOPI_DOCKA_LABEL_PREFIX"] = "org.example";
  EXPECT_THAT(examined().at("units").next_step, HasSubstr("org.example.schedule:"));
}

Task<> ask(Service& service, std::string verb, std::string args, ControlReply& reply) {
  reply = co_await service.handle(ControlRequest(std::move(verb), std::move(args)), [](const std::string&) {}, Cancel());
}

TEST_F(Doctor, ADaemonThatIsStillStartingAnswersHealthAndDoctorOnly) {
  Coordinator coordinator(assembly());
  Service service(coordinator, {});
  bool ready = false;
  service.ready = [&ready] { return ready; };
  ControlReply reply;
  run_task(io_, ask(service, "health", "{}", reply));
  EXPECT_EQ(json::parse(reply.result), json::parse(R"({"live":true,"ready":false})"));
  run_task(io_, ask(service, "doctor", "{}", reply));
  EXPECT_FALSE(json::parse(reply.result)["checks"].empty());
  for (const auto* verb : {"list", "backup", "restore", "recover", "repository", "snapshots"}) {
    try {
      run_task(io_, ask(service, verb, R"({"all":true})", reply));
      ADD_FAILURE() << verb;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unreachable) << verb << error.what();
    }
  }
  run_task(io_, assembly().meet_surroundings());
  (void)run_task(io_, coordinator.recover());
  ready = true;
  run_task(io_, ask(service, "health", "{}", reply));
  EXPECT_EQ(json::parse(reply.result)["ready"], true);
  run_task(io_, ask(service, "list", "{}", reply));
  EXPECT_EQ(json::parse(reply.result)["label_prefix"], "kopi-docka.");
}

}  // namespace
}  // namespace kopidocka::testing
