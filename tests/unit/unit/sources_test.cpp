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
using ::testing::UnorderedElementsAre;

const std::string kAnonymous(64, 'a');

std::vector<std::string> sources(const Unit& unit) {
  std::vector<std::string> found;
  for (const auto& source : unit.sources) found.push_back(source.name);
  return found;
}

/// A stack with two named volumes, an anonymous one and two binds, one of them internal.
Host shop(const StringMap& labels = {}) {
  Host host;
  host.inventory.volumes = {volume("shop_db"), volume("shop_media"), volume(kAnonymous)};
  auto& web = host.add(service("shop", "web"));
  web.mounts = {volume_mount("shop_media"), bind_mount("/srv/shop", "/site"), bind_mount("/etc/localtime", "/etc/localtime", false)};
  web.labels.insert(labels.begin(), labels.end());
  host.add(service("shop", "db")).mounts = {volume_mount("shop_db"), volume_mount(kAnonymous, "/scratch")};
  return host;
}

TEST(Sources, AreNamedVolumesAndBindsWithoutTheHostsOwn) {
  const auto unit = shop().unit("shop");
  EXPECT_THAT(sources(unit), ElementsAre("shop_db", "shop_media", "/srv/shop"));
  EXPECT_TRUE(unit.valid()) << problems_of(unit);
  const auto* media = source_named(unit, "shop_media");
  EXPECT_EQ(media->path, "/var/lib/docker/volumes/shop_media/_data");
  EXPECT_EQ(media->kind, SourceKind::volume);
  EXPECT_EQ(media->users, std::vector{id_of("shop-web-1")});
  EXPECT_EQ(source_named(unit, "/srv/shop")->destination, "/site");
  EXPECT_THAT(problems_of(unit), HasSubstr("warning: container shop-db-1: keeps /scratch in an anonymous volume"));
}

TEST(Sources, AreChosenByFullAndShortVolumeNames) {
  EXPECT_THAT(sources(shop({{"kopi-docka.volumes", "db"}}).unit("shop")), ElementsAre("shop_db", "/srv/shop"));
  EXPECT_THAT(sources(shop({{"kopi-docka.volumes", "shop_m*"}}).unit("shop")), ElementsAre("shop_media", "/srv/shop"));
  EXPECT_THAT(sources(shop({{"kopi-docka.volumes.exclude", "db"}}).unit("shop")), ElementsAre("shop_media", "/srv/shop"));
  EXPECT_THAT(sources(shop({{"kopi-docka.volumes", "*"}, {"kopi-docka.volumes.exclude", "shop_db"}}).unit("shop")),
              ElementsAre(kAnonymous, "shop_media", "/srv/shop"));
}

TEST(Sources, NoneMeansNone) {
  EXPECT_THAT(sources(shop({{"kopi-docka.volumes", "none"}}).unit("shop")), ElementsAre("/srv/shop"));
  EXPECT_THAT(sources(shop({{"kopi-docka.binds", "none"}}).unit("shop")), ElementsAre("shop_db", "shop_media"));
}

TEST(Sources, BindsAreChosenByGlobsOfTheirPath) {
  auto host = shop({{"kopi-docka.binds", "/srv/*"}, {"kopi-docka.binds.exclude", "/srv/shop/cache"}});
  host.inventory.containers[0].mounts.push_back(bind_mount("/srv/shop/cache", "/cache"));
  host.inventory.containers[0].mounts.push_back(bind_mount("/opt/media", "/media"));
  EXPECT_THAT(sources(host.unit("shop")), ElementsAre("shop_db", "shop_media", "/srv/shop"));
}

TEST(Sources, AGlobThatFitsNothingIsTold) {
  const auto unit = shop({{"kopi-docka.volumes.exclude", "shop_medai"}}).unit("shop");
  EXPECT_THAT(problems_of(unit), HasSubstr("warning: label kopi-docka.volumes.exclude: 'shop_medai' fits nothing"));
  EXPECT_THAT(problems_of(unit), HasSubstr("did you mean 'shop_media'?"));
  EXPECT_THAT(problems_of(shop({{"kopi-docka.volumes.exclude", "media"}}).unit("shop")), Not(HasSubstr("fits nothing")));
}

TEST(Sources, AnInternalPathThatALabelNamesIsLeftOutAloud) {
  const auto unit = shop({{"kopi-docka.binds", "/etc/localtime"}}).unit("shop");
  EXPECT_THAT(problems_of(unit), HasSubstr("warning: bind /etc/localtime: it belongs to the host"));
  EXPECT_THAT(sources(unit), ElementsAre("shop_db", "shop_media"));
}

