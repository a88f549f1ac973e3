#include "docker/decode.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kopidocka {
namespace {
using ::testing::ElementsAre;
using ::testing::Pair;

TEST(DecodeContainer, ReadsWhatTheDaemonNeeds) {
  const auto container = decode_container(R"({
    "Id": "abc", "Name": "/shop-db-1", "Image": "sha256:1", "Created": "2026-01-01T00:00:00Z",
    "State": {"Status": "running", "ExitCode": 0, "OOMKilled": true, "StartedAt": "2026-01-01T00:00:01.123456789Z",
              "FinishedAt": "0001-01-01T00:00:00Z", "Health": {"Status": "starting"}},
    "HostConfig": {"AutoRemove": true, "RestartPolicy": {"Name": "always"}, "NetworkMode": "shop_default", "PidMode": "host",
                   "IpcMode": "private", "VolumesFrom": ["x:ro"], "Links": ["/a:/b"]},
    "Mounts": [{"Type": "volume", "Name": "data", "Source": "/var/lib/docker/volumes/data/_data", "Destination": "/data",
                "Driver": "local", "Mode": "z", "RW": false, "Propagation": ""}],
    "Config": {"Image": "postgres:16", "Labels": {"a": "b"}, "StopTimeout": 45, "Healthcheck": {"Test": ["CMD", "x"]}},
    "NetworkSettings": {"Networks": {"shop_default": {"NetworkID": "n1", "Aliases": ["db"],
                        "IPAMConfig": {"IPv4Address": "10.1.2.3"}, "IPAddress": "10.1.2.4", "GlobalIPv6Address": "fd00::4"}}}})");
  ASSERT_TRUE(container);
  EXPECT_EQ(container->name, "shop-db-1");
  EXPECT_EQ(container->image, "postgres:16");
  EXPECT_EQ(container->image_id, "sha256:1");
  EXPECT_TRUE(container->state.oom_killed);
  EXPECT_EQ(container->state.started_at, "2026-01-01T00:00:01.123456789Z");
  EXPECT_EQ(container->state.health, "starting");
  EXPECT_TRUE(container->auto_remove);
  EXPECT_EQ(container->restart_policy, "always");
  EXPECT_THAT(container->labels, ElementsAre(Pair("a", "b")));
  ASSERT_EQ(container->mounts.size(), 1u);
  EXPECT_FALSE(container->mounts[0].writable);
  EXPECT_EQ(container->mounts[0].name, "data");
  EXPECT_EQ(container->stop_timeout, 45);
  EXPECT_TRUE(container->has_healthcheck);
  EXPECT_EQ(container->networks.at("shop_default").ipv4_address, "10.1.2.3");
  EXPECT_EQ(container->networks.at("shop_default").ip_address, "10.1.2.4");
  EXPECT_EQ(container->networks.at("shop_default").ipv6_address, "fd00::4");
  EXPECT_THAT(container->volumes_from, ElementsAre("x:ro"));
}

TEST(DecodeContainer, LeavesMissingAndMistypedFieldsEmpty) {
  const auto bare = decode_container(R"({"Id":"abc"})");
  ASSERT_TRUE(bare);
  EXPECT_EQ(bare->state.status, "");
  EXPECT_FALSE(bare->stop_timeout);
  const auto mistyped = decode_container(R"({"Id":"abc","Name":7,"State":[],"Mounts":{"a":1},"HostConfig":"x",
    "Config":{"Labels":["a"],"StopTimeout":"9","Healthcheck":{"Test":["NONE"]}},"NetworkSettings":{"Networks":{"n":null}}})");
  ASSERT_TRUE(mistyped);
  EXPECT_EQ(mistyped->name, "");
  EXPECT_TRUE(mistyped->mounts.empty());
  EXPECT_FALSE(mistyped->stop_timeout);
  EXPECT_FALSE(mistyped->has_healthcheck);
  EXPECT_EQ(mistyped->networks.count("n"), 1u);
}

TEST(DecodeContainer, RefusesWhatHasNoIdentity) {
  for (const auto* text : {"", "null", "[]", "{}", R"({"Id":7})", R"({"Id":"a")", "\xff\xfe"}) {
    const auto container = decode_container(text);
    ASSERT_FALSE(container) << text;
    EXPECT_EQ(container.error().kind(), ErrorKind::failed);
  }
}

