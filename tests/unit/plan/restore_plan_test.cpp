#include "plan/restore_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "unit/plan/steps.hpp"
#include "unit/unit/stack.hpp"

namespace kopidocka {
namespace {

using namespace kopidocka::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

PointMember saved(SnapshotType type, const std::string& name) {
  PointMember member;
  member.type = type;
  member.name = name;
  member.snapshot.id = "snap-" + name;
  member.snapshot.path = name;
  return member;
}

struct Restore {
  Restore() {
    host.inventory.volumes = {volume("shop_db"), volume("shop_media")};
    host.add(service("shop", "web", "db:service_started:false")).mounts = {volume_mount("shop_media"), bind_mount("/srv/shop", "/site")};
    host.add(service("shop", "db")).mounts = {volume_mount("shop_db")};
    point.unit = "shop";
    point.backup_id = "backup-1";
    point.members = {saved(SnapshotType::recipe, "shop"), saved(SnapshotType::volume, "shop_db"), saved(SnapshotType::volume, "shop_media"),
                     saved(SnapshotType::bind, "/srv/shop")};
    options.run = "restore-1";
  }

  Result<Plan> make(bool with_unit = true) const {
    std::optional<Unit> unit;
    if (with_unit) unit = host.unit("shop");
    const RestoreSite site{paths, host.inventory.volumes, host.inventory.containers, host.around.own_container_id};
    return make_restore_plan(point, unit, options, site);
  }
  Plan plan() const {
    auto made = make();
    EXPECT_TRUE(made) << (made ? std::string() : made.error().text());
    return made ? std::move(*made) : Plan{};
  }
  std::string refusal(ErrorKind kind = ErrorKind::refused) const {
    const auto made = make();
    EXPECT_FALSE(made);
    if (made) return {};
    EXPECT_EQ(made.error().kind(), kind) << made.error().text();
    EXPECT_FALSE(made.error().next_step().empty());
    return made.error().text() + "; " + made.error().next_step();
  }