TEST(Sources, AVolumeSaysOnItselfThatItStaysOut) {
  auto host = shop();
  host.inventory.volumes[0].labels["kopi-docka.enable"] = "FALSE";
  EXPECT_THAT(sources(host.unit("shop")), ElementsAre("shop_media", "/srv/shop"));
  host.inventory.volumes[0].labels = {{"kopi-docka.enabel", "false"}};
  EXPECT_FALSE(host.unit("shop").valid());
}

TEST(Sources, AVolumeOfSeveralMembersIsOneSource) {
  auto host = shop();
  host.inventory.containers[1].mounts.push_back(volume_mount("shop_media", "/a", false));
  host.inventory.containers[1].mounts.push_back(volume_mount("shop_media", "/b", false));
  const auto unit = host.unit("shop");
  EXPECT_THAT(source_named(unit, "shop_media")->users, UnorderedElementsAre(id_of("shop-web-1"), id_of("shop-db-1")));
  EXPECT_FALSE(source_named(unit, "shop_media")->read_only);
}

TEST(Sources, AreReadOnlyWhenNobodyMayWrite) {
  auto host = shop();
  for (auto& mount : host.inventory.containers[0].mounts) mount.writable = false;
  EXPECT_TRUE(source_named(host.unit("shop"), "/srv/shop")->read_only);
}

TEST(Sources, WhoWritesInsideOrAboveASourceIsItsUserToo) {
  Host host;
  host.add(service("shop", "web")).mounts = {bind_mount("/srv/app")};
  host.add(service("shop", "inner")).mounts = {bind_mount("/srv/app/data")};
  host.add(service("shop", "outer")).mounts = {bind_mount("/srv/", "/all")};
  host.inventory.containers[2].mounts[0].source = "/srv";
  host.add(service("shop", "reader")).mounts = {bind_mount("/srv/app/x", "/x", false)};
  host.add(service("shop", "sibling")).mounts = {bind_mount("/srv/application")};
  const auto unit = host.unit("shop");
  EXPECT_THAT(source_named(unit, "/srv/app")->users,
              UnorderedElementsAre(id_of("shop-web-1"), id_of("shop-inner-1"), id_of("shop-outer-1")));
  EXPECT_THAT(source_named(unit, "/srv/app/data")->users,
              UnorderedElementsAre(id_of("shop-web-1"), id_of("shop-inner-1"), id_of("shop-outer-1")));
}

TEST(Sources, ALocalVolumeThatBindsAFolderIsReadThere) {
  auto host = shop();
  host.inventory.volumes[0].options = {{"type", "none"}, {"o", "bind,rw"}, {"device", "/srv/pg/"}};
  auto& self = host.add(container("kopi-docka"));
  host.around.own_container_id = self.id;
  self.mounts = {bind_mount("/srv", "/host", false)};
  host.around.paths = HostPaths::in_container(self);
  const auto unit = host.unit("shop");
  const auto* db = source_named(unit, "shop_db");
  ASSERT_NE(db, nullptr);
  EXPECT_EQ(db->local_path, "/host/pg");
  EXPECT_FALSE(db->local_writable);
  EXPECT_EQ(db->path, "/var/lib/docker/volumes/shop_db/_data") << "its identity in the repository stays";
}

TEST(Sources, AFolderBehindAVolumeAndABindOfItAreOneSourceAndOneWriter) {
  auto host = shop();
  host.inventory.volumes[1].options = {{"type", "none"}, {"o", "bind"}, {"device", "/srv/shop"}};
  EXPECT_THAT(sources(host.unit("shop")), ElementsAre("shop_db", "shop_media"));
  host.add(container("stranger")).mounts = {bind_mount("/srv/shop/upload")};
  EXPECT_THAT(source_named(host.unit("shop"), "shop_media")->foreign_writers, ElementsAre(id_of("stranger")));
}

TEST(Sources, AVolumeThatDockerMountsOnUseIsRefused) {
  const std::vector<Volume> volumes = {volume("shop_db", {{"type", "nfs"}, {"o", "addr=10.0.0.1"}, {"device", ":/export"}}),
                                       volume("shop_db", {{"type", "tmpfs"}, {"device", "tmpfs"}}), volume("shop_db", {}, "rclone")};
  for (const auto& made : volumes) {
    auto host = shop();
    host.inventory.volumes[0] = made;
    const auto unit = host.unit("shop");
    EXPECT_FALSE(unit.valid());
    EXPECT_THAT(problems_of(unit), HasSubstr("error: volume shop_db: its data is mounted by driver"));
  }
  auto host = shop({{"kopi-docka.volumes.exclude", "db"}});
  host.inventory.volumes[0] = volumes[0];
  EXPECT_TRUE(host.unit("shop").valid()) << "left out it harms nobody";
}

