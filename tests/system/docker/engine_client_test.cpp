#include "docker/engine_client.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

#include "base/text.hpp"
#include "docker/self.hpp"
#include "docker/wait.hpp"
#include "support/docker_fixture.hpp"
#include "support/run_task.hpp"
#include "system/docker/cutting_proxy.hpp"

namespace kopidocka {
namespace {
using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

const std::vector<std::string> kSleep = {"sleep", "600"};
/// Ends on SIGTERM at once.
const std::vector<std::string> kPolite = {"sh", "-c", "trap 'exit 0' TERM; while true; do sleep 0.1; done"};
const std::vector<std::string> kStubborn = {"sh", "-c", "trap '' TERM; while true; do sleep 0.1; done"};

class RealEngine : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = DockerFixture::unavailable(); !why.empty()) GTEST_SKIP() << why;
    docker_.emplace("docker");
    client_ = client_of(*parse_docker_host(""));
  }

  std::unique_ptr<EngineClient> client_of(const Endpoint& endpoint,
                                          Milliseconds stop_margin = Milliseconds(30'000)) {
    DockerSettings settings;
    settings.endpoint = endpoint;
    settings.stop_margin = stop_margin;
    return std::make_unique<EngineClient>(io_.get_executor(), settings);
  }

  template <class T>
  T run(Task<T> task) {
    return run_task(io_, std::move(task));
  }

  template <class T>
  Error error_of(Task<T> task) {
    try {
      run_task(io_, std::move(task));
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::internal, "no error was thrown"};
  }

  boost::asio::io_context io_;
  std::optional<DockerFixture> docker_;
  std::unique_ptr<EngineClient> client_;
};

TEST_F(RealEngine, TellsWhoItIs) {
  const auto info = run(client_->info());
  EXPECT_EQ(info.id, docker_->docker({"info", "--format", "{{.ID}}"}));
  EXPECT_EQ(info.name, docker_->docker({"info", "--format", "{{.Name}}"}));
  EXPECT_EQ(info.root_dir, docker_->docker({"info", "--format", "{{.DockerRootDir}}"}));
  EXPECT_FALSE(info.api_version.empty());
  EXPECT_GT(info.cpus, 0);
}

