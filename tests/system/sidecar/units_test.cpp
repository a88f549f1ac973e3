#include <gmock/gmock.h>

#include <fstream>

#include "shop.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;
namespace fs = std::filesystem;

/// What `list` makes of real containers, volumes and labels.
class Units : public OneShop {
 protected:
  nlohmann::json listed(const std::string& unit) {
    const auto result = program_->inline_({"list", unit, "--json"});
    const auto units = result.json();
    return units.size() == 1 ? units[0] : nlohmann::json({{"problems", result.err}});
  }

  nlohmann::json lone(const std::vector<std::string>& options) {
    auto all = options;
    all.insert(all.end(), {"--label", "kopi-docka.enable=true", "--stop-timeout", "1"});
    docker_->run("lone", all, {"sleep", "1000"});
    return listed(docker_->name("lone"));
  }

  void expect_refused(const std::string& unit) {
    const auto run = program_->inline_({"backup", unit, "--json"});
    EXPECT_EQ(run.exit_code, 4) << run.out << run.err;
    EXPECT_EQ(run.json()["result"], "skipped");
  }
};

TEST_F(Units, AComposeProjectIsOneUnitWithAllItsData) {
  const auto compose = compose_command();
  if (compose.empty()) GTEST_SKIP() << "neither 'docker compose' nor docker-compose is installed";
  const auto folder = program_->folder / "project";
  fs::create_directories(folder / "pages");
  const auto image = "kopi-docka-test-" + docker_->prefix() + "of/postgres:16";
  docker_->docker({"tag", kTestImage, image});
  std::ofstream(folder / "compose.yaml") << "version: '3.4'\nservices:\n"
                                         << "  db:\n    image: " << image << "\n    command: sleep 1000\n    volumes: [rows:/rows]\n"
                                         << "    labels: {kopi-docka.schedule: '0 3 * * *', kopi-docka.timezone: Europe/Berlin}\n"
                                         << "  web:\n    image: " << kTestImage << "\n    command: sleep 1000\n    depends_on: [db]\n"
                                         << "    volumes: ['./pages:/pages:ro', '/etc/localtime:/etc/localtime:ro']\n"
                                         << "volumes:\n  rows: {}\n";
  const auto call = [&](std::vector<std::string> words) {
    auto argv = compose;
    for (const auto& word : {std::string("-p"), unit_, std::string("-f"), (folder / "compose.yaml").string()}) argv.push_back(word);
    argv.insert(argv.end(), words.begin(), words.end());
    return run_program(argv, {{"PATH", program_->environment["PATH"]}, {"HOME", program_->folder.string()}});
  };
  const auto up = call({"up", "-d"});
  ASSERT_EQ(up.exit_code, 0) << up.err;
  const auto unit = listed(unit_);
  const auto down = call({"down", "-v", "-t", "1"});
  docker_->docker({"rmi", image});
  EXPECT_EQ(down.exit_code, 0) << down.err;
  EXPECT_EQ(unit["unit"], unit_);
  EXPECT_EQ(unit["kind"], "compose");
  EXPECT_EQ(unit["enabled"], true);
  EXPECT_EQ(unit["valid"], true) << unit["problems"];
  std::map<std::string, nlohmann::json> containers;
  for (const auto& container : unit["containers"]) containers[container["service"]] = container;
  ASSERT_EQ(containers.size(), 2u);
  EXPECT_EQ(containers["db"]["state"], "running");
  EXPECT_EQ(containers["db"]["image"], image);
  EXPECT_EQ(containers["db"]["database"], "postgres");
  EXPECT_EQ(containers["web"]["database"], "");
  ASSERT_EQ(unit["volumes"].size(), 1u);
  EXPECT_EQ(unit["volumes"][0]["name"], unit_ + "_rows");
  EXPECT_EQ(unit["volumes"][0]["driver"], "local");
  EXPECT_THAT(unit["volumes"][0]["mountpoint"].get<std::string>(), HasSubstr(unit_ + "_rows/_data"));
  ASSERT_EQ(unit["binds"].size(), 1u) << "/etc/localtime belongs to the host";
  EXPECT_EQ(unit["binds"][0]["path"], (folder / "pages").string());
  EXPECT_THAT(unit["next_run_local"].get<std::string>(), HasSubstr("03:00 CE"));
}

TEST_F(Units, AContainerOfItsOwnIsAUnitToo) {
  const auto unit = lone({"--volume", docker_->volume("data") + ":/data"});
  EXPECT_EQ(unit["kind"], "standalone");
  EXPECT_EQ(unit["valid"], true) << unit["problems"];
  EXPECT_EQ(unit["volumes"][0]["name"], docker_->name("data"));
}

TEST_F(Units, AContainerThatAStopWouldDeleteIsRefused) {
  const auto unit = lone({"--rm", "--volume", docker_->volume("data") + ":/data"});
  EXPECT_EQ(unit["valid"], false);
  EXPECT_THAT(unit["problems"].dump(), HasSubstr("--rm"));
  expect_refused(docker_->name("lone"));
  EXPECT_EQ(docker_->status(docker_->name("lone")), "running");
}

