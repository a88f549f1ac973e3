#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/unit/stack.hpp"

namespace kopidocka {
namespace {

using namespace kopidocka::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::vector<std::string> names(const std::vector<Unit>& units) {
  std::vector<std::string> found;
  for (const auto& unit : units) found.push_back(unit.name);
  return found;
}

std::vector<std::string> members(const Unit& unit) {
  std::vector<std::string> found;
  for (const auto& member : unit.members) found.push_back(member.container.name);
  return found;
}

TEST(Grouping, AProjectIsOneUnitAndAContainerWithoutOneIsItsOwn) {
  Host host;
  host.add(service("shop", "web"));
  host.add(container("pihole"));
  host.add(service("shop", "db"));
  const auto units = host.units();
  EXPECT_THAT(names(units), ElementsAre("pihole", "shop"));
  EXPECT_EQ(units[0].kind, UnitKind::standalone);
  EXPECT_EQ(units[1].kind, UnitKind::compose);
  EXPECT_THAT(members(units[1]), ElementsAre("shop-db-1", "shop-web-1"));
}

TEST(Grouping, ScaledServicesKeepTheirNumbersAndOddNumbersAreOne) {
  Host host;
  host.add(service("shop", "web")).name = "shop-web-2";
  host.inventory.containers[0].labels["com.docker.compose.container-number"] = "2";
  host.add(service("shop", "db")).labels["com.docker.compose.container-number"] = "99999999999999999999";
  const auto unit = host.unit("shop");
  ASSERT_EQ(unit.members.size(), 2u);
  EXPECT_EQ(unit.members[0].number, 1);
  EXPECT_EQ(unit.members[1].number, 2);
}

TEST(Grouping, StoppedContainersOfAProjectBelongToIt) {
  Host host;
  host.add(service("shop", "web"));
  host.add(service("shop", "old")).state.status = "exited";
  EXPECT_EQ(host.unit("shop").members.size(), 2u);
}

TEST(Grouping, OneOffContainersAreNoMembersButTheirWritingIsSeen) {
  Host host;
  host.inventory.volumes = {volume("shop_data")};
  host.add(service("shop", "web")).mounts = {volume_mount("shop_data")};
  auto& run = host.add(service("shop", "web"));
  run.name = "shop-web-run-1";
  run.id = id_of(run.name);
  run.labels["com.docker.compose.oneoff"] = "True";
  run.mounts = {volume_mount("shop_data")};
  const auto unit = host.unit("shop");
  EXPECT_THAT(members(unit), ElementsAre("shop-web-1"));
  EXPECT_FALSE(unit.valid());
  EXPECT_THAT(problems_of(unit), HasSubstr("shop-web-run-1"));
}

TEST(Grouping, WeOurProxyAndWhoSharesOurNetworkAreNoUnits) {
  Host host;
  auto& self = host.add(service("tools", "kopi-docka"));
  self.networks["tools_default"];
  host.around.own_container_id = self.id;
  host.around.docker_proxy_host = "dockerproxy";
  auto& proxy = host.add(service("tools", "proxy"));
  proxy.networks["tools_default"].aliases = {"dockerproxy"};
  host.add(service("tools", "by-id")).network_mode = "container:" + id_of("tools-kopi-docka-1");
  host.add(service("tools", "by-name")).network_mode = "container:tools-kopi-docka-1";
  host.add(service("tools", "by-short-id")).network_mode = "container:" + id_of("tools-kopi-docka-1").substr(0, 12);
  host.add(service("tools", "grafana"));
  EXPECT_THAT(members(host.unit("tools")), ElementsAre("tools-grafana-1"));
}

TEST(Grouping, ASecondSidecarIsKnownByItsRoleUnderTheUsualAndUnderTheConfiguredPrefix) {
  Host host;
  host.around.defaults.prefix = "backup.";
  host.add(service("tools", "kopi-docka")).labels["backup.role"] = "sidecar";
  host.add(service("tools", "other")).labels["kopi-docka.role"] = "sidecar";
  host.add(service("tools", "third")).labels["other.role"] = "sidecar";
  EXPECT_THAT(members(host.unit("tools")), ElementsAre("tools-third-1"));
}

/// A sidecar on network "tools_default" that reaches Docker at `docker_host`, and a stack with a service of each name.
Host behind_proxy(const std::string& docker_host, const std::vector<std::string>& services, const std::string& network_id) {
  Host host;
  auto& self = host.add(container("kopi-docka"));
  self.networks["tools_default"].network_id = "net-1";
  host.around.own_container_id = self.id;
  host.around.docker_proxy_host = docker_host;
  for (const auto& name : services) {
    auto& network = host.add(service("shop", name)).networks["their_network"];
    network.network_id = network_id;
    network.aliases = {name};
  }
  return host;
}

TEST(Grouping, TheProxyIsSoughtOnNetworksThatWeShare) {
  EXPECT_THAT(names(behind_proxy("proxy", {"proxy"}, "net-2").units()), ElementsAre("shop"));
  EXPECT_THAT(names(behind_proxy("proxy", {"proxy"}, "net-1").units()), IsEmpty());
  EXPECT_THAT(names(behind_proxy("proxy.their_network", {"proxy"}, "net-1").units()), IsEmpty());
  EXPECT_THAT(names(behind_proxy("shop-proxy-1", {"proxy"}, "net-1").units()), IsEmpty());
}

TEST(Grouping, AServiceCalledLikeDockersHostStaysOnAHostAndForLoopback) {
  EXPECT_THAT(names(behind_proxy("localhost", {"localhost"}, "net-1").units()), ElementsAre("shop"));
  EXPECT_THAT(names(behind_proxy("127.0.0.1", {"127.0.0.1"}, "net-1").units()), ElementsAre("shop"));
  auto host = behind_proxy("proxy", {"proxy"}, "net-1");
  host.around.own_container_id.clear();
  EXPECT_THAT(names(host.units()), ElementsAre("kopi-docka", "shop"));
}

TEST(Grouping, AProxyIsKnownByItsAddress) {
  for (const auto* address : {"172.20.0.5", "fd00::5"}) {
    auto host = behind_proxy(address, {"web", "proxy"}, "net-1");
    auto& network = host.inventory.containers.back().networks["their_network"];
    network.ip_address = "172.20.0.5";
    network.ipv6_address = "FD00::5";
    EXPECT_THAT(members(host.unit("shop")), ElementsAre("shop-web-1")) << address;
  }
}

TEST(Grouping, AProxyIsKnownByTheFolderOfTheSocketItMakes) {
  Host host;
  auto& self = host.add(container("kopi-docka"));
  self.mounts = {volume_mount("sockets", "/sockets")};
  host.around.own_container_id = self.id;
  host.around.docker_socket = "/sockets/docker.sock";
  host.around.paths = HostPaths::in_container(self);
  host.add(service("tools", "proxy")).mounts = {volume_mount("sockets", "/out"), bind_mount("/var/run/docker.sock", "/var/run/docker.sock")};
  host.add(service("tools", "traefik")).mounts = {volume_mount("sockets", "/in", false)};
  host.add(service("tools", "other-client")).mounts = {volume_mount("sockets", "/in")};
  host.add(service("tools", "agent")).mounts = {bind_mount("/var/run/docker.sock", "/var/run/docker.sock")};
  EXPECT_THAT(members(host.unit("tools")), ElementsAre("tools-agent-1", "tools-other-client-1", "tools-traefik-1"));
}

TEST(Grouping, WhoMountsTheEnginesSocketAsWeDoIsNoProxy) {
  for (const auto* source : {"/var/run/docker.sock", "/run", "/var/run"}) {
    Host host;
    auto& self = host.add(container("kopi-docka"));
    self.mounts = {bind_mount(source, source)};
    host.around.own_container_id = self.id;
    host.around.docker_socket = std::string(source).ends_with(".sock") ? source : std::string(source) + "/docker.sock";
    host.around.paths = HostPaths::in_container(self);
    host.add(container("portainer")).mounts = {bind_mount(source, source)};
    EXPECT_THAT(names(host.units()), ElementsAre("portainer")) << source;
  }
}

TEST(Grouping, OnAHostNobodyIsTakenForOurselves) {
  Host host;
  host.add(container("one")).network_mode = "container:";
  host.add(container("two")).id = "";
  EXPECT_THAT(names(host.units()), ElementsAre("one", "two"));
}

TEST(Grouping, AContainerNamedAsAProjectIsRefusedAndTheProjectIsNot) {
  Host host;
  host.add(container("shop"));
  host.add(service("shop", "web"));
  const auto units = host.units();
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(units[0].kind, UnitKind::compose);
  EXPECT_TRUE(units[0].valid()) << problems_of(units[0]);
  EXPECT_FALSE(units[1].valid());
  EXPECT_THAT(problems_of(units[1]), HasSubstr("same name"));
}

TEST(Grouping, HostileNamesAreRefusedAndShownHarmless) {
  for (const std::string name : {"..", ".", "a/b", "a\nb", "\x1b[2J", "caf\xc3\xa9", "x\x7f"}) {
    Host host;
    host.add(service(name, "web"));
    const auto units = host.units();
    ASSERT_EQ(units.size(), 1u);
    EXPECT_FALSE(units[0].valid()) << name;
    EXPECT_THAT(problems_of(units[0]), Not(HasSubstr("\x1b")));
  }
  Host host;
  host.add(service(std::string(201, 'a'), "web"));
  EXPECT_FALSE(host.units()[0].valid());
  host.inventory.containers[0].labels["com.docker.compose.project"] = std::string(200, 'a');
  EXPECT_TRUE(host.units()[0].valid());
}

TEST(Grouping, IsTheSameWhateverTheOrderDockerAnswersIn) {
  Host host;
  for (const auto* name : {"c", "a", "b"}) host.add(service("shop", name, "z:service_started:false"));
  const auto before = members(host.unit("shop"));
  std::reverse(host.inventory.containers.begin(), host.inventory.containers.end());
  EXPECT_EQ(members(host.unit("shop")), before);
}

TEST(Databases, AreKnownByTheImageAndTheirToolsAreNot) {
  const std::map<std::string, std::string> expected = {
      {"postgres", "postgres"}, {"postgres:16-alpine", "postgres"}, {"postgis/postgis:15-3.3", "postgres"},
      {"registry.example:5000/library/postgres:16", "postgres"}, {"bitnami/postgresql:15", "postgres"},
      {"timescale/timescaledb-ha:pg15", "postgres"}, {"pgvector/pgvector:pg16", "postgres"}, {"mysql:8", "mysql"},
      {"mysql/mysql-server:8.0", "mysql"}, {"percona:8", "mysql"}, {"percona/percona-server:8.0", "mysql"},
      {"percona/percona-server-mongodb:7", "mongodb"}, {"percona/percona-distribution-postgresql:16", "postgres"}, {"MariaDB:11", "mariadb"}, {"mongo:7", "mongodb"},
      {"redis@sha256:0123", "redis"}, {"valkey/valkey:8", "redis"}, {"redis/redis-stack:latest", "redis"},
      {"mongo-express:1", ""}, {"quay.io/prometheuscommunity/postgres-exporter", ""}, {"oliver006/redis_exporter", ""},
      {"rediscommander/redis-commander", ""}, {"postgrest/postgrest", ""}, {"nginx", ""}, {"sha256:abcdef", ""}, {"", ""},
      {"my-postgres-app", ""}, {"redis/insight", ""}, {"redis/redisinsight", ""}};
  for (const auto& [image, database] : expected) EXPECT_EQ(database_of(image), database) << image;
}

TEST(Holding, AutoRemoveAndSwarmContainersAreRefusedWithTheReason) {
  Host host;
  host.add(service("shop", "web")).auto_remove = true;
  host.add(service("shop", "task")).labels["com.docker.swarm.service.id"] = "x";
  const auto unit = host.unit("shop");
  EXPECT_FALSE(unit.valid());
  EXPECT_THAT(problems_of(unit), HasSubstr("error: container shop-web-1: it was started with --rm"));
  EXPECT_THAT(problems_of(unit), HasSubstr("error: container shop-task-1: it is a task of a swarm service"));
}

TEST(Holding, TheContainerWhoseNetworkWeLiveInIsNeverStopped) {
  for (const auto& reference : {id_of("vpn-gluetun-1"), std::string("vpn-gluetun-1")}) {
    Host host;
    host.add(service("vpn", "gluetun"));
    auto& self = host.add(container("kopi-docka"));
    self.network_mode = "container:" + reference;
    host.around.own_container_id = self.id;
    EXPECT_THAT(problems_of(host.unit("vpn")), HasSubstr("the kopi-docka container lives in its network"));
    EXPECT_FALSE(host.unit("vpn").valid());
  }
}

TEST(Holding, WhoLivesInANamespaceOfAContainerThatIsGoneOrDownIsNeverStopped) {
  for (auto mode : {&Container::network_mode, &Container::pid_mode, &Container::ipc_mode}) {
    Host host;
    host.add(service("vpn", "gluetun"));
    host.add(service("vpn", "torrent")).*mode = "container:" + id_of("vpn-gluetun-1");
    EXPECT_TRUE(host.unit("vpn").valid()) << problems_of(host.unit("vpn"));
    host.inventory.containers[0].state.status = "exited";
    EXPECT_THAT(problems_of(host.unit("vpn")), HasSubstr("namespace of container vpn-gluetun-1, which is exited: once stopped it could not be started again"));
    EXPECT_FALSE(host.unit("vpn").valid());
    host.inventory.containers[0].state.status = "running";
    host.inventory.containers[0].id = id_of("made again");
    EXPECT_THAT(problems_of(host.unit("vpn")), HasSubstr("error: container vpn-torrent-1: it lives in the "));
    EXPECT_THAT(problems_of(host.unit("vpn")), HasSubstr("which is gone"));
    host.inventory.containers[1].state.status = "exited";
    EXPECT_TRUE(host.unit("vpn").valid()) << "what does not run is not stopped";
  }
}

TEST(Holding, AnOwnerThatIsDownForItsOwnBackupMakesNobodyInvalid) {
  Host host;
  host.add(container("gluetun")).state.status = "exited";
  host.add(service("arr", "sonarr")).network_mode = "container:" + id_of("gluetun");
  EXPECT_FALSE(host.unit("arr").valid());
  host.around.held = {id_of("gluetun")};
  EXPECT_TRUE(host.unit("arr").valid()) << problems_of(host.unit("arr"));
}

TEST(Holding, TheOwnerOfANamespaceMayBeOfAnotherUnitOrBeNamed) {
  Host host;
  host.add(container("gluetun"));
  host.add(service("arr", "sonarr")).network_mode = "container:gluetun";
  host.add(service("arr", "radarr")).network_mode = "container:" + id_of("gluetun").substr(0, 12);
  EXPECT_TRUE(host.unit("arr").valid()) << problems_of(host.unit("arr"));
}

TEST(Holding, AContainerOfAnotherUnitThatWouldLoseItsNetworkIsNamed) {
  Host host;
  host.add(service("vpn", "gluetun"));
  host.add(container("torrent")).network_mode = "container:" + id_of("vpn-gluetun-1");
  const auto unit = host.unit("vpn");
  EXPECT_TRUE(unit.valid());
  EXPECT_THAT(problems_of(unit), HasSubstr("warning: container vpn-gluetun-1: container torrent"));
  host.inventory.containers[1].state.status = "exited";
  EXPECT_THAT(problems_of(host.unit("vpn")), IsEmpty());
}

}  // namespace
}  // namespace kopidocka