  Host host;
  HostPaths paths = HostPaths::on_host();
  RestorePoint point;
  RestoreOptions options;
};

template <class Kind>
std::vector<std::string> places(const Plan& plan) {
  std::vector<std::string> found;
  for (const auto id : steps_of<Kind>(plan)) found.push_back(action_of<Kind>(plan, id).target.local_path);
  return found;
}

template <class Kind>
std::vector<std::string> names(const Plan& plan) {
  std::vector<std::string> found;
  for (const auto id : steps_of<Kind>(plan)) found.push_back(action_of<Kind>(plan, id).target.name);
  return found;
}

TEST(RestorePlan, RestoresBesideWhileAllIsUpAndSwapsInTheHold) {
  const auto plan = Restore().plan();
  EXPECT_THAT(names<StageRestore>(plan), UnorderedElementsAre("shop_db", "shop_media", "/srv/shop"));
  EXPECT_THAT(names<SwapData>(plan), UnorderedElementsAre("shop_db", "shop_media", "/srv/shop"));
  EXPECT_THAT(names<DropAside>(plan), UnorderedElementsAre("shop_db", "shop_media", "/srv/shop"));
  for (const auto id : steps_of<StageRestore>(plan)) EXPECT_EQ(plan.steps[id].phase, Phase::prepare);
  for (const auto id : steps_of<DropAside>(plan)) EXPECT_EQ(plan.steps[id].phase, Phase::settle);
  for (const auto swap : steps_of<SwapData>(plan)) {
    EXPECT_EQ(plan.steps[swap].phase, Phase::hold);
    for (const auto stop : steps_of<StopMember>(plan)) EXPECT_TRUE(comes_after(plan, swap, stop));
  }
  EXPECT_EQ(plan.restored_from, "backup-1");
  EXPECT_EQ(plan.kind, RunKind::restore);
}

TEST(RestorePlan, LooksAtEveryPlaceBeforeAnythingIsWritten) {
  Restore restore;
  for (const std::string folder : {"", "/tmp/out"}) {
    restore.options.to_folder = folder;
    const auto plan = restore.plan();
    const auto probes = steps_of<ProbeSources>(plan);
    ASSERT_EQ(probes.size(), 1u);
    EXPECT_EQ(action_of<ProbeSources>(plan, probes[0]).sources.size(), steps_of<StageRestore>(plan).size());
    for (const auto stage : steps_of<StageRestore>(plan)) EXPECT_TRUE(comes_after(plan, stage, probes[0]));
  }
}

TEST(RestorePlan, SwapsOneAfterAnotherAndRevertsBeforeAnythingStarts) {
  const auto plan = Restore().plan();
  const auto swaps = steps_of<SwapData>(plan);
  for (size_t next = 1; next < swaps.size(); ++next) EXPECT_TRUE(comes_after(plan, swaps[next], swaps[next - 1]));
  const auto revert = steps_of<RevertOnAbort>(plan);
  ASSERT_EQ(revert.size(), 1u);
  EXPECT_TRUE(plan.steps[revert[0]].always);
  for (const auto swap : swaps) EXPECT_TRUE(comes_after(plan, revert[0], swap));
  ASSERT_EQ(steps_of<StartMember>(plan).size(), 2u);
  for (const auto start : steps_of<StartMember>(plan)) {
    EXPECT_TRUE(comes_after(plan, start, revert[0]));
    EXPECT_TRUE(plan.steps[start].always);
  }
}

TEST(RestorePlan, DropsTheOldDataLast) {
  const auto plan = Restore().plan();
  for (const auto drop : steps_of<DropAside>(plan)) {
    for (const auto health : steps_of<AwaitHealth>(plan)) EXPECT_TRUE(comes_after(plan, drop, health));
    for (const auto hook : steps_of<RunHook>(plan)) EXPECT_TRUE(comes_after(plan, drop, hook));
  }
}

TEST(RestorePlan, StepsOnlyWaitForEarlierOnes) {
  for (const bool nested : {false, true}) {
    Restore restore;
    if (nested) restore.point.members.push_back(saved(SnapshotType::bind, "/srv/shop/inner"));
    const auto plan = restore.plan();
    for (StepId id = 0; id < plan.steps.size(); ++id) {
      for (const auto before : plan.steps[id].after) {
        EXPECT_LT(before, id);
        EXPECT_LE(plan.steps[before].phase, plan.steps[id].phase);
      }
    }
  }
}

TEST(RestorePlan, TakesTheVolumesThatWereAskedForByFullOrShortName) {
  Restore restore;
  restore.options.volumes = {"db"};
  EXPECT_THAT(names<SwapData>(restore.plan()), ElementsAre("shop_db"));
  restore.options.volumes = {"shop_media", "/srv/shop"};
  EXPECT_THAT(names<SwapData>(restore.plan()), UnorderedElementsAre("shop_media", "/srv/shop"));
}

TEST(RestorePlan, AVolumeThatTheBackupDoesNotHaveIsNamedWithThoseItHas) {
  Restore restore;
  restore.options.volumes = {"db", "dbb"};
  const auto text = restore.refusal(ErrorKind::not_found);
  EXPECT_THAT(text, HasSubstr("no volume 'dbb'"));
  EXPECT_THAT(text, HasSubstr("it has: shop_db, shop_media, /srv/shop"));
}

TEST(RestorePlan, AVolumeThatTheHostDoesNotHaveIsRefused) {
  Restore restore;
  restore.host.inventory.volumes.pop_back();
  EXPECT_THAT(restore.refusal(), HasSubstr("volume shop_media does not exist on this host; create the stack"));
  restore.options.volumes = {"db"};
  EXPECT_TRUE(restore.make());
}

TEST(RestorePlan, AVolumeThatDockerMountsOnUseIsRefused) {
  Restore restore;
  restore.host.inventory.volumes[0].options = {{"type", "nfs"}, {"o", "addr=10.0.0.1"}, {"device", ":/export"}};
  EXPECT_THAT(restore.refusal(), HasSubstr("only while a container uses it"));
}

TEST(RestorePlan, AVolumeThatBindsAFolderIsRestoredThere) {
  Restore restore;
  restore.host.inventory.volumes[0].options = {{"type", "none"}, {"o", "bind"}, {"device", "/srv/pg"}};
  restore.options.volumes = {"db"};
  EXPECT_THAT(places<SwapData>(restore.plan()), ElementsAre("/srv/pg"));
  restore.host.add(container("stranger")).mounts = {volume_mount("shop_db")};
  EXPECT_THAT(restore.refusal(), HasSubstr("container stranger, which is not of this unit, uses shop_db"));
}

TEST(RestorePlan, APlaceOutOfSightOrReadOnlyIsRefusedWithTheLine) {
  Restore restore;
  Container self;
  self.mounts = {bind_mount("/srv/shop", "/host/shop", false)};
  restore.paths = HostPaths::in_container(self);
  restore.options.volumes = {"db"};
  EXPECT_THAT(restore.refusal(), HasSubstr("does not see /var/lib/docker/volumes/shop_db/_data; add '/var/lib/docker/volumes:/var/lib/docker/volumes'"));
  restore.options.volumes = {"/srv/shop"};
  EXPECT_THAT(restore.refusal(), HasSubstr("may not write to /srv/shop; take ':ro' from its line"));
}

TEST(RestorePlan, APlaceThatARunningStrangerUsesIsRefused) {
  Restore restore;
  restore.host.add(container("stranger")).mounts = {bind_mount("/srv/shop/upload", "/x", false)};
  EXPECT_THAT(restore.refusal(), HasSubstr("container stranger"));
  restore.options.volumes = {"db"};
  EXPECT_TRUE(restore.make());
  restore.options.volumes.clear();
  restore.host.inventory.containers.back().state.status = "exited";
  EXPECT_TRUE(restore.make());
  restore.host.inventory.containers.back().state.status = "running";
  restore.host.around.own_container_id = id_of("stranger");
  EXPECT_TRUE(restore.make()) << "we ourselves are no stranger";
}

TEST(RestorePlan, WithoutItsUnitEveryRunningUserIsAStranger) {
  Restore restore;
  EXPECT_FALSE(restore.make(false));
  for (auto& made : restore.host.inventory.containers) made.state.status = "exited";
  const auto plan = restore.make(false);
  ASSERT_TRUE(plan);
  EXPECT_THAT(steps_of<StopMember>(*plan), IsEmpty());
  EXPECT_EQ(plan->unit.name, "shop");
}

TEST(RestorePlan, AMemberThatAStopWouldHarmIsRefused) {
  const std::vector<std::pair<std::string, std::function<void(Container&)>>> harms = {
      {"--rm", [](Container& made) { made.auto_remove = true; }},
      {"swarm", [](Container& made) { made.labels["com.docker.swarm.service.id"] = "x"; }},
      {"paused", [](Container& made) { made.state.status = "paused"; }},
      {"could not be started again", [](Container& made) { made.network_mode = "container:" + id_of("gone"); }}};
  for (const auto& [word, change] : harms) {
    Restore restore;
    change(restore.host.inventory.containers[1]);
    EXPECT_THAT(restore.refusal(), HasSubstr(word));
    restore.options.to_folder = "/tmp/out";
    EXPECT_TRUE(restore.make()) << "beside nothing is stopped";
  }
  Restore restore;
  auto& self = restore.host.add(container("kopi-docka"));
  self.network_mode = "container:" + id_of("shop-db-1");
  restore.host.around.own_container_id = self.id;
  EXPECT_THAT(restore.refusal(), HasSubstr("gives kopi-docka its network"));
}

TEST(RestorePlan, ToAFolderTouchesNothingElse) {
  Restore restore;
  restore.options.to_folder = "/tmp/out";
  const auto plan = restore.plan();
  EXPECT_THAT(places<StageRestore>(plan), UnorderedElementsAre("/tmp/out/recipe", "/tmp/out/volumes/shop_db", "/tmp/out/volumes/shop_media",
                                                               "/tmp/out/binds/srv_shop"));
  EXPECT_THAT(steps_of<StopMember>(plan), IsEmpty());
  EXPECT_THAT(steps_of<StartMember>(plan), IsEmpty());
  for (const auto id : steps_of<SwapData>(plan)) {
    EXPECT_FALSE(action_of<SwapData>(plan, id).target.in_place);
    EXPECT_EQ(action_of<SwapData>(plan, id).target.host_path, "");
  }
  restore.options.volumes = {"db"};
  EXPECT_THAT(places<StageRestore>(restore.plan()), ElementsAre("/tmp/out/volumes/shop_db"));
}

TEST(RestorePlan, ToAFolderSpeaksOfNoStopAndOfNoReplacedData) {
  Restore restore;
  restore.options.to_folder = "/tmp/out";
  const auto text = plan_text(restore.plan());
  EXPECT_THAT(text, HasSubstr("then (nothing is stopped)"));
  for (const auto* word : {"are down", "aside"}) EXPECT_THAT(text, Not(HasSubstr(word)));
  EXPECT_THAT(plan_text(Restore().plan()), HasSubstr("hold (containers are down)"));
}

TEST(RestorePlan, ToAFolderKeepsBindsApartThatLookAlikeWithoutSlashes) {
  Restore restore;
  restore.options.to_folder = "/tmp/out";
  restore.point.members = {saved(SnapshotType::bind, "/srv/a/b"), saved(SnapshotType::bind, "/srv/a_b")};
  EXPECT_THAT(places<SwapData>(restore.plan()), UnorderedElementsAre("/tmp/out/binds/srv_a_b", "/tmp/out/binds/srv_a_b-2"));
}

TEST(RestorePlan, NamesFromAForeignHandNeverLeadOutOfTheirPlace) {
  using Made = std::pair<SnapshotType, std::string>;
  for (const auto& [type, name] : {Made(SnapshotType::volume, "../../etc"), Made(SnapshotType::volume, ".."), Made(SnapshotType::volume, ""),
                                   Made(SnapshotType::volume, std::string("a\0b", 3)), Made(SnapshotType::bind, "/.."), Made(SnapshotType::bind, "/")}) {
    Restore restore;
    restore.options.to_folder = "/tmp/out";
    restore.point.members = {saved(type, name)};
    restore.refusal();
  }
  for (const std::string name : {"/", "", "relative", "/srv/../etc/cron.d", "/srv//x", "/srv/x/", "/etc", "/usr/bin", "/var/lib/docker"}) {
    Restore restore;
    restore.point.members = {saved(SnapshotType::bind, name)};
    restore.refusal();
  }
}

TEST(RestorePlan, APlaceInsideAnotherIsRestoredIntoTheNewDataOfTheOuterOne) {
  Restore restore;
  restore.point.members = {saved(SnapshotType::bind, "/srv/shop/inner"), saved(SnapshotType::bind, "/srv/shop"), saved(SnapshotType::bind, "/srv/shop2")};
  const auto plan = restore.plan();
  EXPECT_THAT(places<SwapData>(plan), ElementsAre("/srv/shop", "/srv/shop/inner", "/srv/shop2"));
  const auto swaps = steps_of<SwapData>(plan);
  ASSERT_EQ(steps_of<StageRestore>(plan).size(), 3u);
  for (const auto stage : steps_of<StageRestore>(plan)) {
    const bool inner = action_of<StageRestore>(plan, stage).target.name == "/srv/shop/inner";
    EXPECT_EQ(plan.steps[stage].phase, inner ? Phase::hold : Phase::prepare);
    if (!inner) continue;
    EXPECT_TRUE(comes_after(plan, stage, swaps[0])) << "staged before, it would go aside with the outer one's old data";
    EXPECT_TRUE(comes_after(plan, swaps[1], stage));
  }
}

TEST(RestorePlan, TwoNamesOfOnePlaceAreRestoredOnce) {
  Restore restore;
  restore.host.inventory.volumes[0].options = {{"type", "none"}, {"o", "bind"}, {"device", "/srv/shop"}};
  EXPECT_THAT(places<SwapData>(restore.plan()), UnorderedElementsAre("/srv/shop", "/var/lib/docker/volumes/shop_media/_data"));
}

TEST(RestorePlan, ASingleFileIsKnownByItsTag) {
  Restore restore;
  restore.point.members.back().snapshot.tags["kd_kind"] = "file";
  restore.options.volumes = {"/srv/shop"};
  const auto plan = restore.plan();
  EXPECT_TRUE(action_of<SwapData>(plan, steps_of<SwapData>(plan)[0]).target.single_file);
}

TEST(RestorePlan, ASingleFileIsKnownByItsSnapshotWithoutATag) {
  Restore restore;
  restore.point.members.back().snapshot.single_file = true;
  restore.options.volumes = {"/srv/shop"};
  const auto plan = restore.plan();
  EXPECT_TRUE(action_of<StageRestore>(plan, steps_of<StageRestore>(plan)[0]).target.single_file);
}

TEST(RestorePlan, AnOldTarIsRefusedWithTheWayToUnpackItAndToRestoreTheRest) {
  Restore restore;
  restore.point.members[1].legacy_tar = true;
  const auto text = restore.refusal();
  EXPECT_THAT(text, HasSubstr("kopia snapshot restore snap-shop_db"));
  EXPECT_THAT(text, HasSubstr("restore the others with --volume shop_media --volume /srv/shop"));
  restore.options.volumes = {"shop_media", "/srv/shop"};
  EXPECT_TRUE(restore.make());
}

TEST(RestorePlan, APointWithoutDataHasNothingToPutInPlace) {
  Restore restore;
  restore.point.members.resize(1);
  EXPECT_THAT(restore.refusal(), HasSubstr("no volumes and no binds"));
  restore.options.to_folder = "/tmp/out";
  EXPECT_THAT(places<StageRestore>(restore.plan()), ElementsAre("/tmp/out/recipe"));
}

TEST(RestorePlan, IsForProgramsWhatItIsForPeople) {
  const auto plan = Restore().plan();
  const auto json = plan_json(plan);
  EXPECT_EQ(json.at("unit"), "shop");
  EXPECT_EQ(json.at("kind"), "restore");
  ASSERT_EQ(json.at("steps").size(), plan.steps.size());
  for (size_t id = 0; id < plan.steps.size(); ++id) {
    EXPECT_EQ(json.at("steps").at(id).at("id"), id);
    EXPECT_THAT(plan_text(plan), HasSubstr(json.at("steps").at(id).at("step").get<std::string>()));
  }
}

}  // namespace
}  // namespace kopidocka