TEST_F(Units, ASwarmTaskIsRefused) {
  const auto unit = lone({"--label", "com.docker.swarm.service.id=x", "--label", "com.docker.swarm.task.id=y"});
  EXPECT_EQ(unit["valid"], false);
  EXPECT_THAT(unit["problems"].dump(), HasSubstr("swarm"));
  expect_refused(docker_->name("lone"));
}

TEST_F(Units, LabelsThatWouldChangeSafetyLaterMakeAUnitInvalidNow) {
  const auto unit = lone({"--label", "kopi-docka.repository=offsite"});
  EXPECT_EQ(unit["valid"], false);
  EXPECT_THAT(unit["problems"].dump(), HasSubstr("kopi-docka.repository"));
  expect_refused(docker_->name("lone"));
}

TEST_F(Units, LabelsOfLaterGiveAWarningInListAndReport) {
  const auto unit = lone({"--volume", docker_->volume("data") + ":/data", "--label", "kopi-docka.verify=0 5 * * sun"});
  EXPECT_EQ(unit["valid"], true);
  EXPECT_THAT(unit["problems"].dump(), HasSubstr("kopi-docka.verify"));
  const auto run = program_->inline_({"backup", docker_->name("lone"), "--json"});
  EXPECT_EQ(run.json()["result"], "success") << run.out;
  EXPECT_THAT(run.json()["problems"].dump(), HasSubstr("kopi-docka.verify"));
}

TEST_F(Units, AnInvalidUnitDoesNotKeepTheOthersFromTheirBackup) {
  make_stack();
  const auto broken = lone({"--label", "kopi-docka.retention.daily=lots"});
  EXPECT_EQ(broken["valid"], false);
  const auto run = program_->inline_({"backup", unit_, docker_->name("lone"), "--json"});
  EXPECT_EQ(run.exit_code, 4) << run.err;
  std::map<std::string, std::string> results;
  std::istringstream lines(run.out);
  for (std::string line; std::getline(lines, line);) {
    const auto report = nlohmann::json::parse(line);
    results[report["unit"]] = report["result"];
  }
  EXPECT_EQ(results[unit_], "success");
  EXPECT_EQ(results[docker_->name("lone")], "skipped");
}

TEST_F(Units, AVolumeThatSaysNoIsLeftOut) {
  const auto kept = docker_->volume("kept"), left = docker_->volume("left", {"--label", "kopi-docka.enable=false"});
  const auto unit = lone({"--volume", kept + ":/kept", "--volume", left + ":/left"});
  ASSERT_EQ(unit["volumes"].size(), 1u);
  EXPECT_EQ(unit["volumes"][0]["name"], kept);
  const auto report = program_->inline_({"backup", docker_->name("lone"), "--scope", "minimal", "--json"}).json();
  ASSERT_EQ(report["snapshots"].size(), 1u);
  EXPECT_EQ(report["snapshots"][0]["source"], kept);
}

TEST_F(Units, WatchAllTakesWhatDoesNotOptOut) {
  docker_->run("plain", {"--volume", docker_->volume("data") + ":/data"}, {"sleep", "1000"});
  EXPECT_EQ(listed(docker_->name("plain"))["enabled"], false);
  program_->environment["KOPI_DOCKA_WATCH"] = "all";
  EXPECT_EQ(listed(docker_->name("plain"))["enabled"], true);
}

TEST_F(Units, AWrongSettingStopsTheStartAndNamesThemAll) {
  program_->environment["KOPI_DOCKA_WORKERZ"] = "2";
  program_->environment["KOPI_DOCKA_SCHEDULE"] = "0 0 31 2 *";
  program_->environment["TZ"] = "Mars/Olympus";
  const auto run = program_->inline_({"list"});
  EXPECT_NE(run.exit_code, 0);
  for (const auto* word : {"KOPI_DOCKA_WORKERZ", "KOPI_DOCKA_WORKERS", "KOPI_DOCKA_SCHEDULE", "Mars/Olympus"}) EXPECT_THAT(run.err, HasSubstr(word));
}

TEST_F(Units, VerbsThatNeedNoPrivilegeRunAsNobody) {
  if (!on_path("setpriv")) GTEST_SKIP() << "setpriv is not on PATH";
  for (const auto& verb : {"version", "labels", "config", "completion bash", "backup --help", "--help"}) {
    // In a place that nobody may enter: what is run must need nothing else.
    const auto copy = program_->folder / "kopi-docka";
    fs::copy_file(program_binary(), copy, fs::copy_options::overwrite_existing);
    fs::permissions(program_->folder, fs::perms::owner_all | fs::perms::others_exec);
    const auto run = run_program({"sh", "-c", "exec setpriv --reuid=65534 --regid=65534 --clear-groups " + copy.string() + " " + verb},
                                 {{"PATH", program_->environment["PATH"]}, {"ASAN_OPTIONS", "detect_leaks=0"}});
    EXPECT_EQ(run.exit_code, 0) << verb << ": " << run.err;
    EXPECT_FALSE(run.out.empty()) << verb;
  }
}

}  // namespace
}  // namespace kopidocka::testing
