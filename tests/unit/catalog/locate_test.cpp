#include "catalog/locate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kopidocka {
namespace {

using testing::HasSubstr;

RestorePoint shop() {
  RestorePoint point;
  point.unit = "shop";
  point.backup_id = "0d5cf1a2-0000";
  const auto add = [&](SnapshotType type, const std::string& name) {
    PointMember member;
    member.type = type;
    member.name = name;
    point.members.push_back(member);
  };
  add(SnapshotType::recipe, "shop");
  add(SnapshotType::volume, "shop_db");
  add(SnapshotType::volume, "db2");
  add(SnapshotType::bind, "/srv/shop");
  add(SnapshotType::bind, "/srv/shop/web");
  return point;
}

std::string found(const std::string& place) {
  const auto point = shop();
  const auto located = locate(point, place);
  if (!located) return "error: " + located.error().text() + "; " + located.error().next_step();
  return located->member == nullptr ? "the point" : std::string(to_string(located->member->type)) + " " + located->member->name + " [" + located->path + "]";
}

TEST(Locate, APlaceIsNamedAsPeopleKnowIt) {
  EXPECT_EQ(found(""), "the point");
  EXPECT_EQ(found("shop_db"), "volume shop_db []");
  EXPECT_EQ(found("db/base/1"), "volume shop_db [base/1]");
  EXPECT_EQ(found("db2"), "volume db2 []");
  EXPECT_EQ(found("recipe/docker-compose.yml"), "recipe shop [docker-compose.yml]");
}

TEST(Locate, OfBindsInOneAnotherTheInnerOneCounts) {
  EXPECT_EQ(found("/srv/shop/web/index.html"), "bind /srv/shop/web [index.html]");
  EXPECT_EQ(found("/srv/shop/website"), "bind /srv/shop [website]");
  EXPECT_EQ(found("/srv/shop/"), "bind /srv/shop []");
}

TEST(Locate, WhatIsNotThereNamesWhatIs) {
  EXPECT_THAT(found("dbb"), HasSubstr("did you mean"));
  EXPECT_THAT(found("/etc"), HasSubstr("shop_db"));
  EXPECT_THAT(found("networks"), HasSubstr("has no 'networks'"));
}

}  // namespace
}  // namespace kopidocka
