#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace kopidocka::testing {

/// Ids of the steps with this kind of action.
template <class Kind>
std::vector<StepId> steps_of(const Plan& plan) {
  std::vector<StepId> found;
  for (StepId id = 0; id < plan.steps.size(); ++id) {
    if (std::holds_alternative<Kind>(plan.steps[id].action)) found.push_back(id);
  }
  return found;
}

template <class Kind>
const Kind& action_of(const Plan& plan, StepId id) {
  return std::get<Kind>(plan.steps[id].action);
}

/// Whether `later` cannot begin before `earlier` has ended: by phase or along `after`.
inline bool comes_after(const Plan& plan, StepId later, StepId earlier) {
  if (plan.steps[earlier].phase != plan.steps[later].phase) return plan.steps[earlier].phase < plan.steps[later].phase;
  std::set<StepId> seen;
  const std::function<bool(StepId)> reaches = [&](StepId from) {
    for (const auto before : plan.steps[from].after) {
      if (before == earlier || (seen.insert(before).second && reaches(before))) return true;
    }
    return false;
  };
  return reaches(later);
}

}  // namespace kopidocka::testing
