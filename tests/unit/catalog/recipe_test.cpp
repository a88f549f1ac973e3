#include "catalog/recipe.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "catalog/networks.hpp"
#include "catalog/redact.hpp"
#include "catalog/yaml.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

json inspect(const std::string& name, const std::string& service) {
  return {
      {"Id", "0123456789abcdef"},
      {"Name", "/" + name},
      {"Config",
       {{"Image", "postgres:16"},
        {"Hostname", "0123456789ab"},
        {"Env", {"POSTGRES_PASSWORD=canary", "MONKEY=banana", "PRICE=5$", "DATABASE_URL=postgres://u:canary@db/x", "DB_FILE=/x"}},
        {"Cmd", {"postgres", "-c", "a: b # c"}},
        {"Entrypoint", {"docker-entrypoint.sh"}},
        {"User", "999:999"},
        {"Labels", {{"com.docker.compose.service", service}, {"com.docker.compose.depends_on", "db:service_healthy:true,gone:x:true"}, {"mine", "yes"}}},
        {"Healthcheck", {{"Test", {"CMD-SHELL", "pg_isready"}}, {"Interval", 5'000'000'000}, {"Timeout", 1'500'000'000}, {"Retries", 3}}}}},
      {"HostConfig",
       {{"NetworkMode", "shop_default"},
        {"RestartPolicy", {{"Name", "unless-stopped"}, {"MaximumRetryCount", 0}}},
        {"PortBindings", {{"5432/tcp", {{{"HostIp", "127.0.0.1"}, {"HostPort", "15432"}}, {{"HostIp", "::1"}, {"HostPort", "15432"}}}}}},
        {"CapAdd", {"NET_ADMIN"}},
        {"Privileged", true},
        {"Devices", {{{"PathOnHost", "/dev/fuse"}, {"PathInContainer", "/dev/fuse"}, {"CgroupPermissions", "rwm"}}}}}},
      {"Mounts",
       {{{"Type", "volume"}, {"Name", "shop_db"}, {"Destination", "/var/lib/postgresql/data"}, {"RW", true}},
        {{"Type", "bind"}, {"Source", "/srv/my: \"site\""}, {"Destination", "/site"}, {"RW", false}}}},
      {"NetworkSettings", {{"Networks", {{"shop_default", {{"Aliases", {"db", "0123456789ab"}}, {"IPAMConfig", {{"IPv4Address", "172.30.0.5"}}}}}}}}}};
}

RecipeContent content(const std::string& path, const std::string& text) {
  RecipeContent made{path, {}};
  made.file.path = path;
  made.file.content = text;
  made.file.mode = 0644;
  made.file.mtime_seconds = 1'700'000'000;
  return made;
}

RecipeContent unseen(const std::string& path) {
  auto made = content(path, "");
  made.file.problem = "No such file or directory";
  return made;
}

RecipeInput input() {
  RecipeInput made;
  made.unit.name = "shop";
  made.backup_id = "0d7c8f3e";
  made.time = from_iso8601("2026-11-22T20:30:01.035805+00:00");
  made.containers = {{"shop-db-1", inspect("shop-db-1", "db").dump()}};
  made.compose_files = {content("/opt/shop/compose.yml", "services: {}"), content("/opt/shop/compose.prod.yml", "x")};
  made.project_files = {content("/opt/shop/.env", "A=b"), content("/opt/other/.env", "C=d")};
  return made;
}

StagedFolder recipe(const RecipeInput& from) {
  auto made = make_recipe(from);
  if (!made) throw made.error();
  return *made;
}