TEST(DecodeContainer, IsNotHurtByNumbersOutOfRange) {
  const auto container = decode_container(
      R"({"Id":"a","State":{"ExitCode":99999999999999},"Config":{"StopTimeout":18446744073709551615}})");
  ASSERT_TRUE(container);
  EXPECT_EQ(container->state.exit_code, 0);
  EXPECT_EQ(container->stop_timeout, 0);
}

TEST(DecodeList, KeepsTheIdsAlone) {
  const auto ids = decode_container_ids(
      R"([{"Id":"a","Labels":{"Id":"no","x":"y"},"Mounts":[{"Id":"no"}],"Names":["/n"]},{"Names":[]},{"Id":"b"}])");
  ASSERT_TRUE(ids);
  EXPECT_THAT(*ids, ElementsAre("a", "b"));
  EXPECT_TRUE(decode_container_ids("[]")->empty());
  EXPECT_FALSE(decode_container_ids(R"({"message":"x"})"));
}

TEST(DecodeJson, SurvivesDeepNesting) {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  EXPECT_TRUE(decode_container_ids(deep)->empty());
  EXPECT_FALSE(decode_container(deep));
  EXPECT_TRUE(decode_container(R"({"Id":"a","Mounts":)" + deep + "}"));
}

TEST(DecodeVolumes, AcceptsNoVolumesAtAll) {
  EXPECT_TRUE(decode_volumes(R"({"Volumes":null,"Warnings":null})")->empty());
  const auto volumes =
      decode_volumes(R"({"Volumes":[{"Name":"v","Driver":"local","Mountpoint":"/m","Scope":"local",
    "Labels":{"kopi-docka.enable":"false"},"Options":{"type":"nfs"}},{"Driver":"nameless"}]})");
  ASSERT_EQ(volumes->size(), 1u);
  EXPECT_EQ(volumes->front().labels.at("kopi-docka.enable"), "false");
  EXPECT_EQ(volumes->front().options.at("type"), "nfs");
}

TEST(DecodeInfo, TellsTheEngineFromOthers) {
  const auto info =
      decode_info(R"({"ID":"X:Y","Name":"host","ServerVersion":"20.10.24","DockerRootDir":"/var/lib/docker",
    "Swarm":{"LocalNodeState":"active"},"NCPU":2,"MemTotal":8000000000})");
  ASSERT_TRUE(info);
  EXPECT_EQ(info->id, "X:Y");
  EXPECT_TRUE(info->swarm_active);
  EXPECT_EQ(info->memory_bytes, 8'000'000'000);
  EXPECT_FALSE(decode_info(R"({"Swarm":{"LocalNodeState":"inactive"}})")->swarm_active);
}

TEST(DecodeEvent, SplitsTheDetailFromTheAction) {
  const auto event =
      decode_event(R"({"Type":"container","Action":"health_status: unhealthy","Actor":{"ID":"abc",
    "Attributes":{"name":"db","exitCode":"1"}},"time":1700000000,"timeNano":1700000000123456789})");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->action, "health_status");
  EXPECT_EQ(event->detail, "unhealthy");
  EXPECT_EQ(event->actor_id, "abc");
  EXPECT_EQ(event->attributes.at("name"), "db");
  EXPECT_EQ(event->time_nano, 1700000000123456789);
}

TEST(DecodeEvent, FallsBackToWholeSecondsAndRefusesGarbage) {
  EXPECT_EQ(decode_event(R"({"Type":"volume","Action":"create","time":3})")->time_nano, 3'000'000'000);
  EXPECT_EQ(decode_event(R"({"Type":"volume","Action":"create","time":9223372036854775807})")->time_nano, 0);
  for (const auto* text : {"", "{}", R"({"Type":"container"})", R"({"Action":"die"})", "garbage"})
    EXPECT_FALSE(decode_event(text)) << text;
}

TEST(DecodeMessage, IsEmptyForAPage) {
  EXPECT_EQ(decode_message(R"({"message":"No such container: x"})"), "No such container: x");
  EXPECT_EQ(decode_message("<html>403</html>"), "");
}

}  // namespace
}  // namespace kopidocka
