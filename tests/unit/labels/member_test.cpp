#include <gtest/gtest.h>

#include "label_builder.hpp"
#include "labels/policy.hpp"

namespace kopidocka {
namespace {

/// The labels of one enabled container with a hook called "dump".
ParsedPolicies parse_hook(const Labels& parts) {
  Labels labels = {{"kopi-docka.enable", "true"}};
  for (const auto& [part, value] : parts) labels["kopi-docka.hook.dump." + part] = value;
  return parse_one(labels);
}

HookSpec only_hook(const ParsedPolicies& parsed) {
  EXPECT_TRUE(errors(parsed.problems).empty()) << shown(parsed.problems);
  EXPECT_EQ(parsed.members.at(0).hooks.size(), 1u);
  return parsed.members.at(0).hooks.empty() ? HookSpec{} : parsed.members[0].hooks[0];
}

std::string only_error(const Labels& parts) {
  const auto parsed = parse_hook(parts);
  const auto found = errors(parsed.problems);
  EXPECT_EQ(found.size(), 1u) << shown(found);
  EXPECT_TRUE(parsed.members.at(0).hooks.empty());
  return shown(found);
}

}  // namespace

TEST(MemberLabels, ActOnTheirOwnContainer) {
  const auto parsed = parse_labels(
      {{"db", {{"kopi-docka.enable", "true"}}}, {"web", {{"kopi-docka.stop-timeout", "90s"}, {"kopi-docka.depends-on", "db, cache"}}}}, {});
  EXPECT_TRUE(parsed.problems.empty()) << shown(parsed.problems);
  EXPECT_TRUE(parsed.members[0].depends_on.empty());
  EXPECT_EQ(parsed.members[1].depends_on, (std::vector<std::string>{"db", "cache"}));
  EXPECT_EQ(parsed.members[1].stop_timeout, Milliseconds(90'000));
}

TEST(Hooks, HaveTheDefaultsOfTheContract) {
  const auto hook = only_hook(parse_hook({{"when", "pre-stop"}, {"exec", "redis-cli save"}}));
  EXPECT_EQ(hook.name, "dump");
  EXPECT_EQ(hook.exec, (std::vector<std::string>{"redis-cli", "save"}));
  EXPECT_EQ(hook.timeout, Milliseconds(300'000));
  EXPECT_EQ(hook.debounce, Milliseconds(0));
  EXPECT_EQ(hook.rate_per_hour, 12);
  EXPECT_EQ(hook.on_error, OnError::abort_run);
}

TEST(Hooks, AfterTheFactDoNotAbort) {
  EXPECT_EQ(only_hook(parse_hook({{"when", "post-start"}, {"exec", "true"}})).on_error, OnError::continue_run);
  EXPECT_EQ(only_hook(parse_hook({{"when", "post-start"}, {"exec", "true"}, {"on-error", "abort"}})).on_error, OnError::abort_run);
  EXPECT_EQ(only_hook(parse_hook({{"when", "post-start, pre-stop"}, {"exec", "true"}})).on_error, OnError::abort_run);
}

TEST(Hooks, WarnOnceThatTheyDoNotRunYet) {
  const auto parsed = parse_hook({{"when", "pre-stop"}, {"exec", "true"}, {"timeout", "10s"}, {"user", "app:app"}});
  ASSERT_EQ(parsed.problems.size(), 1u);
  EXPECT_EQ(parsed.problems[0].severity, Problem::Severity::warning);
  EXPECT_EQ(parsed.problems[0].where, "container web, label kopi-docka.hook.dump");
}

TEST(Hooks, APresetKnowsItsMoment) {
  const auto hook = only_hook(parse_hook({{"preset", "postgres"}}));
  EXPECT_EQ(hook.when, std::vector<std::string>{"pre-backup"});
  EXPECT_EQ(hook.preset, "postgres");
}

TEST(Hooks, DoExactlyOneThing) {
  EXPECT_NE(only_error({{"when", "pre-stop"}}).find("exactly one of .exec, .script and .preset"), std::string::npos);
  EXPECT_NE(only_error({{"when", "pre-stop"}, {"exec", "a"}, {"script", "b"}}).find("exactly one of"), std::string::npos);
  EXPECT_NE(only_error({{"exec", "a"}}).find("expected .when"), std::string::npos);
}

TEST(Hooks, TakeOnlyWhatFitsTheirAction) {
  EXPECT_NE(only_error({{"when", "pre-stop"}, {"script", "a"}, {"user", "root"}}).find(".user"), std::string::npos);
  EXPECT_NE(only_error({{"preset", "redis"}, {"undo", "b"}}).find(".undo"), std::string::npos);
  EXPECT_NE(only_error({{"preset", "redis"}, {"env", "A=b"}}).find(".env"), std::string::npos);
}

TEST(Hooks, AScriptIsANameNeverAPath) {
  EXPECT_EQ(only_hook(parse_hook({{"when", "pre-stop"}, {"script", "say-it_2.sh"}})).script, "say-it_2.sh");
  for (const auto* path : {"/bin/sh", "../x", "a/b", ".hidden", "-x", "a b", ".."}) {
    EXPECT_NE(only_error({{"when", "pre-stop"}, {"script", path}}).find("never a path"), std::string::npos) << path;
  }
}

TEST(Hooks, RunAtEventsByName) {
  const auto hook = only_hook(parse_hook({{"when", "event:health_status=unhealthy, event:die"}, {"exec", "true"}}));
  EXPECT_EQ(hook.when, (std::vector<std::string>{"event:health_status=unhealthy", "event:die"}));
  EXPECT_NE(only_error({{"when", "event:dye"}, {"exec", "true"}}).find("did you mean 'event:die'?"), std::string::npos);
  for (const auto* moment : {"event:", "event:die=", "event:die=$(id)", "pre-stop=1", "never"}) {
    EXPECT_FALSE(only_error({{"when", moment}, {"exec", "true"}}).empty()) << moment;
  }
}

TEST(Hooks, NamesAndFieldsAreChecked) {
  EXPECT_EQ(errors(parse_one({{"kopi-docka.hook.Dump.exec", "a"}}).problems).size(), 1u);
  EXPECT_EQ(errors(parse_one({{"kopi-docka.hook.-x.exec", "a"}}).problems).size(), 1u);
  EXPECT_EQ(errors(parse_one({{"kopi-docka.hook..exec", "a"}}).problems).size(), 1u);
  EXPECT_EQ(errors(parse_one({{"kopi-docka.hook.<name>.exec", "a"}}).problems).size(), 1u);
  EXPECT_EQ(errors(parse_one({{"kopi-docka.hook.dump", "a"}}).problems).size(), 1u);
  const auto parsed = parse_one({{"kopi-docka.hook.dump.wen", "pre-stop"}});
  EXPECT_NE(shown(parsed.problems).find("did you mean kopi-docka.hook.dump.when?"), std::string::npos);
}

TEST(Hooks, SecretsInCommandsAndEnvironmentsNeverReachAMessage) {
  for (const auto* part : {"exec", "env", "undo"}) {
    Labels parts = {{"when", "pre-stop"}, {"exec", "true"}};
    parts[part] = "say 'CANARY";
    EXPECT_EQ(shown(parse_hook(parts).problems).find("CANARY"), std::string::npos) << part;
  }
  EXPECT_EQ(only_error({{"when", "pre-stop"}, {"exec", "true"}, {"env", "CANARY"}}).find("CANARY"), std::string::npos);
}

TEST(Hooks, OnTwoContainersAreTwoHooks) {
  const Labels labels = {{"kopi-docka.enable", "true"}, {"kopi-docka.hook.a.when", "pre-stop"}, {"kopi-docka.hook.a.exec", "x"}};
  auto other = labels;
  other["kopi-docka.hook.a.exec"] = "y";
  const auto parsed = parse_labels({{"db", labels}, {"web", other}}, {});
  EXPECT_TRUE(errors(parsed.problems).empty()) << shown(parsed.problems);
  EXPECT_EQ(parsed.members[0].hooks.at(0).exec, std::vector<std::string>{"x"});
  EXPECT_EQ(parsed.members[1].hooks.at(0).exec, std::vector<std::string>{"y"});
}

}  // namespace kopidocka
