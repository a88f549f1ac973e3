#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/unit/stack.hpp"

namespace kopidocka {
namespace {

using namespace kopidocka::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A database with a volume, and a web server that the label keeps up.
struct Shop : Host {
  Shop() {
    inventory.volumes = {volume("shop_db")};
    auto& db = add(service("shop", "db"));
    db.mounts = {volume_mount("shop_db", "/rows")};
    db.labels["kopi-docka.enable"] = "true";
    add(service("shop", "web")).labels["kopi-docka.stop"] = "false";
  }
  Container& web() { return inventory.containers[1]; }
  void consistency(const std::string& word) { inventory.containers[0].labels["kopi-docka.consistency"] = word; }
  Unit unit() const { return Host::unit("shop"); }
};

TEST(Staying, AMemberThatWritesNothingMayStayUp) {
  Shop shop;
  EXPECT_TRUE(shop.unit().valid()) << problems_of(shop.unit());
  shop.web().mounts = {volume_mount("shop_db", "/rows", false), bind_mount("/etc/localtime")};
  EXPECT_TRUE(shop.unit().valid()) << problems_of(shop.unit());
}

TEST(Staying, AMemberThatCanWriteToASourceMakesTheUnitInvalidAndIsToldWhatToDo) {
  Shop shop;
  shop.web().mounts = {volume_mount("shop_db", "/rows")};
  EXPECT_FALSE(shop.unit().valid());
  const auto problems = problems_of(shop.unit());
  for (const auto* words : {"error: container shop-web-1, label kopi-docka.stop", "volume shop_db", "/rows", "':ro'", "take the label away"}) {
    EXPECT_THAT(problems, HasSubstr(words));
  }
}

TEST(Staying, AWriterIsOneByAnyMountInsideOrAboveTheSource) {
  for (const auto* path : {"/var/lib/docker/volumes/shop_db/_data/inner", "/var/lib/docker/volumes", "/"}) {
    Shop shop;
    shop.web().mounts = {bind_mount(path)};
    EXPECT_THAT(problems_of(shop.unit()), HasSubstr("label kopi-docka.stop: it is to stay up, but can write to volume shop_db")) << path;
    shop.web().mounts = {bind_mount(path, "/data", false)};
    EXPECT_THAT(problems_of(shop.unit()), Not(HasSubstr("volume shop_db"))) << path;
  }
}

TEST(Staying, APauseNeedsOneMomentForAllSoItsWritersMayNotStayUpEither) {
  Shop shop;
  shop.consistency("pause");
  shop.web().mounts = {volume_mount("shop_db", "/rows")};
  EXPECT_FALSE(shop.unit().valid());
}

TEST(Staying, WhereNothingIsHeldAWriterBreaksNoPromise) {
  Shop shop;
  shop.consistency("none");
  shop.web().mounts = {volume_mount("shop_db", "/rows")};
  EXPECT_TRUE(shop.unit().valid()) << problems_of(shop.unit());
}

TEST(Staying, OneWhoseNetworkIsStoppedUnderItMayNotStayUp) {
  Shop shop;
  shop.web().network_mode = "container:" + id_of("shop-db-1");
  EXPECT_THAT(problems_of(shop.unit()), HasSubstr("error: container shop-web-1: the label stop keeps it up, but it lives in the network"));
  shop.consistency("pause");
  EXPECT_TRUE(shop.unit().valid()) << "a frozen container keeps its network: " << problems_of(shop.unit());
}

TEST(Staying, WhatAStopWouldDoToItIsNobodysProblem) {
  Shop shop;
  shop.web().auto_remove = true;
  shop.web().labels["com.docker.swarm.service.id"] = "x";
  EXPECT_TRUE(shop.unit().valid()) << problems_of(shop.unit());
}

TEST(Consistency, AnythingButStopIsAWarningInListAndReport) {
  Shop shop;
  EXPECT_THAT(problems_of(shop.unit()), IsEmpty());
  shop.consistency("pause");
  EXPECT_THAT(problems_of(shop.unit()), HasSubstr("warning: label kopi-docka.consistency: pause: the copies are as after a power cut"));
  shop.consistency("none");
  EXPECT_THAT(problems_of(shop.unit()), HasSubstr("warning: label kopi-docka.consistency: none: nothing is stopped, so the copies are hot"));
  EXPECT_TRUE(shop.unit().valid());
}

TEST(Consistency, WhoIsOnlyPausedMayBeAutoRemovedAndLendItsNetwork) {
  Shop shop;
  shop.inventory.containers[0].auto_remove = true;
  shop.add(container("guest")).network_mode = "container:" + id_of("shop-db-1");
  EXPECT_FALSE(shop.unit().valid());
  shop.consistency("pause");
  EXPECT_TRUE(shop.unit().valid());
  EXPECT_THAT(problems_of(shop.unit()), Not(HasSubstr("guest")));
}

TEST(Consistency, WhatGivesUsOurNetworkAndSwarmTasksAreNotPausedEither) {
  Shop shop;
  shop.consistency("pause");
  shop.inventory.containers[0].labels["com.docker.swarm.service.id"] = "x";
  EXPECT_THAT(problems_of(shop.unit()), HasSubstr("as soon as it is paused"));
  shop.consistency("none");
  EXPECT_TRUE(shop.unit().valid());
}

}  // namespace
}  // namespace kopidocka
