#include "plan/hold_steps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "plan/backup_plan.hpp"
#include "unit/plan/steps.hpp"
#include "unit/unit/stack.hpp"

namespace kopidocka {
namespace {

using namespace kopidocka::testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// web needs app, app needs the database; each has a volume but app.
struct Stack : Host {
  Stack() {
    inventory.volumes = {volume("shop_db"), volume("shop_web")};
    add(service("shop", "app", "db:service_started:false"));
    add(service("shop", "db")).mounts = {volume_mount("shop_db")};
    add(service("shop", "web", "app:service_healthy:false")).mounts = {volume_mount("shop_web")};
  }
  Container& app() { return inventory.containers[0]; }
  Container& db() { return inventory.containers[1]; }
  void label(const std::string& name, const std::string& value) { db().labels["kopi-docka." + name] = value; }

  Plan plan() const {
    auto made = make_backup_plan(unit("shop"), {.run = "r", .trigger = "request", .staging_folder = "/cache"});
    EXPECT_TRUE(made) << (made ? std::string() : made.error().text());
    return made ? std::move(*made) : Plan{};
  }
};

template <class Kind>
std::map<std::string, StepId> by_service(const Plan& plan) {
  std::map<std::string, StepId> found;
  for (const auto id : steps_of<Kind>(plan)) found[action_of<Kind>(plan, id).member.service] = id;
  return found;
}

TEST(HoldSteps, AMemberThatStaysUpIsNeitherStoppedNorStartedNorWaitedForByItsDependents) {
  Stack stack;
  stack.app().labels["kopi-docka.stop"] = "false";
  const auto plan = stack.plan();
  EXPECT_EQ(steps_of<StopMember>(plan).size(), 2u);
  EXPECT_EQ(by_service<StartMember>(plan).count("app"), 0u);
  EXPECT_EQ(by_service<AwaitHealth>(plan).count("app"), 0u);
  EXPECT_THAT(action_of<StartMember>(plan, by_service<StartMember>(plan).at("web")).healthy_first, IsEmpty());
  EXPECT_THAT(plan_text(plan), HasSubstr("leave container shop-app-1 up"));
}

TEST(HoldSteps, AMemberThatStaysUpPassesOnTheOrderOfThoseAroundIt) {
  Stack stack;
  stack.app().labels["kopi-docka.stop"] = "false";
  const auto plan = stack.plan();
  EXPECT_TRUE(comes_after(plan, by_service<StopMember>(plan).at("db"), by_service<StopMember>(plan).at("web")));
  EXPECT_TRUE(comes_after(plan, by_service<StartMember>(plan).at("web"), by_service<StartMember>(plan).at("db")));
}

TEST(HoldSteps, APausedMemberThatStaysUpIsNoReasonToRefuse) {
  Stack stack;
  stack.app().labels["kopi-docka.stop"] = "false";
  stack.app().state.status = "paused";
  EXPECT_EQ(steps_of<StopMember>(stack.plan()).size(), 2u);
}

TEST(HoldSteps, WithPauseContainersAreFrozenInTheSameOrderAndNobodyWaitsForHealthInTheHold) {
  Stack stack;
  stack.label("consistency", "pause");
  const auto plan = stack.plan();
  const auto stops = by_service<StopMember>(plan), starts = by_service<StartMember>(plan);
  ASSERT_EQ(stops.size(), 3u);
  for (const auto& [name, id] : stops) {
    EXPECT_TRUE(action_of<StopMember>(plan, id).member.by_pause);
    EXPECT_EQ(action_of<StopMember>(plan, id).member.grace, 0);
  }
  EXPECT_TRUE(comes_after(plan, stops.at("app"), stops.at("web")));
  EXPECT_TRUE(comes_after(plan, stops.at("db"), stops.at("app")));
  EXPECT_TRUE(comes_after(plan, starts.at("web"), starts.at("app")));
  EXPECT_THAT(action_of<StartMember>(plan, starts.at("web")).healthy_first, IsEmpty());
  EXPECT_EQ(steps_of<CheckTaint>(plan).size(), 1u);
}

TEST(HoldSteps, TheTextOfAPlanNamesAPauseAndAHotCopy) {
  Stack stack;
  stack.label("consistency", "pause");
  EXPECT_THAT(plan_text(stack.plan()), HasSubstr("hold (containers are paused: consistency pause, not a cold copy)\n  pause container shop-web-1"));
  EXPECT_THAT(plan_text(stack.plan()), HasSubstr("unpause container shop-db-1"));
  EXPECT_EQ(plan_json(stack.plan())["consistency"], "pause");
  stack.label("consistency", "none");
  EXPECT_THAT(plan_text(stack.plan()), HasSubstr("then (nothing is stopped: consistency none, a hot copy)"));
  EXPECT_EQ(plan_json(stack.plan())["consistency"], "none");
  stack.label("consistency", "stop");
  EXPECT_EQ(plan_json(stack.plan())["consistency"], "stop");
}

TEST(HoldSteps, WithNoneNobodyIsHeldAndNobodyIsAccusedOfWriting) {
  Stack stack;
  stack.label("consistency", "none");
  stack.app().state.status = "paused";
  const auto plan = stack.plan();
  EXPECT_THAT(steps_of<StopMember>(plan), IsEmpty());
  EXPECT_THAT(steps_of<StartMember>(plan), IsEmpty());
  EXPECT_THAT(steps_of<CheckTaint>(plan), IsEmpty());
  EXPECT_EQ(steps_of<ReadSource>(plan).size(), 2u);
}

TEST(HoldSteps, WhatWasPausedBeforeOrIsInACrashLoopIsNotPaused) {
  for (const auto* status : {"paused", "restarting"}) {
    Stack stack;
    stack.label("consistency", "pause");
    stack.app().state.status = status;
    const auto plan = make_backup_plan(stack.unit("shop"), {.run = "r", .trigger = {}, .staging_folder = {}});
    ASSERT_FALSE(plan) << status;
    EXPECT_THAT(plan.error().text(), HasSubstr("container shop-app-1 is " + std::string(status)));
  }
}

TEST(HoldSteps, EverySnapshotOfDataSaysHowItWasHeld) {
  for (const auto* word : {"stop", "pause", "none"}) {
    Stack stack;
    stack.label("consistency", word);
    const auto plan = stack.plan();
    for (const auto id : steps_of<ReadSource>(plan)) EXPECT_EQ(action_of<ReadSource>(plan, id).request.tags.at("kd_consistency"), word);
  }
}

TEST(HoldSteps, AMemberWaitsForNoHealthButThatOfItsOwnProviders) {
  Stack stack;
  stack.add(service("shop", "cache")).has_healthcheck = true;
  const auto plan = stack.plan();
  const auto starts = by_service<StartMember>(plan);
  EXPECT_THAT(action_of<StartMember>(plan, starts.at("web")).healthy_first, ElementsAre(id_of("shop-app-1")));
  EXPECT_THAT(action_of<StartMember>(plan, starts.at("app")).healthy_first, IsEmpty()) << "service_started";
  EXPECT_FALSE(comes_after(plan, starts.at("web"), starts.at("cache")));
  for (const auto id : steps_of<AwaitHealth>(plan)) EXPECT_EQ(plan.steps[id].phase, Phase::settle);
}

TEST(HoldSteps, ACircleOfDependenciesStillGivesEveryMemberOneStopAndOneStart) {
  Stack stack;
  stack.label("depends-on", "web");
  const auto plan = stack.plan();
  EXPECT_EQ(by_service<StopMember>(plan).size(), 3u);
  EXPECT_EQ(by_service<StartMember>(plan).size(), 3u);
  for (StepId id = 0; id < plan.steps.size(); ++id) {
    for (const auto before : plan.steps[id].after) ASSERT_LT(before, id);
  }
}

TEST(HoldSteps, AWriterOfAnotherUnitIsStoppedBeforeItsSourceIsReadAndStartedAfterwards) {
  Stack stack;
  stack.add(service("feed", "importer")).mounts = {volume_mount("shop_db")};
  const auto plan = stack.plan();
  const auto stop = by_service<StopMember>(plan).at("importer"), start = by_service<StartMember>(plan).at("importer");
  EXPECT_TRUE(action_of<StopMember>(plan, stop).foreign);
  EXPECT_TRUE(action_of<StartMember>(plan, start).foreign);
  EXPECT_FALSE(action_of<StopMember>(plan, by_service<StopMember>(plan).at("db")).foreign);
  for (const auto id : steps_of<ReadSource>(plan)) {
    const bool its = action_of<ReadSource>(plan, id).name == "shop_db";
    EXPECT_EQ(comes_after(plan, id, stop), its);
    EXPECT_EQ(comes_after(plan, start, id), its);
  }
  EXPECT_THAT(plan_text(plan), HasSubstr("stop container feed-importer-1 of another unit (killed after 30s)"));
  EXPECT_EQ(steps_of<AwaitHealth>(plan).size(), 4u);
}

TEST(MaxDowntime, IsInThePlanItsTextAndItsJson) {
  Stack stack;
  EXPECT_FALSE(stack.plan().max_downtime);
  EXPECT_FALSE(plan_json(stack.plan()).contains("max_downtime_seconds"));
  stack.label("max-downtime", "15m");
  const auto plan = stack.plan();
  EXPECT_EQ(plan.max_downtime, Milliseconds(900'000));
  EXPECT_EQ(plan_json(plan)["max_downtime_seconds"], 900.0);
  EXPECT_THAT(plan_text(plan), HasSubstr("at most 15m from the first stop: then everything is started and the run has failed"));
  EXPECT_THAT(plan_text(plan), Not(HasSubstr("warning")));
}

TEST(MaxDowntime, ThatAStopAloneMayUseUpIsAWarningInThePlan) {
  Stack stack;
  stack.label("max-downtime", "20s");
  stack.db().stop_timeout = 5;
  const auto text = plan_text(stack.plan());
  EXPECT_THAT(text, HasSubstr("warning: container shop-web-1 alone may take 30s to stop"));
  EXPECT_THAT(text, Not(HasSubstr("container shop-db-1 alone")));
}

}  // namespace
}  // namespace kopidocka