TEST(Sources, OutOfSightMakeTheUnitInvalidWithTheLineToAdd) {
  auto host = shop();
  auto& self = host.add(container("kopi-docka"));
  host.around.own_container_id = self.id;
  host.around.paths = HostPaths::in_container(self);
  const auto unit = host.unit("shop");
  EXPECT_FALSE(unit.valid());
  EXPECT_THAT(problems_of(unit), HasSubstr("error: volume shop_db: kopi-docka does not see /var/lib/docker/volumes/shop_db/_data; add "
                                           "'/var/lib/docker/volumes:/var/lib/docker/volumes' to the volumes of the kopi-docka service"));
  EXPECT_THAT(problems_of(unit), HasSubstr("error: bind /srv/shop: kopi-docka does not see /srv/shop; add '/srv/shop:/srv/shop'"));
}

TEST(Sources, KnowTheRunningWritersOfOtherUnitsAndNotTheReaders) {
  auto host = shop();
  auto& other = host.add(container("stranger"));
  other.mounts = {volume_mount("shop_db", "/x", false)};
  const auto writers = [&] { return source_named(host.unit("shop"), "shop_db")->foreign_writers; };
  EXPECT_THAT(writers(), IsEmpty());
  host.inventory.containers.back().mounts[0].writable = true;
  EXPECT_THAT(writers(), ElementsAre(id_of("stranger")));
  host.inventory.containers.back().state.status = "exited";
  EXPECT_THAT(writers(), IsEmpty()) << "who does not run does not write";
}

TEST(Sources, AWriterOfTheFolderAboveIsAWarningAndOneOfTheWholeHostIsNot) {
  auto host = shop();
  host.add(container("files")).mounts = {bind_mount("/srv"), bind_mount("/", "/host")};
  const auto unit = host.unit("shop");
  EXPECT_TRUE(unit.valid());
  EXPECT_THAT(problems_of(unit), HasSubstr("warning: bind /srv/shop: container files of another unit mounts the folder above it"));
  EXPECT_THAT(problems_of(unit), Not(HasSubstr("volume shop_db: container files")));
}

TEST(Sources, WeAreNoForeignWriter) {
  auto host = shop();
  auto& self = host.add(container("kopi-docka"));
  self.mounts = {bind_mount("/srv/shop", "/srv/shop"), bind_mount("/var/lib/docker/volumes", "/var/lib/docker/volumes")};
  host.around.own_container_id = self.id;
  host.around.paths = HostPaths::in_container(self);
  EXPECT_TRUE(host.unit("shop").valid()) << problems_of(host.unit("shop"));
  auto& guest = host.add(container("guest"));
  guest.network_mode = "container:" + id_of("kopi-docka");
  guest.mounts = {bind_mount("/srv/shop")};
  EXPECT_TRUE(host.unit("shop").valid()) << "who shares our network may be we ourselves";
}

TEST(Sources, OurOwnRepositoryIsNeverBackedUp) {
  auto host = shop();
  host.around.own_paths = {"/srv/shop"};
  EXPECT_THAT(sources(host.unit("shop")), ElementsAre("shop_db", "shop_media"));
  EXPECT_THAT(problems_of(host.unit("shop")), HasSubstr("warning: bind /srv/shop: holds kopi-docka's own repository"));
  host.around.own_paths = {"/srv"};
  EXPECT_THAT(sources(host.unit("shop")), ElementsAre("shop_db", "shop_media"));
  host.around.own_paths = {"/srv/shop/backups"};
  EXPECT_FALSE(host.unit("shop").valid()) << "the rest of the folder must not be lost in silence";
  EXPECT_THAT(problems_of(host.unit("shop")), HasSubstr("at /srv/shop/backups"));
}

TEST(Sources, OurOwnRepositoryIsKnownThroughTheFolderBehindItsVolume) {
  auto host = shop();
  host.inventory.volumes.push_back(volume("repository", {{"type", "none"}, {"o", "bind"}, {"device", "/srv/shop"}}));
  host.around.own_paths = {"/var/lib/docker/volumes/repository/_data/kopia"};
  EXPECT_THAT(problems_of(host.unit("shop")), HasSubstr("error: bind /srv/shop: kopi-docka's own repository, state or cache lies in it, at /srv/shop/kopia"));
  host.inventory.containers[0].mounts[1].source = "/srv/shop/kopia";
  EXPECT_THAT(sources(host.unit("shop")), ElementsAre("shop_db", "shop_media"));
}

