#include "plan/plan.hpp"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"

namespace kopidocka {
namespace {

std::string names_of(const std::vector<DataSource>& sources) {
  std::vector<std::string> names;
  for (const auto& source : sources) names.push_back(std::string(to_string(source.kind)) + " " + printable(source.name));
  return join(names, ", ");
}

struct Describer {
  std::string operator()(const ProbeRepository&) const { return "check that the repository answers and has room"; }
  std::string operator()(const ProbeSources& step) const { return "check " + names_of(step.sources); }
  std::string operator()(const RunHook& step) const { return "run hook script " + step.hook + " if there is one"; }
  std::string operator()(const PreparePolicies& step) const {
    return "set retention and file rules of " + std::to_string(step.policies.size()) + " sources";
  }
  std::string operator()(const StageFolder& step) const { return "collect " + step.type; }
  std::string operator()(const TakeSnapshot& step) const { return "snapshot " + step.type + " " + printable(step.name); }
  std::string operator()(const WarmUp& step) const {
    return "read " + step.type + " " + printable(step.name) + " beforehand" + (step.may_clone ? ", unless it can be cloned" : "");
  }
  std::string operator()(const OpenSnapshot& step) const {
    return "open the repository for " + step.type + " " + printable(step.name) + ", wait before reading";
  }
  std::string operator()(const ReadSource& step) const {
    return (step.opened ? "read " : "open the repository for and read ") + step.type + " " + printable(step.name);
  }
  std::string operator()(const SaveSnapshot& step) const { return "save " + step.type + " " + printable(step.name); }
  std::string operator()(const StopMember& step) const {
    const auto name = printable(step.member.name) + (step.foreign ? " of another unit" : "");
    if (step.member.by_pause) return "pause container " + name;
    return "stop container " + name + " (killed after " + std::to_string(step.member.grace) + "s)";
  }
  std::string operator()(const StartMember& step) const {
    return (step.member.by_pause ? "unpause container " : "start container ") + printable(step.member.name) +
           (step.foreign ? " of another unit" : "");
  }
  std::string operator()(const CheckTaint&) const { return "check that nobody wrote meanwhile"; }
  std::string operator()(const AwaitHealth& step) const {
    return "wait until " + printable(step.member.name) + " is healthy (at most " + format_duration(step.limit) + ")";
  }
  std::string operator()(const ApplyRetention&) const { return "apply the retention"; }
  std::string operator()(const StageRestore& step) const {
    return "restore " + printable(step.target.name) + " (" + format_bytes(step.target.snapshot.bytes) + ")" +
           (step.target.in_place ? " beside its place" : " to " + printable(step.target.local_path));
  }
  std::string operator()(const SwapData& step) const {
    return "put " + printable(step.target.name) + " into place" + (step.target.in_place ? ", keep the present data aside" : "");
  }
  std::string operator()(const RevertOnAbort&) const { return "if anything failed, put the old data back"; }
  std::string operator()(const DropAside& step) const {
    return (step.target.in_place ? "drop the replaced data of " : "clean up after ") + printable(step.target.name);
  }
};

}  // namespace

StepId Plan::add(Step step) {
  steps.push_back(std::move(step));
  return steps.size() - 1;
}

std::string describe(const Action& action) { return std::visit(Describer{}, action); }

std::string_view to_string(Phase phase) {
  return phase == Phase::prepare ? "prepare" : phase == Phase::hold ? "hold" : "settle";
}

namespace {

/// The first stop step of a plan; nullptr when it holds nobody.
const StopMember* first_stop(const Plan& plan) {
  for (const auto& step : plan.steps) {
    if (const auto* stop = std::get_if<StopMember>(&step.action)) return stop;
  }
  return nullptr;
}

std::string headline(const Plan& plan, Phase phase) {
  if (phase == Phase::prepare) return "before (everything stays up)";
  if (phase == Phase::settle) return "after (everything is up)";
  const auto* stop = first_stop(plan);
  if (stop == nullptr) {
    const bool hot = plan.kind == RunKind::backup && plan.unit.policy.consistency == Consistency::none;
    return hot ? "then (nothing is stopped: consistency none, a hot copy)" : "then (nothing is stopped)";
  }
  return stop->member.by_pause ? "hold (containers are paused: consistency pause, not a cold copy)" : "hold (containers are down)";
}

/// What the limit means, and whether stopping alone may take as long.
std::string limit_text(const Plan& plan) {
  if (!plan.max_downtime || first_stop(plan) == nullptr) return {};
  const auto limit = format_duration(*plan.max_downtime);
  auto text = "  at most " + limit + " from the first stop: then everything is started and the run has failed\n";
  for (const auto& step : plan.steps) {
    const auto* stop = std::get_if<StopMember>(&step.action);
    if (stop == nullptr || Seconds(stop->member.grace) < *plan.max_downtime) continue;
    text += "  warning: container " + printable(stop->member.name) + " alone may take " + std::to_string(stop->member.grace) +
            "s to stop, so that max-downtime can be over before anything is read\n";
  }
  return text;
}

std::string staying_text(const Plan& plan) {
  std::string text;
  if (plan.kind != RunKind::backup || plan.unit.policy.consistency == Consistency::none) return text;
  for (const auto& member : plan.unit.members) {
    if (!member.container.running() || plan.unit.holds(member)) continue;
    text += "  leave container " + printable(member.container.name) + " up\n";
  }
  return text;
}

}  // namespace

std::string plan_text(const Plan& plan) {
  std::string text;
  for (const auto phase : {Phase::prepare, Phase::hold, Phase::settle}) {
    bool any = false;
    for (const auto& step : plan.steps) {
      if (step.phase != phase) continue;
      if (!std::exchange(any, true)) {
        text += headline(plan, phase) + "\n";
        if (phase == Phase::hold) text += limit_text(plan) + staying_text(plan);
      }
      text += "  " + describe(step.action) + "\n";
    }
  }
  return text;
}

nlohmann::json plan_json(const Plan& plan) {
  auto steps = nlohmann::json::array();
  for (size_t id = 0; id < plan.steps.size(); ++id) {
    const auto& step = plan.steps[id];
    steps.push_back({{"id", id}, {"phase", to_string(step.phase)}, {"step", describe(step.action)}, {"after", step.after}});
  }
  nlohmann::json value = {{"unit", plan.unit.name}, {"kind", to_string(plan.kind)}, {"scope", plan.scope}, {"steps", steps}};
  if (plan.kind == RunKind::backup) value["consistency"] = to_string(plan.unit.policy.consistency);
  if (plan.max_downtime) value["max_downtime_seconds"] = std::chrono::duration<double>(*plan.max_downtime).count();
  return value;
}

}  // namespace kopidocka
