#include "labels/contract.hpp"

#include <gtest/gtest.h>

#include <set>

#include "label_builder.hpp"
#include "labels/label_value.hpp"

namespace kopidocka {
namespace {

/// A text that no value of the type may be.
std::string wrong_value(const LabelSpec& spec) {
  switch (spec.type) {
    case LabelType::boolean: return "yes";
    case LabelType::schedule: return "0 25 * * *";
    case LabelType::zone: return "Europe/Atlantis";
    case LabelType::duration: return "5";
    case LabelType::integer: return "many";
    case LabelType::globs: return "data,,logs";
    case LabelType::patterns: return "-x";
    case LabelType::argv: return "say 'hello";
    case LabelType::environment: return "lonely";
    case LabelType::path: return "data/../etc";
    case LabelType::file_name: return "../../etc/passwd";
    case LabelType::user: return "a:b:c";
    case LabelType::choice:
    case LabelType::words:
    case LabelType::moments:
    case LabelType::name:
    case LabelType::names: return "$(reboot)";
  }
  return {};
}

bool on_containers(const LabelSpec& spec) {
  return spec.level != LabelLevel::volume && spec.level != LabelLevel::internal;
}

}  // namespace

TEST(Contract, DeclaresEveryFamilyOfLabels) {
  std::map<LabelLevel, int> count;
  for (const auto& spec : label_contract().labels()) ++count[spec.level];
  EXPECT_EQ(count[LabelLevel::unit], 31);
  EXPECT_EQ(count[LabelLevel::member], 3);
  EXPECT_EQ(count[LabelLevel::hook], 12);
  EXPECT_EQ(count[LabelLevel::volume], 1);
  EXPECT_NE(label_contract().find("role", LabelLevel::internal), nullptr);
}

TEST(Contract, EveryLabelExplainsItself) {
  for (const auto& spec : label_contract().labels()) {
    EXPECT_GT(spec.text.size(), 20u) << spec.name;
    EXPECT_TRUE(spec.text.ends_with('.')) << spec.name;
    EXPECT_FALSE(spec.example.empty()) << spec.name;
    EXPECT_EQ(spec.since, "0.1.0") << spec.name;
    EXPECT_TRUE(spec.default_value || !spec.default_text.empty()) << spec.name;
  }
}

TEST(Contract, EveryExampleDefaultAndWorkingValueIsAValue) {
  for (const auto& spec : label_contract().labels()) {
    auto texts = spec.works_now;
    texts.push_back(spec.example);
    if (spec.default_value) texts.push_back(*spec.default_value);
    for (const auto& text : texts) EXPECT_TRUE(parse_label_value(spec, text, "UTC")) << spec.name << " " << text;
  }
}

TEST(Contract, EveryExampleParsesWithoutAnErrorUnlessItsLabelMakesUnitsInvalidForNow) {
  for (const auto& spec : label_contract().labels()) {
    if (!on_containers(spec)) continue;
    PolicyDefaults here;
    here.instance = "offsite";
    const auto parsed = parse_one(with_company(spec, spec.example), here);
    const bool later = spec.status == LabelStatus::later;
    const bool holds = std::find(spec.works_now.begin(), spec.works_now.end(), spec.example) != spec.works_now.end();
    const bool invalid = later && spec.meanwhile == Meanwhile::invalid && !holds;
    EXPECT_EQ(!errors(parsed.problems).empty(), invalid) << spec.name << "\n" << shown(parsed.problems);
    EXPECT_EQ(parsed.problems.size(), later && !holds ? 1u : 0u) << spec.name << "\n" << shown(parsed.problems);
  }
}

TEST(Contract, EveryWrongValueNamesContainerLabelAndWhatWasExpected) {
  for (const auto& spec : label_contract().labels()) {
    if (!on_containers(spec)) continue;
    const auto found = errors(parse_one(with_company(spec, wrong_value(spec))).problems);
    ASSERT_EQ(found.size(), 1u) << spec.name << "\n" << shown(found);
    EXPECT_EQ(found[0].where, "container web, label " + full_name(spec));
    EXPECT_NE(found[0].message.find("expected " + expected_value(spec)), std::string::npos) << shown(found);
  }
}

TEST(Contract, EveryLabelRefusesHostileText) {
  const std::vector<std::string> hostile = {std::string("a\0b", 3), "a\nb", "a\x1b[31m", "a\xff", "\xc2\x9b", std::string(4097, 'a'),
                                            "", "   "};
  for (const auto& spec : label_contract().labels()) {
    if (!on_containers(spec)) continue;
    for (const auto& text : hostile) {
      const auto found = errors(parse_one(with_company(spec, text)).problems);
      ASSERT_FALSE(found.empty()) << spec.name;
      EXPECT_EQ(found[0].where, "container web, label " + full_name(spec));
      EXPECT_LT(shown(found).size(), 2000u) << spec.name;
    }
  }
}

TEST(Contract, ALongValueWithinTheLimitIsStillRead) {
  const Labels labels = {{"kopi-docka.schedule", "@daily"}, {"kopi-docka.exclude", std::string(4096, 'a')}};
  EXPECT_EQ(shown(parse_one(labels).problems), "");
}

TEST(Contract, DefaultsAreThoseOfThePolicy) {
  const auto parsed = parse_one({}).unit;
  const UnitPolicy bare;
  EXPECT_EQ(parsed.jitter, bare.jitter);
  EXPECT_EQ(parsed.catch_up, bare.catch_up);
  EXPECT_EQ(parsed.trigger_min_interval, bare.trigger_min_interval);
  EXPECT_EQ(parsed.scope, bare.scope);
  EXPECT_EQ(parsed.consistency, bare.consistency);
  EXPECT_EQ(parsed.warm, bare.warm);
  EXPECT_EQ(parsed.start_timeout, bare.start_timeout);
  EXPECT_EQ(parsed.repositories, bare.repositories);
  EXPECT_EQ(parsed.compression, bare.compression);
  EXPECT_EQ(parsed.notify, bare.notify);
  EXPECT_EQ(parsed.priority, bare.priority);
  EXPECT_EQ(parsed.retention.latest, bare.retention.latest);
  EXPECT_EQ(parsed.retention.hourly, bare.retention.hourly);
  EXPECT_EQ(parsed.retention.daily, bare.retention.daily);
  EXPECT_EQ(parsed.retention.weekly, bare.retention.weekly);
  EXPECT_EQ(parsed.retention.monthly, bare.retention.monthly);
  EXPECT_EQ(parsed.retention.annual, bare.retention.annual);
}

TEST(Contract, LabelsThatWouldChangeSafetyOrDowntimeAreInvalidUntilTheyWork) {
  std::set<std::string> invalid;
  for (const auto& spec : label_contract().labels()) {
    if (spec.status == LabelStatus::later && spec.meanwhile == Meanwhile::invalid) invalid.insert(spec.name);
  }
  EXPECT_EQ(invalid, (std::set<std::string>{"repository"}));
}

TEST(Contract, RefusesWordsItDoesNotKnow) {
  const auto with = [](const std::string& extra) {
    return R"({"version":1,"prefix":"p.","labels":[{"name":"a","level":"unit","type":"bool","default":null,"text":"t",)"
           R"("example":"true","since":"1","status":"works")" + extra + "}]}";
  };
  EXPECT_TRUE(LabelContract::parse(with("")));
  EXPECT_FALSE(LabelContract::parse(with(R"(,"colour":"red")")));
  EXPECT_FALSE(LabelContract::parse(with(R"(,"values":3)")));
  EXPECT_FALSE(LabelContract::parse("{"));
  EXPECT_FALSE(LabelContract::parse(R"({"version":2,"prefix":"p.","labels":[]})"));
}

}  // namespace kopidocka