TEST(Recipe, IsLaidOutAsThePythonOriginalRestoresIt) {
  const auto folder = recipe(input());
  ASSERT_NE(folder.file("compose.yml"), nullptr);
  EXPECT_EQ(folder.file("compose.yml")->content, "services: {}");
  EXPECT_EQ(folder.file("compose.yml")->mode, 0644u);
  EXPECT_EQ(folder.file("compose.yml")->mtime_seconds, 1'700'000'000);
  EXPECT_EQ(json::parse(folder.file("compose_order.json")->content), json({"compose.yml", "compose.prod.yml"}));
  EXPECT_EQ(folder.file("project-files/.env")->content, "A=b");
  const auto inspected = json::parse(folder.file("shop-db-1_inspect.json")->content);
  ASSERT_TRUE(inspected.is_array());
  ASSERT_EQ(inspected.size(), 1u);
  EXPECT_EQ(inspected[0]["Mounts"], inspect("shop-db-1", "db")["Mounts"]);
  EXPECT_NE(folder.file("coverage-manifest.json"), nullptr);
  EXPECT_EQ(folder.file("reconstructed-compose.yaml"), nullptr) << "the real ones are there";
}

TEST(Recipe, KeepsSecretsOnlyInTheEnvironmentFile) {
  const auto folder = recipe(input());
  for (const auto& file : folder.files) {
    const bool holds = file.content.find("canary") != std::string::npos;
    EXPECT_EQ(holds, file.path == "environment.json") << file.path;
  }
  EXPECT_EQ(folder.file("environment.json")->mode, 0600u);
  const auto environment = json::parse(folder.file("environment.json")->content);
  EXPECT_EQ(environment["shop-db-1"], inspect("", "")["Config"]["Env"]);
  const auto redacted = json::parse(folder.file("shop-db-1_inspect.json")->content)[0]["Config"]["Env"];
  EXPECT_EQ(redacted, json({"POSTGRES_PASSWORD=***REDACTED***", "MONKEY=banana", "PRICE=5$",
                            "DATABASE_URL=postgres://u:***REDACTED***@db/x", "DB_FILE=/x"}));
  auto without = input();
  without.include_environment = false;
  EXPECT_EQ(recipe(without).file("environment.json"), nullptr);
}

TEST(Recipe, NumbersFilesThatWouldOverwriteEachOther) {
  auto from = input();
  from.compose_files = {content("/a/compose.yml", "1"), content("/b/compose.yml", "2"), content("/c/compose_order.json", "3")};
  const auto folder = recipe(from);
  EXPECT_EQ(json::parse(folder.file("compose_order.json")->content), json({"compose.yml", "compose.2.yml", "compose_order.2.json"}));
  EXPECT_EQ(folder.file("compose.2.yml")->content, "2");
  EXPECT_EQ(folder.file("project-files/.env.2")->content, "C=d");
  EXPECT_EQ(folder.notes.size(), 3u);
}

TEST(Recipe, SaysWhatIsOutOfSightAndReconstructsIt) {
  auto from = input();
  from.compose_files.push_back(unseen("/hidden/compose.yml"));
  from.project_files.push_back(unseen("/hidden/web.env"));
  const auto folder = recipe(from);
  ASSERT_NE(folder.file("reconstructed-compose.yaml"), nullptr);
  EXPECT_EQ(json::parse(folder.file("compose_order.json")->content).size(), 2u);
  EXPECT_EQ(folder.notes.size(), 3u);
  const auto manifest = json::parse(folder.file("coverage-manifest.json")->content);
  EXPECT_EQ(manifest["has_gaps"], true);
  from.compose_files = {unseen("/hidden/compose.yml")};
  EXPECT_EQ(recipe(from).file("compose_order.json"), nullptr);
}

TEST(Recipe, RefusesInspectTextsThatAreNone) {
  for (const auto* text : {"", "[]", "{", "null"}) {
    auto from = input();
    from.containers[0].json = text;
    EXPECT_FALSE(make_recipe(from).has_value()) << text;
  }
  auto from = input();
  from.containers = {{"../../x", R"({"Config": {"Env": "no list"}, "Mounts": 5})"}, {"..", R"({"Config": {"Env": [1, null]}})"}};
  for (const auto& file : recipe(from).files) EXPECT_TRUE(file.path.find('/') == std::string::npos || file.path.starts_with("project-files/"));
  EXPECT_NE(recipe(from).file(".._.._x_inspect.json"), nullptr);
}

TEST(Coverage, TellsEveryPlaceOnce) {
  auto from = input();
  DataSource volume;
  volume.name = "shop_db";
  from.unit.sources = {volume};
  Member member;
  const auto mount = [](const char* type, const char* name, const char* source, const char* destination) {
    Mount made;
    made.type = type;
    made.name = name;
    made.source = source;
    made.destination = destination;
    return made;
  };
  member.container.mounts = {mount("volume", "shop_db", "/v", "/data"), mount("volume", "cache", "/c", "/cache"),
                             mount("bind", "", "/srv/media", "/media"), mount("bind", "", "/var/run/docker.sock", "/s"),
                             mount("tmpfs", "", "", "/tmp"), mount("cluster", "", "", "/cluster")};
  from.unit.members = {member, member};
  const auto manifest = json::parse(coverage_manifest(from));
  EXPECT_EQ(manifest["unit"], "shop");
  EXPECT_EQ(manifest["backup_id"], "0d7c8f3e");
  EXPECT_EQ(manifest["backup_scope"], "standard");
  EXPECT_EQ(manifest["timestamp"], "2026-11-22T20:30:01.035805+00:00");
  const auto status = [&](const std::string& identifier) {
    for (const auto& entry : manifest["dependencies"]) {
      if (entry["identifier"] == identifier) return entry["status"].get<std::string>();
    }
    return std::string("absent");
  };
  EXPECT_EQ(status("shop_db"), "backed_up");
  EXPECT_EQ(status("cache"), "not_protected");
  EXPECT_EQ(status("/srv/media"), "not_protected");
  EXPECT_EQ(status("/var/run/docker.sock"), "skipped_runtime");
  EXPECT_EQ(status("/tmp"), "skipped_runtime");
  EXPECT_EQ(status("/cluster"), "not_supported");
  EXPECT_EQ(status("/opt/shop/compose.yml"), "backed_up");
  EXPECT_EQ(manifest["summary"]["total"], manifest["dependencies"].size());
  EXPECT_EQ(manifest["summary"]["not_protected"], 2);
  EXPECT_EQ(manifest["has_gaps"], true);
}

TEST(Reconstruction, HoldsWhatIsNeededToRunItAgain) {
  auto from = input();
  from.containers.push_back({"shop-web-1", inspect("shop-web-1", "web").dump()});
  from.containers.push_back({"shop-web-2", inspect("shop-web-2", "web").dump()});
  const auto text = reconstructed_compose(from).value();
  EXPECT_EQ(text.rfind("# Reconstructed by kopi-docka", 0), 0u);
  for (const auto* line :
       {"\"name\": \"shop\"", "  \"db\":", "  \"web\":", "\"image\": \"postgres:16\"", "- \"a: b # c\"", "\"POSTGRES_PASSWORD\": \"${POSTGRES_PASSWORD}\"",
        "\"DATABASE_URL\": \"${DATABASE_URL}\"", "\"PRICE\": \"5$$\"", "- \"127.0.0.1:15432:5432/tcp\"", "- \"[::1]:15432:5432/tcp\"",
        "\"source\": \"/srv/my: \\\"site\\\"\"", "\"read_only\": true", "\"ipv4_address\": \"172.30.0.5\"", "\"restart\": \"unless-stopped\"",
        "- \"/dev/fuse:/dev/fuse:rwm\"", "\"interval\": \"5s\"", "\"timeout\": \"1500ms\"", "\"condition\": \"service_healthy\"", "\"mine\": \"yes\"",
        "\"privileged\": true", "\"shop_db\":"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
  for (const auto* absent : {"canary", "com.docker.compose", "0123456789ab", "\"gone\"", "container_name", "hostname"}) {
    EXPECT_EQ(text.find(absent), std::string::npos) << absent;
  }
}

TEST(Reconstruction, OfASingleContainerKeepsItsName) {
  auto from = input();
  from.unit.kind = UnitKind::standalone;
  const auto text = reconstructed_compose(from).value();
  EXPECT_NE(text.find("\"container_name\": \"shop-db-1\""), std::string::npos);
  EXPECT_NE(recipe(from).file("reconstructed-compose.yaml"), nullptr);
}

TEST(Reconstruction, SurvivesAnInspectOfAnyShape) {
  auto from = input();
  for (const auto* text :
       {"{}", R"({"Config":[],"HostConfig":1,"Mounts":{},"NetworkSettings":null})",
        R"({"Config":{"Env":[1,"=x","A"],"Labels":[],"Cmd":"x","Healthcheck":{"Test":"x"}},"HostConfig":{"PortBindings":{"1":2,"3":[4]},"Devices":[1],"Tmpfs":{"/t":1}},"Mounts":[1,{}],"NetworkSettings":{"Networks":{"n":1}}})"}) {
    from.containers = {{"x", text}};
    EXPECT_TRUE(reconstructed_compose(from).has_value()) << text;
  }
}

TEST(Yaml, CannotBeMisread) {
  const nlohmann::ordered_json value = {{"no", "yes"}, {"n", {{{"a", "1"}, {"b", {1, 2}}}, "x\n- y"}}, {"e", nlohmann::ordered_json::array()}};
  EXPECT_EQ(to_yaml(value), "\"no\": \"yes\"\n\"n\":\n  -\n    \"a\": \"1\"\n    \"b\":\n      - 1\n      - 2\n  - \"x\\n- y\"\n\"e\": []\n");
}

TEST(Networks, AreTheEnginesOwnObjectsAndAnIndex) {
  const auto folder = make_networks("shop", from_iso8601("2026-11-22T20:30:01Z"),
                                    {R"({"Name":"shop_front","IPAM":{"Config":[{"Subnet":"172.30.0.0/24"}]}})", R"({"Name":"shop_back"})"});
  ASSERT_TRUE(folder.has_value());
  const auto networks = json::parse(folder->file("networks.json")->content);
  EXPECT_EQ(networks[0]["IPAM"]["Config"][0]["Subnet"], "172.30.0.0/24");
  const auto metadata = json::parse(folder->file("networks_metadata.json")->content);
  EXPECT_EQ(metadata["unit_name"], "shop");
  EXPECT_EQ(metadata["network_count"], 2);
  EXPECT_EQ(metadata["network_names"], json({"shop_front", "shop_back"}));
  EXPECT_EQ(metadata["backup_timestamp"], "2026-11-22T20:30:01.000000+00:00");
  EXPECT_FALSE(make_networks("shop", {}, {"[]"}).has_value());
  EXPECT_FALSE(make_networks("shop", {}, {R"({"Name":5})"}).has_value());
}

TEST(DockerConfig, HoldsTheDaemonsFiles) {
  FileContent daemon = content("/etc/docker/daemon.json", "{}").file;
  const auto folder = make_docker_config(daemon, {content("/etc/systemd/system/docker.service.d/proxy.conf", "[Service]").file});
  EXPECT_EQ(folder.file("daemon.json")->content, "{}");
  EXPECT_EQ(folder.file("docker.service.d/proxy.conf")->content, "[Service]");
  daemon.problem = "it is not visible";
  EXPECT_EQ(make_docker_config(daemon, {}).gaps.size(), 1u);
  daemon.missing = true;
  EXPECT_TRUE(make_docker_config(daemon, {}).gaps.empty()) << "most hosts have none";
}

}  // namespace
}  // namespace kopidocka