TEST_F(RealEngine, ListsStoppedContainersToo) {
  const auto up = docker_->run("up", {}, kSleep);
  const auto created = docker_->create("created", {}, kSleep);
  const auto ended = docker_->run("ended", {}, {"true"});
  run(wait_until_stopped(*client_, ended, Milliseconds(20'000)));
  EXPECT_THAT(run(client_->list_containers()), IsSupersetOf({up, created, ended}));
}

TEST_F(RealEngine, InspectsWhatDockerItselfSays) {
  const auto volume = docker_->volume("data");
  const auto network = docker_->network("net", {"--subnet", "10.213.77.0/24"});
  const auto id = docker_->run("shop",
                               {"--volume",
                                volume + ":/data:ro",
                                "--volume",
                                "/usr/share/doc:/docs",
                                "--network",
                                network,
                                "--ip",
                                "10.213.77.9",
                                "--network-alias",
                                "db",
                                "--label",
                                "a=b=c",
                                "--restart",
                                "unless-stopped",
                                "--stop-timeout",
                                "77",
                                "--health-cmd",
                                "true",
                                "--health-interval",
                                "1h"},
                               kSleep);
  const auto container = run(client_->inspect_container(id));
  EXPECT_EQ(container.id, id);
  EXPECT_EQ(container.name, docker_->name("shop"));
  EXPECT_EQ(container.image, kTestImage);
  EXPECT_EQ(container.state.status, "running");
  EXPECT_EQ(container.state.started_at,
            docker_->docker({"inspect", "--format", "{{json .State.StartedAt}}", id})
                .substr(1, container.state.started_at.size()));
  EXPECT_EQ(container.labels.at("a"), "b=c");
  EXPECT_EQ(container.restart_policy, "unless-stopped");
  EXPECT_EQ(container.stop_timeout, 77);
  EXPECT_TRUE(container.has_healthcheck);
  EXPECT_EQ(container.network_mode, network);
  EXPECT_EQ(container.networks.at(network).ipv4_address, "10.213.77.9");
  EXPECT_THAT(container.networks.at(network).aliases, Contains("db"));
  ASSERT_EQ(container.mounts.size(), 2u);
  for (const auto& mount : container.mounts) {
    const bool is_volume = mount.type == "volume";
    EXPECT_EQ(mount.destination, is_volume ? "/data" : "/docs");
    EXPECT_EQ(mount.writable, !is_volume);
    EXPECT_EQ(mount.name, is_volume ? volume : "");
    EXPECT_EQ(mount.source,
              is_volume ? docker_->docker({"volume", "inspect", "--format", "{{.Mountpoint}}", volume})
                        : "/usr/share/doc");
  }
  EXPECT_THAT(run(client_->inspect_network_json(network)), HasSubstr("10.213.77.0/24"));
}

TEST_F(RealEngine, ListsVolumesWithTheirLabels) {
  const auto name = docker_->volume("kept-out", {"--label", "kopi-docka.enable=false"});
  const auto volumes = run(client_->list_volumes());
  const auto found =
      std::find_if(volumes.begin(), volumes.end(), [&](const Volume& volume) { return volume.name == name; });
  ASSERT_NE(found, volumes.end());
  EXPECT_EQ(found->driver, "local");
  EXPECT_EQ(found->labels.at("kopi-docka.enable"), "false");
}

TEST_F(RealEngine, SaysWhetherAStopOrStartDidSomething) {
  const auto id = docker_->run("web", {}, kPolite);
  EXPECT_EQ(run(client_->stop_container(id, 20)), StateChange::changed);
  const auto stopped = run(client_->inspect_container(id));
  EXPECT_EQ(stopped.state.status, "exited");
  EXPECT_EQ(stopped.state.exit_code, 0);
  EXPECT_EQ(run(client_->stop_container(id, 20)), StateChange::already);
  EXPECT_EQ(run(client_->start_container(id)), StateChange::changed);
  EXPECT_EQ(run(client_->start_container(id)), StateChange::already);
  const auto started = run(client_->inspect_container(id));
  EXPECT_EQ(started.state.status, "running");
  EXPECT_NE(started.state.started_at, stopped.state.started_at);
}

TEST_F(RealEngine, SaysWhetherAPauseOrUnpauseDidSomething) {
  const auto id = docker_->run("web", {}, kPolite);
  const auto since = run(client_->inspect_container(id)).state.started_at;
  EXPECT_EQ(run(client_->pause_container(id)), StateChange::changed);
  EXPECT_EQ(run(client_->inspect_container(id)).state.status, "paused");
  EXPECT_EQ(run(client_->pause_container(id)), StateChange::already);
  EXPECT_EQ(run(client_->unpause_container(id)), StateChange::changed);
  EXPECT_EQ(run(client_->unpause_container(id)), StateChange::already);
  EXPECT_EQ(run(client_->inspect_container(id)).state.started_at, since);
  run(client_->stop_container(id, 20));
  EXPECT_NE(error_of(client_->pause_container(id)).kind(), ErrorKind::not_found);
  EXPECT_EQ(run(client_->inspect_container(id)).state.status, "exited");
}

TEST_F(RealEngine, KillsAContainerThatIgnoresTheStopSignalAfterTheGraceTime) {
  const auto id = docker_->run("stubborn", {}, kStubborn);
  EXPECT_EQ(run(client_->stop_container(id, 1)), StateChange::changed);
  EXPECT_EQ(run(client_->inspect_container(id)).state.exit_code, 137);
}

TEST_F(RealEngine, CarriesOutAStopWhoseAnswerWasNotWaitedFor) {
  const auto id = docker_->run("stubborn", {}, kStubborn);
  const auto hasty = client_of(*parse_docker_host(""), Milliseconds(-1'700));
  EXPECT_EQ(error_of(hasty->stop_container(id, 2)).kind(), ErrorKind::timeout);
  EXPECT_EQ(docker_->status(id), "running");
  EXPECT_EQ(run(wait_until_stopped(*client_, id, Milliseconds(20'000))).state.exit_code, 137);
}

TEST_F(RealEngine, NamesWhatDoesNotExist) {
  const auto error = error_of(client_->stop_container(docker_->name("nobody"), 1));
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_THAT(error.text(), HasSubstr(docker_->name("nobody")));
  EXPECT_EQ(error_of(client_->inspect_container("nobody-at-all")).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of(client_->inspect_network_json("no such net")).kind(), ErrorKind::not_found);
}

TEST_F(RealEngine, PassesOnWhyAStartFailed) {
  const auto id = docker_->create("broken", {}, {"/no/such/program"});
  const auto error = error_of(client_->start_container(id));
  EXPECT_THAT(error.text(), HasSubstr("/no/such/program"));
}

TEST_F(RealEngine, WaitsForARealHealthCheck) {
  const auto id = docker_->run(
      "healthy", {"--health-cmd", "test -e /tmp/ready", "--health-interval", "1s", "--health-retries", "2"},
      {"sh", "-c", "sleep 2; touch /tmp/ready; sleep 600"});
  EXPECT_TRUE(run(wait_until_healthy(*client_, id, Milliseconds(60'000))));
  EXPECT_EQ(run(client_->inspect_container(id)).state.health, "healthy");
  const auto ended = docker_->run("ended", {}, {"sh", "-c", "exit 7"});
  run(wait_until_stopped(*client_, ended, Milliseconds(60'000)));
  const auto error = error_of(wait_until_healthy(*client_, ended, Milliseconds(60'000)));
  EXPECT_THAT(error.text(), HasSubstr("exit code 7"));
}

TEST_F(RealEngine, InspectsManyAtOnce) {
  std::vector<std::string> ids;
  for (int i = 0; i < 12; ++i) ids.push_back(docker_->create("many" + std::to_string(i), {}, kSleep));
  auto asked = ids;
  asked.insert(asked.begin() + 3, std::string(64, '0'));
  const auto containers = run(inspect_all(*client_, asked, 4));
  ASSERT_EQ(containers.size(), ids.size());
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(containers[i].id, ids[i]);
}

TEST_F(RealEngine, IsReachedOverTcpAsWell) {
  CuttingProxy proxy(io_, true);
  const auto client = client_of(proxy.endpoint());
  EXPECT_EQ(run(client->info()).id, run(client_->info()).id);
}

TEST_F(RealEngine, ADenyingProxyIsNamedWithTheCall) {
  const auto id = docker_->run("web", {}, kPolite);
  CuttingProxy proxy(io_);
  proxy.deny("/containers/json");
  proxy.deny("/stop");
  const auto client = client_of(proxy.endpoint());
  const auto list = error_of(client->list_containers());
  EXPECT_EQ(list.kind(), ErrorKind::denied);
  EXPECT_THAT(list.text(), HasSubstr("GET /containers/json"));
  EXPECT_THAT(list.text(), Not(HasSubstr("<html>")));
  EXPECT_EQ(error_of(client->stop_container(id, 1)).kind(), ErrorKind::denied);
  EXPECT_EQ(docker_->status(id), "running");
  EXPECT_EQ(run(client->inspect_container(id)).id, id) << "what the proxy allows still works";
}

TEST_F(RealEngine, TellsAContainerItsOwnId) {
  const auto id = docker_->run("self", {"--hostname", "somebody-else"}, kSleep);
  EXPECT_EQ(container_id_from_mountinfo(docker_->shell(id, "cat /proc/self/mountinfo")), id);
}

TEST_F(RealEngine, GivesAContainerInAnothersNetworkTheOthersId) {
  const auto id = docker_->run("owner", {}, kSleep);
  const auto guest = docker_->run("guest", {"--network", "container:" + id}, kSleep);
  EXPECT_EQ(container_id_from_mountinfo(docker_->shell(guest, "cat /proc/self/mountinfo")), id);
  EXPECT_EQ(run(client_->inspect_container(guest)).network_mode, "container:" + id);
}

}  // namespace
}  // namespace kopidocka
