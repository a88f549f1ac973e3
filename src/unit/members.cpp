#include "unit/members.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"
#include "unit/dependencies.hpp"
#include "unit/namespaces.hpp"

namespace kopidocka {
namespace {

std::string label(const Container& container, const std::string& name) {
  const auto found = container.labels.find(name);
  return found == container.labels.end() ? std::string() : found->second;
}

void add_error(Unit& unit, const std::string& where, const std::string& message) {
  unit.problems.push_back({Problem::Severity::error, where, message});
}

bool gives_us_its_network(const Container& container, const Container* self) {
  if (self == nullptr) return false;
  const auto borrowed = borrowed_namespaces(*self);
  return std::any_of(borrowed.begin(), borrowed.end(), [&](const BorrowedNamespace& from) {
    return from.kind == "network" && is_meant(from.owner, container);
  });
}

std::string where_of(const Container& container) { return "container " + printable(container.name); }

/// It would run on without its network (or other namespace) after each backup, until somebody restarts it.
void refuse_guests_that_stay(Unit& unit, const Container& owner) {
  for (const auto& guest : unit.members) {
    if (unit.holds(guest) || !guest.container.running() || !shares_namespace_of(guest.container, owner)) continue;
    add_error(unit, where_of(guest.container),
              "the label stop keeps it up, but it lives in the network or another namespace of container " + printable(owner.name) +
                  ", which is stopped: it would lose that until it is restarted; take the label away");
  }
}

}  // namespace

/// A container outlives the one whose namespace it lives in, but cannot be started without it. Compose and updaters re-create
/// the owner under a new id and leave the guest pointing to the old one.
std::string orphan_of_a_namespace(const Container& container, const Survey& survey) {
  for (const auto& from : borrowed_namespaces(container)) {
    const auto* owner = survey.meant(from.owner);
    const auto status = owner == nullptr ? std::string() : owner->state.status;
    if (status == "running" || status == "paused") continue;
    // Down for a backup of its own stack: it is back soon, and a start is tried until then.
    if (owner != nullptr && survey.surroundings().held.count(owner->id) != 0) continue;
    const auto who = owner == nullptr ? "container " + printable(from.owner.substr(0, kShortId)) + ", which is gone"
                                      : "container " + printable(owner->name) + ", which is " + printable(status);
    return "it lives in the " + from.kind + " namespace of " + who + ": once stopped it could not be started again; " +
           (owner == nullptr ? "create it again, with 'docker compose up -d --force-recreate' for example" : "start that one first");
  }
  return {};
}

std::string harm_of_hold(const Container& container, Consistency consistency, const Survey& survey) {
  const bool pauses = consistency == Consistency::pause;
  if (container.auto_remove && !pauses) {
    return "it was started with --rm: stopping it would delete it and its anonymous volumes; start it without --rm";
  }
  if (!label(container, "com.docker.swarm.service.id").empty()) {
    return std::string("it is a task of a swarm service: swarm would replace it as soon as it is ") + (pauses ? "paused" : "stopped") +
           "; only containers outside swarm can be backed up cold";
  }
  if (gives_us_its_network(container, survey.self())) {
    return std::string("the kopi-docka container lives in its network: ") + (pauses ? "pausing" : "stopping") +
           " it would cut us off; give the kopi-docka service a network of its own";
  }
  return {};
}

std::vector<MemberGroup> group_members(const Survey& survey) {
  std::map<std::pair<int, std::string>, MemberGroup> groups;
  for (const auto& container : survey.containers()) {
    if (survey.is_ours(container)) continue;
    if (lower(label(container, "com.docker.compose.oneoff")) == "true") continue;
    const auto project = label(container, "com.docker.compose.project");
    Member member;
    member.container = container;
    member.service = label(container, "com.docker.compose.service");
    const auto number = label(container, "com.docker.compose.container-number");
    if (!number.empty() && number.size() < 7 && number.find_first_not_of("0123456789") == std::string::npos) {
      member.number = std::stoi(number);
    }
    member.database = database_of(container.image);
    auto& group = groups[{project.empty() ? 1 : 0, project.empty() ? container.name : project}];
    group.name = project.empty() ? container.name : project;
    group.kind = project.empty() ? UnitKind::standalone : UnitKind::compose;
    group.members.push_back(std::move(member));
  }
  std::vector<MemberGroup> ordered;
  for (auto& [key, group] : groups) {
    std::sort(group.members.begin(), group.members.end(),
              [](const Member& a, const Member& b) { return a.container.name < b.container.name; });
    ordered.push_back(std::move(group));
  }
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return ordered;
}

void refuse_unholdable(Unit& unit, const Survey& survey) {
  for (const auto& member : unit.members) {
    if (!unit.holds(member)) continue;
    const auto& container = member.container;
    if (const auto harm = harm_of_hold(container, unit.policy.consistency, survey); !harm.empty()) add_error(unit, where_of(container), harm);
    // One that is frozen keeps its namespaces and is still there when they thaw.
    if (unit.policy.consistency == Consistency::pause) continue;
    const auto orphan = container.running() ? orphan_of_a_namespace(container, survey) : std::string();
    if (!orphan.empty()) add_error(unit, where_of(container), orphan);
    refuse_guests_that_stay(unit, container);
    for (const auto* guest : survey.guests()) {
      if (unit.member(guest->id) != nullptr || !shares_namespace_of(*guest, container)) continue;
      unit.problems.push_back({Problem::Severity::warning, where_of(container),
                               "container " + printable(guest->name) + " of another unit lives in its network or another of its "
                               "namespaces and loses it with each backup until it is restarted; put both into one stack"});
    }
  }
}

}  // namespace kopidocka
