#include <gtest/gtest.h>

#include <random>

#include "label_builder.hpp"
#include "labels/policy.hpp"

namespace kopidocka {
namespace {

/// Label sets from known and broken names and values, the same for every run.
class RandomLabels {
 public:
  explicit RandomLabels(unsigned seed) : numbers_(seed) {
    for (const auto& spec : label_contract().labels()) {
      if (spec.level == LabelLevel::internal) continue;
      names_.push_back(full_name(spec));
      values_.push_back(spec.example);
      if (spec.default_value) values_.push_back(*spec.default_value);
    }
  }

  size_t below(size_t limit) { return numbers_() % limit; }

  std::string bytes(size_t limit) {
    static constexpr std::string_view kLoaded = "[]{}\"'\\,;:$`|*?.-=/ \n";
    std::string text;
    for (size_t left = below(limit); left > 0; --left) {
      text += below(3) == 0 ? static_cast<char>(below(256)) : kLoaded[below(kLoaded.size())];
    }
    return text;
  }

  /// One byte replaced, removed or doubled.
  std::string damaged(std::string text) {
    if (text.empty()) return text;
    const auto at = below(text.size());
    switch (below(3)) {
      case 0: text[at] = static_cast<char>(below(256)); break;
      case 1: text.erase(at, 1); break;
      default: text.insert(at, 1, text[at]);
    }
    return text;
  }

  std::string name() {
    const auto& known = names_[below(names_.size())];
    const auto kind = below(10);
    return kind < 7 ? known : kind < 9 ? damaged(known) : "kopi-docka." + bytes(30);
  }

  std::string value() {
    const auto& known = values_[below(values_.size())];
    const auto kind = below(6);
    return kind < 3 ? known : kind < 5 ? damaged(known) : bytes(60);
  }

  Labels labels() {
    Labels labels;
    for (size_t left = below(6); left > 0; --left) labels[name()] = value();
    return labels;
  }

  bool known(const std::string& name) const { return std::find(names_.begin(), names_.end(), name) != names_.end(); }

 private:
  std::mt19937 numbers_;
  std::vector<std::string> names_, values_;
};

}  // namespace

TEST(RandomLabels, NeverCrashAndNeverGiveAValidUnitWithUnknownLabels) {
  RandomLabels random(20261122);
  int valid = 0, unknown_refused = 0;
  for (int round = 0; round < 1500; ++round) {
    std::vector<LabelSet> stack;
    for (size_t left = 1 + random.below(3); left > 0; --left) stack.push_back({"c" + std::to_string(left), random.labels()});
    stack[0].labels.emplace("kopi-docka.schedule", "@daily");
    const auto parsed = parse_labels(stack, {});
    ASSERT_EQ(parsed.members.size(), stack.size());
    const bool is_valid = errors(parsed.problems).empty();
    bool unknown = false;
    for (const auto& set : stack) {
      for (const auto& [name, value] : set.labels) {
        const bool plain_hook = name.starts_with("kopi-docka.hook.") && is_valid;  // a damaged hook name may be a good one
        unknown = unknown || (name.starts_with("kopi-docka.") && !random.known(name) && !plain_hook);
      }
    }
    ASSERT_FALSE(unknown && is_valid && parsed.unit.enabled) << round;
    valid += is_valid;
    unknown_refused += unknown;
  }
  EXPECT_GT(valid, 50);
  EXPECT_GT(unknown_refused, 500);
}

TEST(RandomLabels, DamagedExamplesNeverCrashAnyType) {
  RandomLabels random(7);
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    for (const auto& spec : label_contract().labels()) {
      if (spec.level == LabelLevel::volume || spec.level == LabelLevel::internal) continue;
      auto text = spec.example;
      for (size_t left = 1 + random.below(3); left > 0; --left) text = random.damaged(text);
      refused += !errors(parse_one(with_company(spec, text)).problems).empty();
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace kopidocka
