#include "catalog/tags.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kopidocka {
namespace {

using testing::IsSupersetOf;

RunTags run() {
  return {.unit = "shop",
          .backup_id = "0d7c8f3e-0000-4000-8000-000000000001",
          .scope = Scope::full,
          .time = from_iso8601("2026-11-22T20:30:01.035805+00:00"),
          .sources = 2};
}

const std::vector<std::pair<const std::string, std::string>> kCommon = {{"unit", "shop"},
                                                                        {"backup_id", "0d7c8f3e-0000-4000-8000-000000000001"},
                                                                        {"backup_scope", "full"},
                                                                        {"timestamp", "2026-11-22T20:30:01.035805+00:00"},
                                                                        {"kd_sources", "2"}};

TEST(Tags, OfAVolumeAreThoseThePythonOriginalRestoresBy) {
  DataSource source;
  source.name = "shop_db";
  source.path = "/var/lib/docker/volumes/shop_db/_data";
  const auto tags = source_tags(run(), source, 4096);
  EXPECT_THAT(tags, IsSupersetOf(kCommon));
  EXPECT_EQ(tags.at("type"), "volume");
  EXPECT_EQ(tags.at("volume"), "shop_db");
  EXPECT_EQ(tags.at("backup_format"), "direct");
  EXPECT_EQ(tags.at("size_bytes"), "4096");
  EXPECT_FALSE(tags.contains("bind_source"));
}

TEST(Tags, OfABindCarryItsPlaces) {
  DataSource source;
  source.kind = SourceKind::bind;
  source.path = "/srv/my site:1";
  source.destination = "/usr/share/nginx/html";
  source.read_only = true;
  const auto tags = source_tags(run(), source, 0);
  EXPECT_THAT(tags, IsSupersetOf(kCommon));
  EXPECT_EQ(tags.at("type"), "bind");
  EXPECT_EQ(tags.at("bind_source"), "/srv/my site:1");
  EXPECT_EQ(tags.at("bind_destination"), "/usr/share/nginx/html");
  EXPECT_EQ(tags.at("read_only"), "true");
  EXPECT_EQ(tags.at("size_bytes"), "0");
  EXPECT_FALSE(tags.contains("backup_format"));
}

TEST(Tags, OfStagedPartsCarryTheirCounts) {
  EXPECT_THAT(recipe_tags(run()), IsSupersetOf(kCommon));
  EXPECT_EQ(recipe_tags(run()).at("type"), "recipe");
  EXPECT_EQ(networks_tags(run(), 3).at("network_count"), "3");
  EXPECT_EQ(docker_config_tags(run(), "daemon.json").at("files"), "daemon.json");
}

TEST(Tags, StagedPartsHaveTheIdentityOfThePythonOriginal) {
  EXPECT_EQ(staging_identity(SnapshotType::recipe, "shop"), "/var/cache/kopi-docka/staging/recipes/shop");
  EXPECT_EQ(staging_identity(SnapshotType::networks, "shop"), "/var/cache/kopi-docka/staging/networks/shop");
  EXPECT_EQ(staging_identity(SnapshotType::docker_config, "shop"), "/var/cache/kopi-docka/staging/docker-config/shop");
}

TEST(Tags, TheirOwnExtrasAreMarked) {
  for (const auto& [name, value] : recipe_tags(run())) {
    const bool known = name == "type" || name == "unit" || name == "backup_id" || name == "backup_scope" || name == "timestamp";
    EXPECT_TRUE(known || name.starts_with("kd_")) << name;
  }
}

TEST(UnitName, IsOneComponentOfAPath) {
  EXPECT_TRUE(check_unit_name("my-shop_1.2").has_value());
  for (const auto& hostile : {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("/"),
                              std::string("a\0b", 3), std::string(256, 'a')}) {
    EXPECT_FALSE(check_unit_name(hostile).has_value());
  }
}

}  // namespace
}  // namespace kopidocka
