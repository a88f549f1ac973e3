#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/unit/stack.hpp"

namespace kopidocka {
namespace {

using namespace kopidocka::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A shop whose volume the importer of another stack writes to as well.
struct Shared : Host {
  Shared() {
    inventory.volumes = {volume("shop_db")};
    add(service("shop", "db")).mounts = {volume_mount("shop_db")};
    add(service("feed", "importer")).mounts = {volume_mount("shop_db", "/out")};
  }
  Container& db() { return inventory.containers[0]; }
  Container& importer() { return inventory.containers[1]; }
  Unit unit() const { return Host::unit("shop"); }
  std::vector<std::string> held() const {
    std::vector<std::string> names;
    for (const auto& foreign : unit().foreign) names.push_back(foreign.container.name);
    return names;
  }
  void expect_refused(const std::string& why) const {
    EXPECT_THAT(held(), IsEmpty());
    EXPECT_FALSE(unit().valid());
    EXPECT_THAT(problems_of(unit()), HasSubstr("error: volume shop_db: container feed-importer-1, which is not of this unit, writes to it too and cannot be"));
    EXPECT_THAT(problems_of(unit()), HasSubstr(why));
  }
};

TEST(Foreign, AWriterOfAnotherUnitIsHeldWithThisOneAndToldBeforehand) {
  Shared shared;
  EXPECT_TRUE(shared.unit().valid()) << problems_of(shared.unit());
  EXPECT_THAT(shared.held(), ElementsAre("feed-importer-1"));
  EXPECT_THAT(problems_of(shared.unit()), HasSubstr("warning: volume shop_db: container feed-importer-1 of unit feed writes to it too and is stopped and "
                                                    "started with each backup of this one"));
}

TEST(Foreign, OneThatOnlyReadsOrDoesNotRunIsNobodysBusiness) {
  Shared shared;
  shared.importer().mounts[0].writable = false;
  EXPECT_THAT(shared.held(), IsEmpty());
  shared.importer().mounts[0].writable = true;
  shared.importer().state.status = "exited";
  EXPECT_THAT(shared.held(), IsEmpty());
  EXPECT_THAT(problems_of(shared.unit()), IsEmpty());
}

TEST(Foreign, BothUnitsHoldEachOthersWriters) {
  Shared shared;
  EXPECT_EQ(shared.Host::unit("feed").foreign.at(0).container.name, "shop-db-1");
  EXPECT_EQ(shared.Host::unit("feed").foreign.size(), 1u);
}

TEST(Foreign, WhoCannotBeHeldMakesTheUnitInvalidWithTheReason) {
  Shared shared;
  shared.importer().auto_remove = true;
  shared.expect_refused("--rm");
  shared.importer().auto_remove = false;
  shared.importer().labels["com.docker.swarm.service.id"] = "x";
  shared.expect_refused("swarm");
  shared.importer().labels.erase("com.docker.swarm.service.id");
  shared.importer().labels["kopi-docka.stop"] = "false";
  shared.expect_refused("its label stop says false");
  shared.importer().labels.erase("kopi-docka.stop");
  shared.importer().state.status = "paused";
  shared.expect_refused("it is paused");
  shared.importer().state.status = "running";
  shared.importer().labels["com.docker.compose.oneoff"] = "True";
  shared.expect_refused("one-off");
  shared.importer().labels.erase("com.docker.compose.oneoff");
  shared.importer().network_mode = "container:gone";
  shared.expect_refused("which is gone: once stopped it could not be started again");
  shared.importer().network_mode = "bridge";
  shared.add(container("guest")).network_mode = "container:" + id_of("feed-importer-1");
  shared.expect_refused("container guest lives in its network");
}

TEST(Foreign, OneThatGivesUsOurNetworkIsNotHeld) {
  Shared shared;
  auto& self = shared.add(container("kopi-docka"));
  self.network_mode = "container:" + id_of("feed-importer-1");
  self.mounts = {bind_mount("/var/lib/docker/volumes", "/var/lib/docker/volumes", false)};
  shared.around.own_container_id = self.id;
  shared.around.paths = HostPaths::in_container(self);
  shared.expect_refused("the kopi-docka container lives in its network");
}

TEST(Foreign, WithPauseItIsPausedTooAndWithNoneNobodyIsAskedAbout) {
  Shared shared;
  shared.db().labels["kopi-docka.consistency"] = "pause";
  shared.importer().auto_remove = true;
  EXPECT_THAT(shared.held(), ElementsAre("feed-importer-1"));
  EXPECT_THAT(problems_of(shared.unit()), HasSubstr("is paused with each backup"));
  shared.importer().state.status = "restarting";
  shared.expect_refused("crash loop");
  shared.db().labels["kopi-docka.consistency"] = "none";
  EXPECT_THAT(shared.held(), IsEmpty());
  EXPECT_TRUE(shared.unit().valid()) << problems_of(shared.unit());
}

TEST(Foreign, WritersOfOneStackKeepTheirOrderAlsoThroughThoseThatAreNotHeld) {
  Shared shared;
  shared.importer().labels["com.docker.compose.depends_on"] = "queue:service_started:false";
  shared.add(service("feed", "queue", "store:service_started:false"));
  shared.add(service("feed", "store")).mounts = {volume_mount("shop_db", "/out")};
  const auto unit = shared.unit();
  EXPECT_THAT(unit.anybody(id_of("feed-importer-1"))->providers, ElementsAre(id_of("feed-store-1")));
  EXPECT_THAT(unit.anybody(id_of("feed-store-1"))->providers, IsEmpty());
}

TEST(Foreign, AMemberThatLivesInTheNetworkOfOneWaitsForItAndTheOtherWayRound) {
  Shared shared;
  shared.db().network_mode = "container:" + id_of("feed-importer-1");
  EXPECT_THAT(shared.unit().member(id_of("shop-db-1"))->providers, ElementsAre(id_of("feed-importer-1")));
  shared.db().network_mode = "bridge";
  shared.importer().network_mode = "container:" + id_of("shop-db-1");
  EXPECT_THAT(shared.unit().anybody(id_of("feed-importer-1"))->providers, ElementsAre(id_of("shop-db-1")));
}

}  // namespace
}  // namespace kopidocka
