#include "plan/hold_steps.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>

#include "base/text.hpp"

namespace kopidocka {
namespace {

/// Every wait has a bound: the longest the label may say, and what Docker's "wait for ever" means here.
constexpr int kLongestGrace = 86'400;
constexpr int kInsteadOfForEver = 3600;

int grace_of(const Member& member, int default_grace) {
  std::int64_t grace = member.container.stop_timeout.value_or(default_grace);
  if (member.policy.stop_timeout) grace = std::chrono::ceil<Seconds>(*member.policy.stop_timeout).count();
  return grace < 0 ? kInsteadOfForEver : static_cast<int>(std::min<std::int64_t>(grace, kLongestGrace));
}

bool pauses(const Plan& plan) { return plan.kind == RunKind::backup && plan.unit.policy.consistency == Consistency::pause; }

HeldMember held(const Plan& plan, const Member& member, int default_grace) {
  HeldMember held;
  held.id = member.container.id;
  held.name = member.container.name;
  held.started_at = member.container.state.started_at;
  const auto project = member.container.labels.find("com.docker.compose.project");
  if (project != member.container.labels.end()) held.project = project->second;
  held.service = member.service;
  held.number = member.number;
  held.by_pause = pauses(plan);
  held.grace = held.by_pause ? 0 : grace_of(member, default_grace);
  return held;
}

/// A restore exchanges data under everybody's feet: it stops whoever runs, whatever the labels say about backups.
bool is_held(const Plan& plan, const Member& member) {
  return member.container.running() && (plan.kind == RunKind::restore || plan.unit.holds(member));
}

bool is_foreign(const Plan& plan, const Member& member) { return plan.unit.member(member.container.id) == nullptr; }

/// Everybody whom the plan may hold. A restore exchanges no data that containers of other units use.
std::vector<const Member*> everybody(const Plan& plan) {
  std::vector<const Member*> all;
  for (const auto& member : plan.unit.members) all.push_back(&member);
  if (plan.kind == RunKind::restore) return all;
  for (const auto& foreign : plan.unit.foreign) all.push_back(&foreign);
  return all;
}

/// Those who are held, every one after those who depend on it.
std::vector<const Member*> dependents_first(const Plan& plan) {
  const auto all = everybody(plan);
  std::vector<const Member*> order;
  std::set<std::string> seen;
  const std::function<void(const Member&)> visit = [&](const Member& member) {
    if (!seen.insert(member.container.id).second) return;
    for (const auto* other : all) {
      const auto& providers = other->providers;
      if (std::find(providers.begin(), providers.end(), member.container.id) != providers.end()) visit(*other);
    }
    if (is_held(plan, member)) order.push_back(&member);
  };
  for (const auto* member : all) visit(*member);
  return order;
}

/// The held members that must be up before this one: a provider that is not held (a one-shot set-up container, one that
/// stays up) is not waited for, but passes on what it needs.
std::set<std::string> held_providers(const Plan& plan, const Member& member) {
  std::set<std::string> found, seen;
  const std::function<void(const Member&)> visit = [&](const Member& from) {
    for (const auto& id : from.providers) {
      const auto* provider = plan.kind == RunKind::restore ? plan.unit.member(id) : plan.unit.anybody(id);
      if (provider == nullptr || id == member.container.id || !seen.insert(id).second) continue;
      if (is_held(plan, *provider)) {
        found.insert(id);
      } else {
        visit(*provider);
      }
    }
  };
  visit(member);
  return found;
}

void append(std::vector<StepId>& to, const StepsOf& from, const std::string& id) {
  const auto found = from.find(id);
  if (found != from.end()) to.insert(to.end(), found->second.begin(), found->second.end());
}

}  // namespace

StepsOf add_stops(Plan& plan, int default_grace) {
  StepsOf stops;
  for (const auto* member : dependents_first(plan)) {
    StopMember stop{held(plan, *member, default_grace), is_foreign(plan, *member)};
    Step step{Phase::hold, std::move(stop), {}, OnFailure::abort, false};
    for (const auto* other : everybody(plan)) {
      if (held_providers(plan, *other).count(member->container.id) != 0) append(step.after, stops, other->container.id);
    }
    stops[member->container.id] = {plan.add(std::move(step))};
  }
  return stops;
}

StepsOf add_starts(Plan& plan, const StepsOf& stops, const StepsOf& before, int default_grace) {
  StepsOf starts;
  auto order = dependents_first(plan);
  std::reverse(order.begin(), order.end());
  for (const auto* member : order) {
    const auto& id = member->container.id;
    if (stops.count(id) == 0) continue;
    StartMember start{held(plan, *member, default_grace), {}, plan.unit.policy.start_timeout, is_foreign(plan, *member)};
    for (const auto& provider : member->healthy_providers) {
      // Who thaws goes on where it was, with providers in the state in which they were.
      if (stops.count(provider) != 0 && !start.member.by_pause) start.healthy_first.push_back(provider);
    }
    Step step{Phase::hold, std::move(start), {}, OnFailure::degrade, true};
    append(step.after, stops, id);
    append(step.after, before, id);
    for (const auto& provider : held_providers(plan, *member)) append(step.after, starts, provider);
    starts[id] = {plan.add(std::move(step))};
  }
  return starts;
}

void add_health(Plan& plan, const StepsOf& stops, int default_grace) {
  for (const auto* member : everybody(plan)) {
    if (stops.count(member->container.id) == 0) continue;
    AwaitHealth await{held(plan, *member, default_grace), plan.unit.policy.start_timeout};
    plan.add({Phase::settle, std::move(await), {}, OnFailure::degrade, true});
  }
}

std::optional<Error> hold_refusal(const Unit& unit) {
  std::vector<std::string> reasons;
  for (const auto& problem : unit.problems) {
    if (problem.severity == Problem::Severity::error) reasons.push_back(problem.where + ": " + problem.message);
  }
  const bool invalid = !reasons.empty();
  for (const auto& member : unit.members) {
    if (!unit.holds(member)) continue;
    const auto& status = member.container.state.status;
    const auto is = "container " + printable(member.container.name) + " is " + status;
    if (status == "paused") reasons.push_back(is + ": unpause or stop it first, as after a backup it would run");
    if (status == "restarting" && unit.policy.consistency == Consistency::pause) {
      reasons.push_back(is + ": Docker cannot pause what is not up; mend it or stop it first");
    }
    if (status == "removing") reasons.push_back(is + ": wait until it is gone");
  }
  if (reasons.empty()) return std::nullopt;
  return Error(ErrorKind::refused, join(reasons, "; also "), invalid ? "see 'kopi-docka list'" : "then try again");
}

}  // namespace kopidocka
