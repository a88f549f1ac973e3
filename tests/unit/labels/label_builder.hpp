#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "labels/contract.hpp"
#include "labels/policy.hpp"

namespace kopidocka {

using Labels = std::map<std::string, std::string>;

/// The policies of a stack of one container "web".
inline ParsedPolicies parse_one(const Labels& labels, const PolicyDefaults& defaults = {}) {
  return parse_labels({{"web", labels}}, defaults);
}

inline std::vector<Problem> errors(const std::vector<Problem>& problems) {
  std::vector<Problem> result;
  std::copy_if(problems.begin(), problems.end(), std::back_inserter(result),
               [](const Problem& problem) { return problem.severity == Problem::Severity::error; });
  return result;
}

inline std::string shown(const std::vector<Problem>& problems) {
  std::string text;
  for (const auto& problem : problems) text += problem.where + ": " + problem.message + "\n";
  return text;
}

/// The full name of a label of the contract, for a hook called "dump".
inline std::string full_name(const LabelSpec& spec, const std::string& prefix = "kopi-docka.") {
  auto name = spec.name;
  if (const auto at = name.find("<name>"); at != std::string::npos) name.replace(at, 6, "dump");
  return prefix + name;
}

/// The smallest set in which the label is complete: hooks need a moment and something to do.
inline Labels with_company(const LabelSpec& spec, const std::string& value, const std::string& prefix = "kopi-docka.") {
  Labels labels = {{prefix + "schedule", "0 3 * * *"}};
  if (spec.level == LabelLevel::hook) {
    const bool acts = spec.name.ends_with(".script") || spec.name.ends_with(".preset");
    labels[prefix + "hook.dump.when"] = "pre-backup";
    if (!acts) labels[prefix + "hook.dump.exec"] = "true";
  }
  labels[full_name(spec, prefix)] = value;
  return labels;
}

}  // namespace kopidocka
