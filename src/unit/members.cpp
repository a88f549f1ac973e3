#include "unit/members.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/text.hpp"

namespace kopidocka {
namespace {

std::string label(const Container& container, const std::string& name) {
  const auto found = container.labels.find(name);
  return found == container.labels.end() ? std::string() : found->second;
}

const Container* find_container(const Inventory& inventory, const std::string& id) {
  if (id.empty()) return nullptr;
  const auto found = std::find_if(inventory.containers.begin(), inventory.containers.end(),
                                  [&](const Container& container) { return container.id == id; });
  return found == inventory.containers.end() ? nullptr : &*found;
}

/// Whether the container answers to `host` on a network we share: by name, compose service or alias.
bool answers_to(const Container& container, const std::string& host) {
  if (host.empty()) return false;
  if (container.name == host || label(container, "com.docker.compose.service") == host) return true;
  return std::any_of(container.networks.begin(), container.networks.end(), [&](const auto& network) {
    const auto& aliases = network.second.aliases;
    return std::find(aliases.begin(), aliases.end(), host) != aliases.end();
  });
}

/// The id behind "container:<id>" or "<id or name>:<options>".
std::string referenced(const std::string& mode) {
  constexpr std::string_view prefix = "container:";
  return mode.rfind(prefix, 0) == 0 ? mode.substr(prefix.size()) : std::string();
}

/// Whether "container:<reference>" means this container: its id, the beginning of one, or its name.
bool is_meant(const std::string& reference, const Container& container) {
  constexpr size_t kShortId = 12;
  return !reference.empty() && (reference == container.id || reference == container.name ||
                                (reference.size() >= kShortId && container.id.starts_with(reference)));
}

bool shares_namespace_of(const Container& container, const Container& owner) {
  return is_meant(referenced(container.network_mode), owner) || is_meant(referenced(container.pid_mode), owner) ||
         is_meant(referenced(container.ipc_mode), owner);
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

}  // namespace

bool is_ourselves(const Container& container, const Inventory& inventory, const Surroundings& surroundings) {
  if (const auto* self = find_container(inventory, surroundings.own_container_id)) {
    if (container.id == self->id || is_meant(referenced(container.network_mode), *self)) return true;
  }
  return label(container, surroundings.defaults.prefix + "role") == "sidecar" ||
         answers_to(container, surroundings.docker_proxy_host);
}

std::vector<MemberGroup> group_members(const Inventory& inventory, const Surroundings& surroundings) {
  std::map<std::pair<int, std::string>, MemberGroup> groups;
  for (const auto& container : inventory.containers) {
    if (is_ourselves(container, inventory, surroundings)) continue;
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

void refuse_unholdable(Unit& unit, const Inventory& inventory, const Surroundings& surroundings) {
  const auto* self = find_container(inventory, surroundings.own_container_id);
  for (const auto& member : unit.members) {
    const auto& container = member.container;
    const auto where = "container " + printable(container.name);
    if (container.auto_remove) {
      unit.problems.push_back({Problem::Severity::error, where,
                               "it was started with --rm: stopping it would delete it and its anonymous volumes; "
                               "start it without --rm"});
    }
    if (!label(container, "com.docker.swarm.service.id").empty()) {
      unit.problems.push_back({Problem::Severity::error, where,
                               "it is a task of a swarm service: swarm would replace it as soon as it is stopped; "
                               "only containers outside swarm can be backed up cold"});
    }
    if (self != nullptr && is_meant(referenced(self->network_mode), container)) {
      unit.problems.push_back({Problem::Severity::error, where,
                               "the kopi-docka container lives in its network: stopping it would cut us off; give the "
                               "kopi-docka service a network of its own"});
    }
    for (const auto& other : inventory.containers) {
      if (unit.member(other.id) != nullptr || !other.running() || !shares_namespace_of(other, container)) continue;
      if (is_ourselves(other, inventory, surroundings)) continue;
      unit.problems.push_back({Problem::Severity::warning, where,
                               "container " + printable(other.name) + " of another unit lives in its network or another of its "
                               "namespaces and loses it with each backup until it is restarted; put both into one stack"});
    }
  }
}

}  // namespace kopidocka
