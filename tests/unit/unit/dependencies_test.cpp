#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/unit/stack.hpp"

namespace kopidocka {
namespace {

using namespace kopidocka::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

std::vector<std::string> providers(const Host& host, const std::string& service_name) {
  std::vector<std::string> found;
  const auto unit = host.unit("shop");
  for (const auto& member : unit.members) {
    if (member.service != service_name) continue;
    for (const auto& id : member.providers) found.push_back(unit.member(id)->service);
  }
  return found;
}

TEST(Dependencies, ComeFromComposesLabelWithItsConditions) {
  Host host;
  host.add(service("shop", "web", "db:service_healthy:false,cache:service_started:true,gone:service_started:false"));
  host.add(service("shop", "db"));
  host.add(service("shop", "cache"));
  EXPECT_THAT(providers(host, "web"), UnorderedElementsAre("db", "cache"));
  EXPECT_THAT(providers(host, "db"), IsEmpty());
  const auto unit = host.unit("shop");
  EXPECT_THAT(unit.member(id_of("shop-web-1"))->healthy_providers, ElementsAre(id_of("shop-db-1")));
  EXPECT_TRUE(unit.valid()) << problems_of(unit);
}

TEST(Dependencies, ComeFromNamespacesVolumesFromAndLinks) {
  Host host;
  auto& web = host.add(service("shop", "web"));
  web.network_mode = "container:" + id_of("shop-net-1");
  web.pid_mode = "container:shop-pid-1";
  web.ipc_mode = "container:" + id_of("shop-ipc-1").substr(0, 12);
  web.volumes_from = {id_of("shop-data-1") + ":ro"};
  web.links = {"/shop-link-1:/shop-web-1/alias"};
  for (const auto* name : {"net", "pid", "ipc", "data", "link", "stranger"}) host.add(service("shop", name));
  EXPECT_THAT(providers(host, "web"), UnorderedElementsAre("net", "pid", "ipc", "data", "link"));
}

TEST(Dependencies, OnAScaledServiceMeanAllItsContainers) {
  Host host;
  host.add(service("shop", "web", "db:service_started:false"));
  host.add(service("shop", "db"));
  auto& second = host.add(service("shop", "db"));
  second.name = "shop-db-2";
  second.id = id_of("shop-db-2");
  EXPECT_THAT(providers(host, "web"), ElementsAre("db", "db"));
}

TEST(Dependencies, TheLabelAddsToThemAndAnUnknownServiceIsAnErrorWithTheNearestName) {
  Host host;
  host.add(service("shop", "web")).labels["kopi-docka.depends-on"] = "databse,cache";
  host.add(service("shop", "database"));
  host.add(service("shop", "cache"));
  EXPECT_THAT(providers(host, "web"), ElementsAre("cache"));
  const auto unit = host.unit("shop");
  EXPECT_FALSE(unit.valid());
  EXPECT_THAT(problems_of(unit), HasSubstr("no service 'databse' in this unit; did you mean 'database'?"));
}

TEST(Dependencies, InACircleAreBrokenAtOnePlaceAndToldAsAWarning) {
  Host host;
  host.add(service("shop", "a", "b:service_started:false"));
  host.add(service("shop", "b", "c:service_started:false"));
  host.add(service("shop", "c", "a:service_healthy:false"));
  EXPECT_THAT(providers(host, "a"), ElementsAre("b"));
  EXPECT_THAT(providers(host, "b"), ElementsAre("c"));
  EXPECT_THAT(providers(host, "c"), IsEmpty());
  const auto unit = host.unit("shop");
  EXPECT_TRUE(unit.valid());
  EXPECT_THAT(unit.member(id_of("shop-c-1"))->healthy_providers, IsEmpty()) << "it would wait for its own dependent";
  EXPECT_THAT(problems_of(unit), HasSubstr("warning: container shop-c-1: it depends on itself through shop-a-1"));
  EXPECT_EQ(unit.problems.size(), 1u);
}

TEST(Dependencies, InACircleAreBrokenAtTheSamePlaceWhateverTheOrderDockerAnswersIn) {
  Host host;
  for (const auto& [name, needs] : {std::pair("a", "b"), {"b", "c"}, {"c", "a"}, {"d", "a"}}) {
    host.add(service("shop", name)).labels["kopi-docka.depends-on"] = needs;
  }
  const auto before = problems_of(host.unit("shop"));
  std::reverse(host.inventory.containers.begin(), host.inventory.containers.end());
  EXPECT_EQ(problems_of(host.unit("shop")), before);
}

TEST(Dependencies, ALabelGivesWayToWhatDockerNeedsToStartAtAll) {
  Host host;
  auto& vpn = host.add(service("shop", "vpn"));
  vpn.labels["kopi-docka.depends-on"] = "torrent";
  host.add(service("shop", "torrent")).network_mode = "container:" + id_of("shop-vpn-1");
  EXPECT_THAT(providers(host, "torrent"), ElementsAre("vpn"));
  EXPECT_THAT(providers(host, "vpn"), IsEmpty());
}

TEST(Dependencies, TwoCirclesAreBothBroken) {
  Host host;
  for (const auto& [name, needs] : {std::pair("a", "b"), {"b", "a"}, {"c", "d"}, {"d", "c"}}) {
    host.add(service("shop", name)).labels["kopi-docka.depends-on"] = needs;
  }
  EXPECT_THAT(problems_of(host.unit("shop")), HasSubstr("container shop-b-1: it depends on itself through shop-a-1"));
  EXPECT_THAT(problems_of(host.unit("shop")), HasSubstr("container shop-d-1: it depends on itself through shop-c-1"));
}

TEST(Dependencies, OfAContainerOnItselfMeanNothing) {
  Host host;
  host.add(service("shop", "a", "a:service_started:false"));
  EXPECT_TRUE(host.unit("shop").valid());
}

}  // namespace
}  // namespace kopidocka
