#include "unit/members.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"
#include "unit/namespaces.hpp"

namespace kopidocka {
namespace {

std::string label(const Container& container, const std::string& name) {
  const auto found = container.labels.find(name);
  return found == container.labels.end() ? std::string() : found->second;
}

bool shares_namespace_of(const Container& container, const Container& owner) {
  const auto borrowed = borrowed_namespaces(container);
  return std::any_of(borrowed.begin(), borrowed.end(),
                     [&](const BorrowedNamespace& from) { return is_meant(from.owner, owner); });
}

/// Names in this unit: id, container name and service, each to the members that carry it.
std::map<std::string, std::vector<std::string>> names_of(const Unit& unit) {
  std::map<std::string, std::vector<std::string>> names;
  for (const auto& member : unit.members) {
    const auto& id = member.container.id;
    std::set<std::string> own = {id, member.container.name};
    if (!member.service.empty()) own.insert(member.service);
    for (const auto& name : own) names[name].push_back(id);
  }
  return names;
}

/// What a container asks to be up before itself, by name: Docker's own references and compose's label. Namespaces apart.
std::vector<std::string> wanted_by(const Member& member) {
  const auto& container = member.container;
  std::vector<std::string> wanted;
  for (const auto& entry : split(label(container, "com.docker.compose.depends_on"), ',')) {
    wanted.push_back(split(entry, ':').front());
  }
  for (const auto& from : container.volumes_from) wanted.push_back(split(from, ':').front());
  for (const auto& link : container.links) {
    auto name = split(link, ':').front();
    if (!name.empty() && name.front() == '/') name.erase(0, 1);
    wanted.push_back(name);
  }
  return wanted;
}

/// Services whose health compose waits for before it starts this one.
std::set<std::string> healthy_services(const Member& member) {
  std::set<std::string> services;
  for (const auto& entry : split(label(member.container, "com.docker.compose.depends_on"), ',')) {
    const auto parts = split(entry, ':');
    if (parts.size() > 1 && parts[1] == "service_healthy") services.insert(parts[0]);
  }
  return services;
}

bool reaches(const Unit& unit, const std::string& from, const std::string& to, std::set<std::string>& seen) {
  if (!seen.insert(from).second) return false;
  const auto* member = unit.member(from);
  if (member == nullptr) return false;
  return std::any_of(member->providers.begin(), member->providers.end(),
                     [&](const std::string& provider) { return provider == to || reaches(unit, provider, to, seen); });
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

/// A container outlives the one whose namespace it lives in, but cannot be started without it. Compose and updaters re-create
/// the owner under a new id and leave the guest pointing to the old one.
void refuse_orphan(Unit& unit, const Container& container, const Survey& survey) {
  for (const auto& from : borrowed_namespaces(container)) {
    const auto* owner = survey.meant(from.owner);
    const auto status = owner == nullptr ? std::string() : owner->state.status;
    if (status == "running" || status == "paused") continue;
    // Down for a backup of its own stack: it is back soon, and a start is tried until then.
    if (owner != nullptr && survey.surroundings().held.count(owner->id) != 0) continue;
    const auto who = owner == nullptr ? "container " + printable(from.owner.substr(0, kShortId)) + ", which is gone"
                                      : "container " + printable(owner->name) + ", which is " + printable(status);
    add_error(unit, "container " + printable(container.name),
              "it lives in the " + from.kind + " namespace of " + who + ": once stopped it could not be started again; " +
                  (owner == nullptr ? "create it again, with 'docker compose up -d --force-recreate' for example" : "start that one first"));
  }
}

}  // namespace

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

void resolve_dependencies(Unit& unit) {
  const auto names = names_of(unit);
  std::vector<std::string> services;
  for (const auto& member : unit.members) services.push_back(member.service.empty() ? member.container.name : member.service);
  for (auto& member : unit.members) {
    std::set<std::string> providers;
    const auto add = [&](const std::string& name) {
      const auto found = names.find(name);
      if (name.empty() || found == names.end()) return false;
      providers.insert(found->second.begin(), found->second.end());
      return true;
    };
    for (const auto& name : wanted_by(member)) add(name);
    for (const auto& other : unit.members) {
      if (shares_namespace_of(member.container, other.container)) providers.insert(other.container.id);
    }
    for (const auto& name : member.policy.depends_on) {
      if (add(name)) continue;
      const auto meant = nearest(name, services);
      unit.problems.push_back({Problem::Severity::error, "container " + printable(member.container.name) + ", label depends-on",
                               "there is no service '" + printable(name) + "' in this unit" +
                                   (meant.empty() ? std::string() : "; did you mean '" + meant + "'?")});
    }
    providers.erase(member.container.id);
    member.providers.assign(providers.begin(), providers.end());
    const auto healthy = healthy_services(member);
    for (const auto& id : member.providers) {
      if (healthy.count(unit.member(id)->service) != 0) member.healthy_providers.push_back(id);
    }
  }
  for (const auto& member : unit.members) {
    std::set<std::string> seen;
    if (!reaches(unit, member.container.id, member.container.id, seen)) continue;
    unit.problems.push_back({Problem::Severity::error, "container " + printable(member.container.name),
                             "it depends on itself through other members, so there is no order to start them in; "
                             "remove one of the depends_on entries"});
    return;
  }
}

void refuse_unholdable(Unit& unit, const Survey& survey) {
  for (const auto& member : unit.members) {
    const auto& container = member.container;
    const auto where = "container " + printable(container.name);
    if (container.auto_remove) {
      add_error(unit, where,
                "it was started with --rm: stopping it would delete it and its anonymous volumes; start it without --rm");
    }
    if (!label(container, "com.docker.swarm.service.id").empty()) {
      add_error(unit, where,
                "it is a task of a swarm service: swarm would replace it as soon as it is stopped; only containers outside "
                "swarm can be backed up cold");
    }
    if (gives_us_its_network(container, survey.self())) {
      add_error(unit, where,
                "the kopi-docka container lives in its network: stopping it would cut us off; give the kopi-docka service a "
                "network of its own");
    }
    if (container.running()) refuse_orphan(unit, container, survey);
    for (const auto* guest : survey.guests()) {
      if (unit.member(guest->id) != nullptr || !shares_namespace_of(*guest, container)) continue;
      unit.problems.push_back({Problem::Severity::warning, where,
                               "container " + printable(guest->name) + " of another unit lives in its network or another of its "
                               "namespaces and loses it with each backup until it is restarted; put both into one stack"});
    }
  }
}

}  // namespace kopidocka
