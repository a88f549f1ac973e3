#include <cstdlib>
#include <gtest/gtest.h>
#include <regex>
#include <set>
#include <string>

#include "base/file.hpp"
#include "metrics/families.hpp"

namespace kopidocka {
namespace {

const std::string kFolder = std::string(SOURCE_DIR) + "/compose/monitoring/";

bool promtool_is_here() { return std::system("command -v promtool >/dev/null 2>&1") == 0; }

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  std::set<std::string> found;
  const std::regex expression(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it)
    found.insert((*it)[1]);
  return found;
}

std::set<std::string> declared_names() {
  std::set<std::string> names;
  for (const auto& row : family_table()) {
    const std::string name(row.name);
    names.insert(name);
    if (row.type == FamilyType::histogram) names.insert({name + "_bucket", name + "_sum", name + "_count"});
  }
  return names;
}

}  // namespace

TEST(AlertRules, UseOnlyDeclaredMetrics) {
  const auto rules = read_file(kFolder + "rules.yaml");
  ASSERT_TRUE(rules) << rules.error().what();
  const auto used = matches(*rules, "\\b(kopidocka_[a-z_]+)");
  const auto declared = declared_names();
  EXPECT_GE(used.size(), 10u);
  for (const auto& name : used)
    EXPECT_TRUE(declared.count(name)) << name << " is used in a rule and exists nowhere";
}

TEST(AlertRules, EachHasAFiringAndASilentCase) {
  const auto rules = read_file(kFolder + "rules.yaml"), cases = read_file(kFolder + "rules_test.yaml");
  ASSERT_TRUE(rules && cases);
  const auto alerts = matches(*rules, "- alert: (\\w+)");
  EXPECT_GE(alerts.size(), 5u);
  const auto firing = matches(*cases, "alertname: (\\w+)\n        exp_alerts:\n");
  const auto silent = matches(*cases, "alertname: (\\w+)\n        exp_alerts: \\[\\]");
  EXPECT_EQ(firing, alerts);
  EXPECT_EQ(silent, alerts);
}

TEST(AlertRules, PromtoolRunsEveryCaseWell) {
  if (!promtool_is_here()) GTEST_SKIP() << "promtool is not installed (Debian package prometheus)";
  EXPECT_EQ(std::system(("cd " + kFolder + " && promtool test rules rules_test.yaml").c_str()), 0);
}

TEST(AlertRules, PromtoolAcceptsTheConfiguration) {
  if (!promtool_is_here()) GTEST_SKIP() << "promtool is not installed (Debian package prometheus)";
  EXPECT_EQ(std::system(("cd " + kFolder + " && promtool check config prometheus.yaml").c_str()), 0);
}

}  // namespace kopidocka
