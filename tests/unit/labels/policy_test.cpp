#include "labels/policy.hpp"

#include <gtest/gtest.h>

#include "label_builder.hpp"

namespace kopidocka {
namespace {

bool mentions(const std::vector<Problem>& problems, const std::string& text) {
  return shown(problems).find(text) != std::string::npos;
}

}  // namespace

TEST(UnitLabels, OneScheduleIsEnough) {
  const auto parsed = parse_one({{"kopi-docka.schedule", "0 3 * * *"}});
  EXPECT_TRUE(parsed.problems.empty()) << shown(parsed.problems);
  EXPECT_TRUE(parsed.unit.enabled);
  ASSERT_TRUE(parsed.unit.schedule);
  EXPECT_EQ(parsed.unit.schedule->text(), "0 3 * * *");
  EXPECT_EQ(parsed.unit.schedule->zone(), "UTC");
  ASSERT_EQ(parsed.members.size(), 1u);
  EXPECT_TRUE(parsed.members[0].stop);
}

TEST(UnitLabels, NoLabelsMeanNoBackupUnlessAllAreWatched) {
  EXPECT_FALSE(parse_one({{"com.docker.compose.project", "shop"}}).unit.enabled);
  PolicyDefaults all;
  all.watch_all = true;
  EXPECT_TRUE(parse_one({}, all).unit.enabled);
  EXPECT_TRUE(parse_one({}, all).problems.empty());
}

TEST(UnitLabels, EnableFalseWinsOverEverything) {
  PolicyDefaults all;
  all.watch_all = true;
  all.schedule = "@daily";
  const auto parsed = parse_one({{"kopi-docka.enable", "false"}, {"kopi-docka.schedule", "@hourly"}}, all);
  EXPECT_FALSE(parsed.unit.enabled);
  EXPECT_FALSE(parsed.unit.schedule);
  EXPECT_TRUE(parsed.problems.empty()) << shown(parsed.problems);
}

TEST(UnitLabels, EnableAloneTakesTheScheduleAndZoneOfTheSettings) {
  PolicyDefaults defaults;
  defaults.schedule = "30 2 * * *";
  defaults.timezone = "Europe/Berlin";
  const auto parsed = parse_one({{"kopi-docka.enable", "True"}}, defaults);
  ASSERT_TRUE(parsed.unit.schedule);
  EXPECT_EQ(parsed.unit.schedule->text(), "30 2 * * *");
  EXPECT_EQ(parsed.unit.schedule->zone(), "Europe/Berlin");
  EXPECT_FALSE(parse_one({}, defaults).unit.schedule) << "the setting is for enabled stacks only";
}

TEST(UnitLabels, EnableWithoutAnyScheduleIsBackedUpOnRequestOnly) {
  const auto parsed = parse_one({{"kopi-docka.enable", "true"}});
  EXPECT_TRUE(parsed.unit.enabled);
  EXPECT_FALSE(parsed.unit.schedule);
  EXPECT_TRUE(parsed.problems.empty());
}

TEST(UnitLabels, AWrongEnableIsSeenInsteadOfOverlooked) {
  const auto parsed = parse_one({{"kopi-docka.enable", "yes"}});
  EXPECT_TRUE(parsed.unit.enabled);
  EXPECT_EQ(errors(parsed.problems).size(), 1u);
}

TEST(UnitLabels, ATriggerEnablesAndWarnsUntilItWorks) {
  const auto parsed = parse_one({{"kopi-docka.trigger", "stop, update"}});
  EXPECT_TRUE(parsed.unit.enabled);
  EXPECT_EQ(parsed.unit.triggers, (std::vector<std::string>{"stop", "update"}));
  EXPECT_TRUE(errors(parsed.problems).empty());
  EXPECT_TRUE(mentions(parsed.problems, "kopi-docka.trigger: has no effect in this version yet"));
}

TEST(UnitLabels, MayStandOnAnyContainerOfTheStack) {
  const auto parsed = parse_labels({{"db", {{"kopi-docka.schedule", "@daily"}}},
                                    {"web", {{"kopi-docka.scope", "full"}, {"kopi-docka.stop-timeout", "2m"}}},
                                    {"cache", {{"kopi-docka.schedule", "@daily"}}}},
                                   {});
  EXPECT_TRUE(parsed.problems.empty()) << shown(parsed.problems);
  EXPECT_EQ(parsed.unit.scope, Scope::full);
  ASSERT_EQ(parsed.members.size(), 3u);
  EXPECT_FALSE(parsed.members[0].stop_timeout);
  EXPECT_EQ(parsed.members[1].stop_timeout, Milliseconds(120'000));
}

TEST(UnitLabels, TwoValuesAreAnErrorThatNamesBothContainers) {
  const auto parsed =
      parse_labels({{"db", {{"kopi-docka.schedule", "@daily"}}}, {"web", {{"kopi-docka.schedule", "@hourly"}}}}, {});
  ASSERT_EQ(parsed.problems.size(), 1u) << shown(parsed.problems);
  EXPECT_EQ(parsed.problems[0].where, "container web, label kopi-docka.schedule");
  EXPECT_TRUE(mentions(parsed.problems, "'@hourly'"));
  EXPECT_TRUE(mentions(parsed.problems, "container db says '@daily'"));
}

TEST(UnitLabels, AnUnknownLabelIsAnErrorWithTheNearestName) {
  const auto parsed = parse_one({{"kopi-docka.shedule", "@daily"}, {"kopi-docka.xyzzy-plugh", "1"}, {"kopi-docka.", "1"}});
  EXPECT_EQ(errors(parsed.problems).size(), 3u);
  EXPECT_TRUE(mentions(parsed.problems, "label kopi-docka.shedule: no such label; did you mean kopi-docka.schedule?"));
  EXPECT_TRUE(mentions(parsed.problems, "'kopi-docka labels' lists all"));
  EXPECT_FALSE(parsed.unit.enabled);
}

TEST(UnitLabels, APrefixInOtherLettersIsAnErrorNotSilence) {
  EXPECT_TRUE(mentions(parse_one({{"Kopi-Docka.Schedule", "@daily"}}).problems, "the prefix is written kopi-docka."));
}

TEST(UnitLabels, OtherPrefixesAreNotOurs) {
  PolicyDefaults acme;
  acme.prefix = "acme.backup.";
  const Labels labels = {{"kopi-docka.nonsense", "1"}, {"acme.backup.schedule", "@daily"}, {"acme.backu", "x"}, {"", "x"}};
  const auto parsed = parse_one(labels, acme);
  EXPECT_TRUE(parsed.problems.empty()) << shown(parsed.problems);
  EXPECT_TRUE(parsed.unit.enabled);
  EXPECT_FALSE(parse_one({{"kopi-docka.schedule", "@daily"}}, acme).unit.enabled);
}

TEST(UnitLabels, TheRoleOfTheImageIsKnownAndNoOther) {
  EXPECT_TRUE(parse_one({{"kopi-docka.role", "sidecar"}}).problems.empty());
  EXPECT_EQ(errors(parse_one({{"kopi-docka.role", "database"}}).problems).size(), 1u);
  EXPECT_EQ(errors(parse_one({{"kopi-docka.role", ""}}).problems).size(), 1u);
}

TEST(UnitLabels, OneValueSpelledInTwoWaysIsOneValue) {
  const auto both = [](const std::string& name, const std::string& one, const std::string& other) {
    return errors(parse_labels({{"db", {{"kopi-docka.enable", "true"}, {name, one}}}, {"web", {{name, other}}}}, {}).problems).size();
  };
  EXPECT_EQ(both("kopi-docka.start-timeout", "60s", "1m"), 0u);
  EXPECT_EQ(both("kopi-docka.exclude", "a,b", "a, b"), 0u);
  EXPECT_EQ(both("kopi-docka.catch-up", "True", "true"), 0u);
  EXPECT_EQ(both("kopi-docka.start-timeout", "60s", "61s"), 1u);
  EXPECT_EQ(both("kopi-docka.exclude", "a,b", "b,a"), 1u);
}

TEST(UnitLabels, NotifyAndPriorityWorkWithoutAWarning) {
  const auto parsed = parse_one({{"kopi-docka.enable", "true"}, {"kopi-docka.notify", "always"}, {"kopi-docka.priority", "5"}});
  EXPECT_TRUE(parsed.problems.empty()) << shown(parsed.problems);
  EXPECT_EQ(parsed.unit.notify, NotifyLevel::always);
}

TEST(UnitLabels, AStackThatNamesAnotherInstanceIsLeftAloneAloud) {
  PolicyDefaults here;
  here.instance = "site-a";
  const Labels mine = {{"kopi-docka.schedule", "@daily"}, {"kopi-docka.instance", "site-a"}};
  EXPECT_TRUE(parse_one(mine, here).unit.enabled);
  EXPECT_TRUE(parse_one(mine, here).problems.empty());
  EXPECT_TRUE(parse_one({{"kopi-docka.schedule", "@daily"}}, here).unit.enabled) << "without the label any sidecar takes it";
  auto other = here;
  other.instance = "offsite";
  for (const auto& defaults : {other, PolicyDefaults()}) {
    const auto parsed = parse_one(mine, defaults);
    EXPECT_FALSE(parsed.unit.enabled);
    EXPECT_FALSE(parsed.unit.schedule);
    EXPECT_TRUE(errors(parsed.problems).empty());
    EXPECT_EQ(parsed.problems.size(), 1u) << shown(parsed.problems);
    EXPECT_TRUE(mentions(parsed.problems, "the stack is left to the sidecar called 'site-a'"));
  }
}

TEST(UnitLabels, EveryProblemIsReportedNotJustTheFirst) {
  const auto parsed = parse_labels({{"db", {{"kopi-docka.schedule", "61 * * * *"}, {"kopi-docka.timezone", "Mars"}}},
                                    {"web", {{"kopi-docka.scope", "ful"}, {"kopi-docka.stop-timeout", "0s"}, {"kopi-docka.x", "1"}}}},
                                   {});
  EXPECT_EQ(errors(parsed.problems).size(), 5u) << shown(parsed.problems);
  EXPECT_TRUE(mentions(parsed.problems, "did you mean 'full'?"));
}

TEST(UnitLabels, ADateThatNeverComesIsRefused) {
  EXPECT_EQ(errors(parse_one({{"kopi-docka.schedule", "0 3 31 2 *"}}).problems).size(), 1u);
}

TEST(UnitLabels, LabelsThatAskForNoBackupAreTold) {
  const auto parsed = parse_one({{"kopi-docka.scope", "full"}});
  ASSERT_EQ(parsed.problems.size(), 1u);
  EXPECT_EQ(parsed.problems[0].severity, Problem::Severity::warning);
  EXPECT_TRUE(mentions(parsed.problems, "the stack is not backed up"));
}

TEST(UnitLabels, KeepingNothingIsRefused) {
  Labels labels = {{"kopi-docka.schedule", "@daily"}};
  for (const auto* rule : {"latest", "daily", "weekly", "monthly"}) labels["kopi-docka.retention." + std::string(rule)] = "0";
  EXPECT_TRUE(parse_one(labels).problems.empty()) << "three years are still kept";
  labels["kopi-docka.retention.annual"] = "0";
  EXPECT_EQ(errors(parse_one(labels).problems).size(), 1u);
}

TEST(UnitLabels, WhatIsNotYetSafeMakesTheUnitInvalidAndItsDefaultDoesNot) {
  Labels labels = {{"kopi-docka.schedule", "@daily"}, {"kopi-docka.repository", "default, offsite"}};
  EXPECT_EQ(errors(parse_one(labels).problems).size(), 1u);
  labels["kopi-docka.repository"] = "default";
  EXPECT_TRUE(parse_one(labels).problems.empty());
}

TEST(UnitLabels, SayHowTheHoldIsDone) {
  const auto parsed = parse_one({{"kopi-docka.schedule", "@daily"}, {"kopi-docka.consistency", "pause"}, {"kopi-docka.max-downtime", "5m"},
                                 {"kopi-docka.stop", "false"}});
  EXPECT_TRUE(parsed.problems.empty()) << shown(parsed.problems);
  EXPECT_EQ(parsed.unit.consistency, Consistency::pause);
  EXPECT_EQ(parsed.unit.max_downtime, Milliseconds(300'000));
  EXPECT_FALSE(parsed.members.front().stop);
  EXPECT_EQ(parse_one({{"kopi-docka.consistency", "none"}}).unit.consistency, Consistency::none);
}

TEST(UnitLabels, NoneStandsAlone) {
  EXPECT_EQ(parse_one({{"kopi-docka.enable", "true"}, {"kopi-docka.volumes", "none"}}).unit.volumes,
            std::vector<std::string>{"none"});
  EXPECT_EQ(errors(parse_one({{"kopi-docka.enable", "true"}, {"kopi-docka.volumes", "none, data"}}).problems).size(), 1u);
}

TEST(UnitLabels, TheValuesArriveInThePolicy) {
  const auto parsed = parse_one({{"kopi-docka.schedule", "@every 6h; 0 3 * * sun"},
                                 {"kopi-docka.timezone", "America/New_York"},
                                 {"kopi-docka.jitter", "90s"},
                                 {"kopi-docka.catch-up", "false"},
                                 {"kopi-docka.start-timeout", "2m"},
                                 {"kopi-docka.binds.exclude", "/srv/cache/*, /tmp/*"},
                                 {"kopi-docka.exclude", "*.tmp,/cache/"},
                                 {"kopi-docka.retention.daily", "30"},
                                 {"kopi-docka.compression", "none"},
                                 {"kopi-docka.priority", "-5"}});
  EXPECT_TRUE(parsed.problems.empty()) << shown(parsed.problems);
  EXPECT_EQ(parsed.unit.schedule->zone(), "America/New_York");
  EXPECT_EQ(parsed.unit.jitter, Milliseconds(90'000));
  EXPECT_FALSE(parsed.unit.catch_up);
  EXPECT_EQ(parsed.unit.start_timeout, Milliseconds(120'000));
  EXPECT_EQ(parsed.unit.binds_exclude, (std::vector<std::string>{"/srv/cache/*", "/tmp/*"}));
  EXPECT_EQ(parsed.unit.exclude, (std::vector<std::string>{"*.tmp", "/cache/"}));
  EXPECT_EQ(parsed.unit.retention.daily, 30);
  EXPECT_EQ(parsed.unit.compression, "none");
  EXPECT_EQ(parsed.unit.priority, -5);
}

TEST(UnitLabels, AWrongSettingIsToldWhereItIsUsed) {
  PolicyDefaults defaults;
  defaults.schedule = "every day";
  defaults.timezone = "Mars";
  EXPECT_TRUE(parse_one({}, defaults).problems.empty());
  const auto parsed = parse_one({{"kopi-docka.enable", "true"}}, defaults);
  EXPECT_TRUE(mentions(parsed.problems, "setting KOPI_DOCKA_SCHEDULE"));
  EXPECT_TRUE(mentions(parsed.problems, "setting TZ"));
}

TEST(UnitLabels, NamesOfAnyKindCannotForgeLinesOrFloodThem) {
  const auto parsed = parse_labels({{"web\nforged", {{"kopi-docka.a\x1b[31m", "1"}, {"kopi-docka." + std::string(5000, 'x'), "1"}}}}, {});
  EXPECT_EQ(errors(parsed.problems).size(), 2u);
  EXPECT_EQ(shown(parsed.problems).find('\x1b'), std::string::npos);
  EXPECT_EQ(shown(parsed.problems).find("web\n"), std::string::npos);
  EXPECT_LT(shown(parsed.problems).size(), 1000u);
}

TEST(VolumeLabels, OnlyFalseKeepsAVolumeOut) {
  EXPECT_TRUE(volume_excluded({{"kopi-docka.enable", "false"}}, {}));
  EXPECT_TRUE(volume_excluded({{"kopi-docka.enable", " False "}}, {}));
  EXPECT_FALSE(volume_excluded({{"kopi-docka.enable", "true"}}, {}));
  EXPECT_FALSE(volume_excluded({{"kopi-docka.enable", "no"}}, {}));
  EXPECT_FALSE(volume_excluded({{"other.enable", "false"}}, {}));
  EXPECT_FALSE(volume_excluded({}, {}));
}

TEST(VolumeLabels, AreCheckedLikeAllOthers) {
  EXPECT_TRUE(check_volume_labels("data", {{"kopi-docka.enable", "false"}, {"other", "x"}}, {}).empty());
  const auto problems = check_volume_labels("data", {{"kopi-docka.enable", "no"}, {"kopi-docka.schedule", "@daily"}}, {});
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].where, "volume data, label kopi-docka.enable");
  const auto other_case = check_volume_labels("data", {{"Kopi-Docka.enable", "false"}}, {});
  ASSERT_EQ(other_case.size(), 1u);
  EXPECT_NE(other_case[0].message.find("the prefix is written kopi-docka."), std::string::npos);
}

}  // namespace kopidocka
