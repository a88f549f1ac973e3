#include "labels/policy.hpp"

#include <algorithm>
#include <array>

#include "base/text.hpp"
#include "labels/contract.hpp"
#include "labels/label_value.hpp"
#include "labels/member_labels.hpp"
#include "labels/sorted_labels.hpp"
#include "labels/unit_labels.hpp"

namespace kopidocka {
namespace {

constexpr std::array kScopes = {Scope::minimal, Scope::standard, Scope::full};

/// Labels that do nothing because none of them asks for a backup must not go unnoticed.
void tell_about_idle_labels(const std::vector<SortedLabels>& containers, const UnitPolicy& unit, const std::string& prefix,
                            std::vector<Problem>& problems) {
  if (unit.enabled) return;
  const KnownLabel* first = nullptr;
  for (const auto& container : containers) {
    for (const auto& label : container.unit) {
      if (label.spec->name == "enable" || label.spec->name == "instance") return;
      if (first == nullptr) first = &label;
    }
    if (first == nullptr && !container.member.empty()) first = &container.member.front();
    if (first == nullptr && !container.hooks.empty()) first = &container.hooks.begin()->second.front();
  }
  if (first == nullptr) return;
  add_warning(problems, first->where(),
              "the stack is not backed up, as it has neither " + prefix + "schedule nor " + prefix + "enable");
}

}  // namespace

std::string_view to_string(Scope scope) {
  switch (scope) {
    case Scope::minimal: return "minimal";
    case Scope::standard: return "standard";
    case Scope::full: return "full";
  }
  return "standard";
}

std::string_view to_string(Consistency consistency) {
  switch (consistency) {
    case Consistency::stop: return "stop";
    case Consistency::pause: return "pause";
    case Consistency::none: return "none";
  }
  return "stop";
}

std::optional<Scope> scope_from(std::string_view text) {
  const auto found = std::find_if(kScopes.begin(), kScopes.end(), [&](Scope scope) { return to_string(scope) == text; });
  return found == kScopes.end() ? std::nullopt : std::optional(*found);
}

ParsedPolicies parse_labels(const std::vector<LabelSet>& containers, const PolicyDefaults& defaults) {
  ParsedPolicies parsed;
  std::vector<SortedLabels> sorted;
  for (const auto& container : containers) sorted.push_back(sort_labels(container, defaults.prefix, parsed.problems));
  parsed.unit = read_unit_policy(sorted, defaults, parsed.problems);
  for (const auto& labels : sorted) parsed.members.push_back(read_member_policy(labels, defaults.prefix, parsed.problems));
  tell_about_idle_labels(sorted, parsed.unit, defaults.prefix, parsed.problems);
  return parsed;
}

bool volume_excluded(const std::map<std::string, std::string>& volume_labels, const PolicyDefaults& defaults) {
  const auto enable = volume_labels.find(defaults.prefix + "enable");
  return enable != volume_labels.end() && lower(trim(enable->second)) == "false";
}

std::vector<Problem> check_volume_labels(const std::string& volume, const std::map<std::string, std::string>& volume_labels,
                                         const PolicyDefaults& defaults) {
  std::vector<Problem> problems;
  for (const auto& [full_name, value] : volume_labels) {
    if (!begins_with_prefix(full_name, defaults.prefix)) continue;
    const auto where = label_place("volume", volume, full_name);
    if (!full_name.starts_with(defaults.prefix)) {
      add_error(problems, where, "no such label; the prefix is written " + defaults.prefix);
      continue;
    }
    const auto* spec = label_contract().find(full_name.substr(defaults.prefix.size()), LabelLevel::volume);
    if (spec == nullptr) {
      add_error(problems, where, "no such label on a volume; only " + defaults.prefix + "enable is known there");
    } else if (const auto fault = text_fault(trim(value)); !fault.empty()) {
      add_error(problems, where, fault + "; expected " + expected_value(*spec));
    } else if (const auto parsed = parse_label_value(*spec, trim(value), "UTC"); !parsed) {
      add_error(problems, where, parsed.error().message());
    }
  }
  return problems;
}

}  // namespace kopidocka