TEST(Sources, DockersOwnFolderIsTheHostsWhereverItWasMoved) {
  auto host = shop();
  host.around.docker_root = "/srv/docker";
  auto& mounts = host.inventory.containers[0].mounts;
  mounts.push_back(bind_mount("/srv/docker/containers", "/logs"));
  mounts.push_back(bind_mount("/srv/docker/app", "/app"));
  EXPECT_THAT(sources(host.unit("shop")), ElementsAre("shop_db", "shop_media", "/srv/docker/app", "/srv/shop"));
}

TEST(Sources, OfAnEngineOnAnotherMachineAreNeverReadHere) {
  auto host = shop();
  host.around.paths = HostPaths::nothing_visible("the Docker Engine is on another machine");
  const auto unit = host.unit("shop");
  EXPECT_FALSE(unit.valid());
  EXPECT_THAT(problems_of(unit), HasSubstr("error: bind /srv/shop: kopi-docka does not see /srv/shop: the Docker Engine is on another machine\n"));
  EXPECT_EQ(source_named(unit, "/srv/shop")->local_path, "");
}

TEST(Sources, AStackWithoutDataIsTakenInByNobodyAndRefusedWhenSomebodyAskedForIt) {
  Host host;
  host.around.defaults.watch_all = true;
  host.around.defaults.schedule = "@daily";
  host.add(container("proxy")).mounts = {bind_mount("/etc/localtime", "/etc/localtime", false)};
  host.add(container("database")).mounts = {volume_mount(kAnonymous)};
  host.inventory.volumes = {volume(kAnonymous), volume("data")};
  host.add(container("app")).mounts = {volume_mount("data")};
  EXPECT_FALSE(host.unit("proxy").policy.enabled);
  EXPECT_FALSE(host.unit("proxy").policy.schedule);
  EXPECT_THAT(problems_of(host.unit("proxy")), IsEmpty());
  EXPECT_TRUE(host.unit("app").valid());
  EXPECT_TRUE(host.unit("app").policy.enabled);
  EXPECT_THAT(problems_of(host.unit("database")), HasSubstr("error: unit database: it has no volume and no bind mount")) << "its data would be lost";
  host.inventory.containers[0].labels["kopi-docka.enable"] = "true";
  EXPECT_THAT(problems_of(host.unit("proxy")), HasSubstr("error: unit proxy: it has no volume and no bind mount"));
}

TEST(Sources, OfThousandsOfStacksAreFoundWithTheirForeignWriters) {
  constexpr int kStacks = 2000;
  Host host;
  host.inventory.containers.reserve(2 * kStacks);
  for (int number = 0; number < kStacks; ++number) {
    const auto name = "stack" + std::to_string(number);
    host.inventory.volumes.push_back(volume(name + "_data"));
    auto& app = host.add(service(name, "app"));
    app.mounts = {volume_mount(name + "_data"), bind_mount("/srv/" + name)};
    app.labels["com.docker.compose.project.config_files"] = "/srv/" + name + "/compose.yaml";
  }
  host.add(container("stranger")).mounts = {bind_mount("/srv/stack7/upload"), volume_mount("stack8_data")};
  const auto units = host.units();
  ASSERT_EQ(units.size(), kStacks + 1u);
  std::vector<std::string> shared;
  for (const auto& unit : units) {
    if (!unit.foreign.empty()) shared.push_back(unit.name);
  }
  EXPECT_THAT(shared, UnorderedElementsAre("stack7", "stack8", "stranger"));
}

