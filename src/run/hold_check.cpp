#include <algorithm>
#include <exception>
#include <map>
#include <set>

#include "base/text.hpp"
#include "run/actions.hpp"
#include "run/container_steps.hpp"
#include "run/writers.hpp"
#include "unit/ourselves.hpp"

namespace kopidocka {
namespace {

constexpr size_t kLooksAtOnce = 8;

std::set<std::string> to_be_stopped(const Plan& plan) {
  std::set<std::string> ids;
  for (const auto& step : plan.steps) {
    if (const auto* stop = std::get_if<StopMember>(&step.action)) ids.insert(stop->member.id);
  }
  return ids;
}

/// A held member as it was when it was stopped.
const HeldMember* held_member(const RunState& state, const std::string& id) {
  if (state.stop_requested.count(id) == 0) return nullptr;
  for (const auto& step : state.plan.steps) {
    const auto* start = std::get_if<StartMember>(&step.action);
    if (start != nullptr && start->member.id == id) return &start->member;
  }
  return nullptr;
}

bool is_of_unit(const Unit& unit, const Container& container) {
  if (unit.member(container.id) != nullptr) return true;
  const auto project = container.labels.find("com.docker.compose.project");
  return unit.kind == UnitKind::compose && project != container.labels.end() && project->second == unit.name;
}

/// Whether it ran at any time from the first stop to the end of the last read, our own start apart.
bool ran_meanwhile(const RunState& state, const Container& container) {
  if (const auto* held = held_member(state, container.id)) {
    if (state.started_by_us.count(container.id) != 0) return false;
    return !is_down(*held, container) || container.state.started_at != held->started_at;
  }
  const auto began = state.hold_began.value_or(state.report.started_at);
  const auto ended = state.read_ended.value_or(state.context.clock.now());
  const bool ended_within = from_iso8601(container.state.finished_at) >= began;
  // Started again since: of its earlier life only the end is known.
  if (from_iso8601(container.state.started_at) > ended) return ended_within;
  return container.running() || ended_within;
}

/// Kopi-docka's own containers, as discovery leaves them out: what they mount, they mount for backups.
std::set<std::string> own_containers(const RunContext& context, const std::vector<Container>& containers) {
  const auto self = std::find_if(containers.begin(), containers.end(), [&](const Container& container) {
    return !context.own_container_id.empty() && container.id == context.own_container_id;
  });
  std::set<std::string> own;
  for (const auto& container : containers) {
    if (is_ourselves(container, self == containers.end() ? nullptr : &*self, context.surroundings)) own.insert(container.id);
  }
  if (!context.own_container_id.empty()) own.insert(context.own_container_id);
  return own;
}

Error in_the_way(const Container& container, const HeldPlace& place) {
  return {ErrorKind::refused,
          "container " + printable(container.name) + (place.any_use ? " uses " : " writes to ") + printable(place.name) +
              " and is not among those that are stopped",
          "run it again when nobody else works on the unit"};
}

}  // namespace

Error tainted(const std::string& why) {
  return {ErrorKind::failed, why, "nothing was kept of this run; run it again when nobody else works on the unit"};
}

Task<> renew_members(RunState& state) {
  std::map<std::string, std::string> started_at;
  for (auto& step : state.plan.steps) {
    auto* stop = std::get_if<StopMember>(&step.action);
    if (stop == nullptr) continue;
    const auto now = co_await look_at_container(state.context.docker, stop->member.id);
    const bool fits = now && now->running() && now->state.status != "paused";
    if (!fits || (stop->member.by_pause && now->state.status != "running")) {
      throw Error(ErrorKind::refused,
                  "container " + printable(stop->member.name) + " is " + (now ? now->state.status : std::string("gone")) + ", it ran when the run began",
                  "run it again when the unit is settled");
    }
    stop->member.started_at = now->state.started_at;
    started_at[stop->member.id] = now->state.started_at;
  }
  for (auto& step : state.plan.steps) {
    auto* start = std::get_if<StartMember>(&step.action);
    if (start != nullptr && started_at.count(start->member.id) != 0) start->member.started_at = started_at[start->member.id];
  }
}

Task<> refuse_other_users(RunState& state) {
  if (held_places(state.plan, {}).empty()) co_return;
  auto& docker = state.context.docker;
  const auto volumes = co_await docker.list_volumes();
  const auto places = held_places(state.plan, volumes);
  const auto stopped = to_be_stopped(state.plan);
  const auto containers = co_await inspect_all(docker, co_await docker.list_containers(), kLooksAtOnce);
  const auto own = own_containers(state.context, containers);
  for (const auto& container : containers) {
    if (own.count(container.id) != 0 || stopped.count(container.id) != 0) continue;
    const auto use = use_of(container, places, volumes);
    if (use.place == nullptr) continue;
    const bool bystander = use.above && !is_of_unit(state.plan.unit, container);
    if (!bystander && container.running()) throw in_the_way(container, *use.place);
    if (!bystander) continue;
    // Running or not: another run of ours may hold it down just now and start it in the middle of this one.
    // Discovery warns about it, or knows the folder as the host's own: whether it writes just here, nobody can tell.
    state.bystanders.insert(container.id);
  }
}

namespace {

constexpr Milliseconds kLookAgain{60'000};

/// All containers and volumes. A moment without Docker after hours of reading must not cost the backup.
Task<std::pair<std::vector<Container>, std::vector<Volume>>> look_around(RunState& state) {
  auto& context = state.context;
  const auto until = context.clock.steady() + kLookAgain;
  while (true) {
    std::exception_ptr failure;
    try {
      auto volumes = co_await context.docker.list_volumes();
      auto containers = co_await inspect_all(context.docker, co_await context.docker.list_containers(), kLooksAtOnce);
      co_return std::pair(std::move(containers), std::move(volumes));
    } catch (...) {
      failure = std::current_exception();
    }
    if (!is_passing(to_error(failure)) || context.clock.steady() >= until) std::rethrow_exception(failure);
    co_await sleep_for(Milliseconds(1'000));
  }
}

}  // namespace

Task<> perform_check_taint(RunState& state, CheckTaint) {
  // A run that was cut short keeps nothing anyway, and who was not stopped yet ran all the time.
  if (!state.hold_began || state.aborted() || state.cut_short) co_return;
  const auto [containers, volumes] = co_await look_around(state);
  const auto places = held_places(state.plan, volumes);
  const auto own = own_containers(state.context, containers);
  for (const auto& container : containers) {
    if (own.count(container.id) != 0 || state.bystanders.count(container.id) != 0) continue;
    if (!ran_meanwhile(state, container)) continue;
    const auto use = use_of(container, places, volumes);
    if (use.place == nullptr) continue;
    throw tainted("container " + printable(container.name) + ", which may write to " + printable(use.place->name) +
                  ", ran while that was being read");
  }
}

}  // namespace kopidocka
