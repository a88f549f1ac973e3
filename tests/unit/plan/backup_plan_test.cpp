#include "plan/backup_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "unit/plan/steps.hpp"
#include "unit/unit/stack.hpp"

namespace kopidocka {
namespace {

using namespace kopidocka::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;

BackupOptions options(Scope scope = Scope::standard) {
  return {.run = "0d7c8f3e-0000-4000-8000-000000000001",
          .time = from_iso8601("2026-11-22T20:30:01.035805+00:00"),
          .trigger = "schedule",
          .scope = scope,
          .default_grace = 30,
          .staging_folder = "/cache/staging"};
}

Plan plan_of(const Unit& unit, const BackupOptions& wanted = options()) {
  auto plan = make_backup_plan(unit, wanted);
  EXPECT_TRUE(plan) << (plan ? std::string() : plan.error().text());
  return plan ? std::move(*plan) : Plan{};
}

Unit shop() {
  Host host;
  host.inventory.volumes = {volume("shop_db")};
  auto& web = host.add(service("shop", "web", "db:service_healthy:false"));
  web.mounts = {bind_mount("/srv/shop", "/site", false)};
  web.networks["shop_default"];
  host.add(service("shop", "db")).mounts = {volume_mount("shop_db", "/var/lib/postgresql/data")};
  host.inventory.containers[0].stop_timeout = 90;
  return host.unit("shop");
}

std::map<std::string, StepId> stops_by_service(const Plan& plan) {
  std::map<std::string, StepId> found;
  for (const auto id : steps_of<StopMember>(plan)) found[action_of<StopMember>(plan, id).member.service] = id;
  return found;
}

std::map<std::string, StepId> starts_by_service(const Plan& plan) {
  std::map<std::string, StepId> found;
  for (const auto id : steps_of<StartMember>(plan)) found[action_of<StartMember>(plan, id).member.service] = id;
  return found;
}

std::optional<SnapshotRequest> snapshot_of(const Plan& plan, const std::string& type) {
  for (const auto id : steps_of<TakeSnapshot>(plan)) {
    if (action_of<TakeSnapshot>(plan, id).type == type) return action_of<TakeSnapshot>(plan, id).request;
  }
  for (const auto id : steps_of<ReadSource>(plan)) {
    if (action_of<ReadSource>(plan, id).type == type) return action_of<ReadSource>(plan, id).request;
  }
  return std::nullopt;
}

TEST(BackupPlan, RefusesAnInvalidAPausedAndAnEmptyUnit) {
  auto invalid = shop();
  invalid.problems.push_back({Problem::Severity::error, "container x", "is wrong"});
  auto paused = shop();
  paused.members[0].container.state.status = "paused";
  auto removing = shop();
  removing.members[0].container.state.status = "removing";
  auto empty = shop();
  empty.sources.clear();
  for (const auto& unit : {invalid, paused, removing, empty}) {
    const auto plan = make_backup_plan(unit, options());
    ASSERT_FALSE(plan);
    EXPECT_EQ(plan.error().kind(), ErrorKind::refused);
    EXPECT_FALSE(plan.error().next_step().empty());
  }
  auto warned = shop();
  warned.problems.push_back({Problem::Severity::warning, "compose file", "out of sight"});
  EXPECT_TRUE(make_backup_plan(warned, options()));
}

TEST(BackupPlan, ARefusalNamesEveryReason) {
  auto unit = shop();
  unit.problems = {{Problem::Severity::error, "container x", "is wrong"},
                   {Problem::Severity::warning, "container y", "is odd"},
                   {Problem::Severity::error, "volume z", "is out of sight"}};
  unit.members[0].container.state.status = "paused";
  const auto plan = make_backup_plan(unit, options());
  ASSERT_FALSE(plan);
  EXPECT_THAT(plan.error().text(), HasSubstr("container x: is wrong; also volume z: is out of sight; also container shop-db-1 is paused"));
}

TEST(BackupPlan, TakesExactlyTheSnapshotsOfItsScope) {
  const auto types = [](Scope scope) {
    const auto plan = plan_of(shop(), options(scope));
    std::vector<std::string> found;
    for (const auto id : steps_of<TakeSnapshot>(plan)) found.push_back(action_of<TakeSnapshot>(plan, id).type);
    for (const auto id : steps_of<ReadSource>(plan)) found.push_back(action_of<ReadSource>(plan, id).type);
    return found;
  };
  EXPECT_THAT(types(Scope::minimal), ElementsAre("volume", "bind"));
  EXPECT_THAT(types(Scope::standard), ElementsAre("recipe", "networks", "volume", "bind"));
  EXPECT_THAT(types(Scope::full), ElementsAre("recipe", "networks", "docker_config", "volume", "bind"));
}

TEST(BackupPlan, LeavesNetworksOutWhereThereAreNone) {
  auto unit = shop();
  unit.networks.clear();
  EXPECT_FALSE(snapshot_of(plan_of(unit), "networks"));
}

/// facts: keys and values by which the Python original finds and restores a snapshot.
TEST(BackupPlan, TagsAndIdentitiesAreThoseOfTheOriginal) {
  const auto plan = plan_of(shop(), options(Scope::full));
  const Tags common = {{"unit", "shop"}, {"backup_id", options().run}, {"backup_scope", "full"}, {"timestamp", "2026-11-22T20:30:01.035805+00:00"}};
  const std::map<std::string, std::pair<std::string, Tags>> expected = {
      {"recipe", {"/var/cache/kopi-docka/staging/recipes/shop", {{"type", "recipe"}}}},
      {"networks", {"/var/cache/kopi-docka/staging/networks/shop", {{"type", "networks"}, {"network_count", "1"}}}},
      {"docker_config", {"/var/cache/kopi-docka/staging/docker-config/shop", {{"type", "docker_config"}, {"files", "daemon.json,docker.service.d/"}}}},
      {"volume", {"/var/lib/docker/volumes/shop_db/_data", {{"type", "volume"}, {"volume", "shop_db"}, {"backup_format", "direct"}, {"size_bytes", "0"}}}},
      {"bind", {"/srv/shop", {{"type", "bind"}, {"bind_source", "/srv/shop"}, {"bind_destination", "/site"}, {"read_only", "true"}, {"size_bytes", "0"}}}}};
  for (const auto& [type, wanted] : expected) {
    const auto take = snapshot_of(plan, type);
    ASSERT_TRUE(take) << type;
    EXPECT_EQ(take->source.path, wanted.first);
    EXPECT_EQ(take->policy.path, wanted.first);
    EXPECT_THAT(take->tags, IsSupersetOf(common)) << type;
    EXPECT_THAT(take->tags, IsSupersetOf(wanted.second)) << type;
    EXPECT_EQ(take->tags.at("kd_sources"), "2");
  }
}

TEST(BackupPlan, StagesInOurCacheWhateverTheIdentity) {
  const auto plan = plan_of(shop(), options(Scope::full));
  EXPECT_EQ(snapshot_of(plan, "recipe")->source.local_path, "/cache/staging/recipes/shop");
  EXPECT_EQ(snapshot_of(plan, "networks")->source.local_path, "/cache/staging/networks/shop");
  EXPECT_EQ(snapshot_of(plan, "docker_config")->source.local_path, "/cache/staging/docker-config/shop");
}

TEST(BackupPlan, WaitsAsLongForAStopAsItsContainerSays) {
  auto unit = shop();
  const auto grace = [&](const std::string& name) {
    const auto plan = plan_of(unit);
    return action_of<StopMember>(plan, stops_by_service(plan).at(name)).member.grace;
  };
  EXPECT_EQ(grace("web"), 90) << "the container's own";
  EXPECT_EQ(grace("db"), 30) << "the default";
  unit.members[0].policy.stop_timeout = Milliseconds(1'500);
  EXPECT_EQ(grace("db"), 2) << "the label, rounded up";
  unit.members[0].policy.stop_timeout = Milliseconds(1'000'000'000'000'000);
  EXPECT_EQ(grace("db"), 86'400) << "the longest that the label may say";
  unit.members[0].policy.stop_timeout = Milliseconds(7'200'000);
  EXPECT_EQ(grace("db"), 7200);
  unit.members[1].container.stop_timeout = -1;
  EXPECT_EQ(grace("web"), 3600) << "even Docker's 'for ever' has a bound";
}

TEST(BackupPlan, HoldsEachMemberWithAllThatItsStartNeeds) {
  const auto plan = plan_of(shop());
  const auto held = action_of<StartMember>(plan, starts_by_service(plan).at("db")).member;
  EXPECT_EQ(held, (HeldMember{id_of("shop-db-1"), "shop-db-1", "2026-11-22T20:00:00.000000001Z", "shop", "db", 1, 30}));
  EXPECT_THAT(action_of<StartMember>(plan, starts_by_service(plan).at("web")).healthy_first, ElementsAre(id_of("shop-db-1")));
}

TEST(BackupPlan, AStoppedProviderPassesOnWhatItNeedsItself) {
  Host host;
  host.add(service("shop", "web", "setup:service_completed_successfully:false")).mounts = {bind_mount("/srv/web")};
  host.add(service("shop", "setup", "db:service_started:false")).state.status = "exited";
  host.add(service("shop", "db")).mounts = {bind_mount("/srv/db")};
  const auto plan = plan_of(host.unit("shop"));
  const auto stops = stops_by_service(plan), starts = starts_by_service(plan);
  ASSERT_EQ(stops.size(), 2u);
  EXPECT_TRUE(comes_after(plan, stops.at("db"), stops.at("web")));
  EXPECT_TRUE(comes_after(plan, starts.at("web"), starts.at("db")));
}

TEST(BackupPlan, RetentionIsAppliedOnlyWhenAllElseIsKnownAndNeverAfterAnAbort) {
  const auto plan = plan_of(shop());
  const auto retention = steps_of<ApplyRetention>(plan);
  ASSERT_EQ(retention.size(), 1u);
  EXPECT_FALSE(plan.steps[retention[0]].always);
  for (const auto id : steps_of<CheckTaint>(plan)) EXPECT_TRUE(comes_after(plan, retention[0], id));
  EXPECT_EQ(action_of<ApplyRetention>(plan, retention[0]).policies.size(), 4u);
}

TEST(BackupPlan, TheTaintCheckDecidesAndThePostHookAlwaysComes) {
  const auto plan = plan_of(shop());
  const auto taint = steps_of<CheckTaint>(plan);
  ASSERT_EQ(taint.size(), 1u);
  EXPECT_EQ(plan.steps[taint[0]].on_failure, OnFailure::abort);
  const auto hooks = steps_of<RunHook>(plan);
  ASSERT_EQ(hooks.size(), 2u);
  EXPECT_EQ(plan.steps[hooks[0]].phase, Phase::prepare);
  EXPECT_EQ(plan.steps[hooks[0]].on_failure, OnFailure::abort);
  EXPECT_EQ(plan.steps[hooks[1]].phase, Phase::settle);
  EXPECT_TRUE(plan.steps[hooks[1]].always);
}

TEST(BackupPlan, ExcludesAndRetentionOfTheUnitGoToItsData) {
  auto unit = shop();
  unit.policy.exclude = {"*.log"};
  unit.policy.retention.daily = 3;
  unit.policy.compression = "none";
  const auto plan = plan_of(unit);
  EXPECT_THAT(snapshot_of(plan, "volume")->policy.exclude, ElementsAre("*.log"));
  EXPECT_THAT(snapshot_of(plan, "recipe")->policy.exclude, IsEmpty());
  EXPECT_EQ(snapshot_of(plan, "recipe")->policy.retention.daily, 3);
  EXPECT_EQ(snapshot_of(plan, "bind")->policy.compression, "none");
}

/// A stack of random size: states, dependencies without circles, shared and nested places.
Unit random_unit(std::mt19937& random) {
  const std::vector<std::string> states = {"running", "running", "running", "restarting", "exited", "created"};
  Host host;
  const size_t count = 1 + random() % 7;
  for (size_t index = 0; index < count; ++index) {
    std::string depends;
    for (size_t other = 0; other < index; ++other) {
      if (random() % 3 == 0) depends += (depends.empty() ? "s" : ",s") + std::to_string(other) + (random() % 2 ? ":service_healthy:false" : ":service_started:true");
    }
    auto& made = host.add(service("shop", "s" + std::to_string(index), depends));
    made.state.status = states[random() % states.size()];
    for (size_t mount = 0; mount < random() % 4; ++mount) {
      const auto name = std::to_string(random() % 5);
      const bool writable = random() % 4 != 0;
      if (random() % 2 == 0) {
        made.mounts.push_back(volume_mount("shop_" + name, "/v" + std::to_string(mount), writable));
      } else {
        made.mounts.push_back(bind_mount("/srv/" + name + (random() % 2 ? "/inner" : ""), "/b" + std::to_string(mount), writable));
      }
    }
  }
  for (int name = 0; name < 5; ++name) host.inventory.volumes.push_back(volume("shop_" + std::to_string(name)));
  host.add(service("shop", "keeper")).mounts = {bind_mount("/srv/keeper")};
  std::shuffle(host.inventory.containers.begin(), host.inventory.containers.end(), random);
  return host.unit("shop");
}

/// All members that must be up before this one, through others.
std::set<std::string> needed_by(const Unit& unit, const std::string& id) {
  std::set<std::string> found;
  std::vector<std::string> open = {id};
  while (!open.empty()) {
    const auto* member = unit.member(open.back());
    open.pop_back();
    for (const auto& provider : member->providers) {
      if (found.insert(provider).second) open.push_back(provider);
    }
  }
  return found;
}

class RandomPlans : public ::testing::TestWithParam<unsigned> {
 protected:
  void SetUp() override {
    std::mt19937 random(GetParam());
    for (int round = 0; round < 40; ++round) {
      units.push_back(random_unit(random));
      ASSERT_TRUE(units.back().valid()) << problems_of(units.back());
      plans.push_back(plan_of(units.back(), options(static_cast<Scope>(random() % 3))));
    }
  }
  std::vector<Unit> units;
  std::vector<Plan> plans;
};

TEST_P(RandomPlans, HaveNoCircleAndNoStepWaitsForALaterPhase) {
  for (const auto& plan : plans) {
    for (StepId id = 0; id < plan.steps.size(); ++id) {
      for (const auto before : plan.steps[id].after) {
        ASSERT_LT(before, id);
        ASSERT_LE(plan.steps[before].phase, plan.steps[id].phase);
      }
    }
  }
}

TEST_P(RandomPlans, StopAndStartExactlyTheRunningMembersOnceAndInTheHold) {
  for (size_t at = 0; at < plans.size(); ++at) {
    std::multiset<std::string> running, stopped, started;
    for (const auto& member : units[at].members) {
      if (member.container.running()) running.insert(member.container.id);
    }
    for (const auto id : steps_of<StopMember>(plans[at])) {
      stopped.insert(action_of<StopMember>(plans[at], id).member.id);
      ASSERT_EQ(plans[at].steps[id].phase, Phase::hold);
      ASSERT_EQ(plans[at].steps[id].on_failure, OnFailure::abort);
    }
    for (const auto id : steps_of<StartMember>(plans[at])) {
      started.insert(action_of<StartMember>(plans[at], id).member.id);
      ASSERT_EQ(plans[at].steps[id].phase, Phase::hold);
      ASSERT_TRUE(plans[at].steps[id].always) << "started whatever happens";
    }
    ASSERT_EQ(stopped, running);
    ASSERT_EQ(started, running);
    ASSERT_EQ(steps_of<AwaitHealth>(plans[at]).size(), running.size());
  }
}

TEST_P(RandomPlans, StopDependentsBeforeProvidersAndStartProvidersFirst) {
  for (size_t at = 0; at < plans.size(); ++at) {
    const auto& plan = plans[at];
    const auto stops = stops_by_service(plan), starts = starts_by_service(plan);
    for (const auto& [service_name, stop] : stops) {
      ASSERT_TRUE(comes_after(plan, starts.at(service_name), stop));
      for (const auto& id : needed_by(units[at], action_of<StopMember>(plan, stop).member.id)) {
        const auto provider = units[at].member(id)->service;
        if (stops.count(provider) == 0) continue;
        ASSERT_TRUE(comes_after(plan, stops.at(provider), stop)) << plan_text(plan);
        ASSERT_TRUE(comes_after(plan, starts.at(service_name), starts.at(provider))) << plan_text(plan);
      }
    }
  }
}

TEST_P(RandomPlans, ReadNoPlaceWhileAnyMemberThatWritesToItRuns) {
  for (size_t at = 0; at < plans.size(); ++at) {
    const auto& plan = plans[at];
    const auto stops = stops_by_service(plan), starts = starts_by_service(plan);
    for (const auto id : steps_of<ReadSource>(plan)) {
      const auto& take = action_of<ReadSource>(plan, id);
      ASSERT_EQ(plan.steps[id].phase, Phase::hold);
      ASSERT_EQ(plan.steps[id].on_failure, OnFailure::abort);
      ASSERT_FALSE(plan.steps[id].always);
      for (const auto& member : units[at].members) {
        if (!member.container.running()) continue;
        const bool touches = std::any_of(member.container.mounts.begin(), member.container.mounts.end(), [&](const Mount& mount) {
          const bool overlaps = is_within(mount.source, take.request.source.path) || is_within(take.request.source.path, mount.source);
          return mount.writable && overlaps;
        });
        if (!touches) continue;
        ASSERT_TRUE(comes_after(plan, id, stops.at(member.service))) << plan_text(plan);
        ASSERT_TRUE(comes_after(plan, starts.at(member.service), id)) << plan_text(plan);
      }
    }
  }
}

TEST_P(RandomPlans, DoTheSecondaryPartsBeforeAndLiveWithoutThem) {
  for (const auto& plan : plans) {
    for (StepId id = 0; id < plan.steps.size(); ++id) {
      const auto& step = plan.steps[id];
      const bool secondary = std::holds_alternative<StageFolder>(step.action) || std::holds_alternative<TakeSnapshot>(step.action);
      if (!secondary) continue;
      ASSERT_EQ(step.phase, Phase::prepare);
      ASSERT_EQ(step.on_failure, OnFailure::degrade);
    }
    ASSERT_EQ(plan.steps.front().phase, Phase::prepare);
    ASSERT_TRUE(std::holds_alternative<ProbeRepository>(plan.steps.front().action));
  }
}

TEST_P(RandomPlans, SnapshotEverySourceOnceUnderOneBackup) {
  for (size_t at = 0; at < plans.size(); ++at) {
    std::multiset<std::string> wanted, taken;
    for (const auto& source : units[at].sources) wanted.insert(source.path);
    for (const auto id : steps_of<ReadSource>(plans[at])) {
      const auto& take = action_of<ReadSource>(plans[at], id);
      ASSERT_EQ(take.request.tags.at("backup_id"), options().run);
      ASSERT_FALSE(take.request.source.local_path.empty());
      taken.insert(take.request.source.path);
    }
    ASSERT_EQ(taken, wanted);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPlans, ::testing::Range(1u, 6u));

TEST(PlanText, SaysInThreeBlocksWhatARunWillDo) {
  const auto text = plan_text(plan_of(shop()));
  const auto before = text.find("before (everything stays up)"), hold = text.find("hold (containers are down)"),
             after = text.find("after (everything is up)");
  ASSERT_NE(before, std::string::npos);
  EXPECT_LT(before, hold);
  EXPECT_LT(hold, after);
  EXPECT_LT(hold, text.find("stop container shop-web-1 (killed after 90s)"));
  EXPECT_LT(text.find("stop container shop-web-1"), text.find("stop container shop-db-1"));
  EXPECT_LT(text.find("start container shop-db-1"), text.find("start container shop-web-1"));
}

TEST(PlanText, ShowsHostileNamesHarmless) {
  auto unit = shop();
  unit.members[0].container.name = "evil\x1b[2J\nstop container other";
  unit.sources[0].name = "\x1b]0;x";
  EXPECT_EQ(plan_text(plan_of(unit)).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace kopidocka