TEST(Sources, HostileNamesStayPrintable) {
  Host host;
  host.add(service("shop", "web")).mounts = {bind_mount("/srv/\x1b[31m\nfake: line")};
  auto& self = host.add(container("kopi-docka"));
  host.around.own_container_id = self.id;
  host.around.paths = HostPaths::in_container(self);
  const auto text = problems_of(host.unit("shop"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
}

TEST(Recipe, FilesAreFoundByTheirLabels) {
  Host host;
  auto& web = host.add(service("shop", "web"));
  web.labels["com.docker.compose.project.working_dir"] = "/srv/shop";
  web.labels["com.docker.compose.project.config_files"] = "/srv/shop/compose.yaml,override.yaml,../base.yaml";
  web.labels["com.docker.compose.project.environment_file"] = "/srv/shop/prod.env";
  const auto unit = host.unit("shop");
  ASSERT_EQ(unit.compose_files.size(), 3u);
  EXPECT_EQ(unit.compose_files[0].local_path, "/srv/shop/compose.yaml");
  EXPECT_EQ(unit.compose_files[1].path, "/srv/shop/override.yaml");
  EXPECT_EQ(unit.compose_files[2].path, "/srv/base.yaml");
  ASSERT_EQ(unit.env_files.size(), 2u);
  EXPECT_EQ(unit.env_files[0].path, "/srv/shop/.env");
  EXPECT_EQ(unit.env_files[1].path, "/srv/shop/prod.env");
  EXPECT_THAT(problems_of(unit), IsEmpty());
}

TEST(Recipe, AComposeFileOutOfSightIsAWarningWithTheLineToAdd) {
  Host host;
  host.add(service("shop", "web")).labels["com.docker.compose.project.config_files"] = "/srv/shop/compose.yaml";
  auto& self = host.add(container("kopi-docka"));
  host.around.own_container_id = self.id;
  host.around.paths = HostPaths::in_container(self);
  const auto unit = host.unit("shop");
  EXPECT_TRUE(unit.valid());
  EXPECT_THAT(problems_of(unit), HasSubstr("warning: compose file /srv/shop/compose.yaml"));
  EXPECT_THAT(problems_of(unit), HasSubstr("add '/srv/shop:/srv/shop:ro'"));
}

TEST(Recipe, AnEnvFileOutOfSightIsAWarningWithTheLineToAdd) {
  Host host;
  auto& web = host.add(service("shop", "web"));
  web.labels["com.docker.compose.project.working_dir"] = "/srv/shop";
  web.labels["com.docker.compose.project.config_files"] = "/srv/shop/compose.yaml";
  web.labels["com.docker.compose.project.environment_file"] = "/etc/shop/prod.env";
  auto& self = host.add(container("kopi-docka"));
  self.mounts = {bind_mount("/srv/shop", "/srv/shop", false)};
  host.around.own_container_id = self.id;
  host.around.paths = HostPaths::in_container(self);
  const auto unit = host.unit("shop");
  EXPECT_TRUE(unit.valid());
  EXPECT_EQ(problems_of(unit), "warning: env file /etc/shop/prod.env: kopi-docka does not see it, so the backup does not hold it; add "
                               "'/etc/shop:/etc/shop:ro' to the volumes of the kopi-docka service\n");
  host.around.paths = HostPaths::in_container(host.inventory.containers[0]);
  EXPECT_THAT(problems_of(host.unit("shop")), HasSubstr("warning: env file /etc/shop/prod.env"));
  EXPECT_THAT(problems_of(host.unit("shop")), Not(HasSubstr("/.env"))) << "the line for the compose file shows it as well";
  host.inventory.containers[0].labels["com.docker.compose.project.config_files"] = "/opt/compose.yaml";
  EXPECT_THAT(problems_of(host.unit("shop")), HasSubstr("env file /srv/shop/.env: kopi-docka does not see it, so the backup does not hold it, if there is one"));
}

TEST(Recipe, AManagersOwnPathIsTranslatedThroughItsMounts) {
  Host host;
  host.add(service("shop", "web")).labels["com.docker.compose.project.config_files"] = "/data/compose/3/docker-compose.yml";
  host.add(container("cache")).mounts = {volume_mount("cache_data", "/data"), bind_mount("/wrong", "/data/compose")};
  host.add(container("portainer")).mounts = {volume_mount("portainer_data", "/data"), bind_mount("/var/run/docker.sock", "/var/run/docker.sock")};
  Mount memory;
  memory.type = "tmpfs";
  memory.destination = "/data/compose/3";
  host.add(container("odd")).mounts = {memory};
  auto& self = host.add(container("kopi-docka"));
  self.mounts = {bind_mount("/var/lib/docker/volumes", "/var/lib/docker/volumes")};
  host.around.own_container_id = self.id;
  host.around.paths = HostPaths::in_container(self);
  const auto unit = host.unit("shop");
  ASSERT_EQ(unit.compose_files.size(), 1u);
  EXPECT_EQ(unit.compose_files[0].local_path, "");
  EXPECT_EQ(unit.compose_files[0].alternative_local_path,
            "/var/lib/docker/volumes/portainer_data/_data/compose/3/docker-compose.yml");
  EXPECT_THAT(problems_of(unit), IsEmpty());
}

TEST(Recipe, NetworksAreTheOnesOfTheStack) {
  Host host;
  auto& web = host.add(service("shop", "web"));
  web.networks["shop_front"];
  web.networks["bridge"];
  host.add(service("shop", "db")).networks["shop_back"];
  host.inventory.containers[1].networks["shop_front"];
  EXPECT_THAT(host.unit("shop").networks, ElementsAre("shop_back", "shop_front"));
}

}  // namespace
}  // namespace kopidocka
