#include "unit/dependencies.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <vector>

#include "base/text.hpp"
#include "unit/namespaces.hpp"

namespace kopidocka {
namespace {

/// What one member asks to be up before itself. In the order in which Docker minds: without its namespace or link a container
/// does not start at all, compose's order is the author's, volumes-from needs nobody to run.
enum class Strength { of_namespace, link, compose, volumes_from, label };

struct Wish {
  Strength strength;
  std::string member, provider;  ///< ids
};

std::string label(const Container& container, const std::string& name) {
  const auto found = container.labels.find(name);
  return found == container.labels.end() ? std::string() : found->second;
}

/// Names in a unit: id, container name and service, each to the members that carry it.
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

/// By name: Docker's own references and compose's label. Namespaces apart.
std::vector<std::pair<Strength, std::string>> wanted_by(const Member& member) {
  const auto& container = member.container;
  std::vector<std::pair<Strength, std::string>> wanted;
  for (const auto& entry : split(label(container, "com.docker.compose.depends_on"), ',')) {
    wanted.emplace_back(Strength::compose, split(entry, ':').front());
  }
  for (const auto& from : container.volumes_from) wanted.emplace_back(Strength::volumes_from, split(from, ':').front());
  for (const auto& link : container.links) {
    auto name = split(link, ':').front();
    if (!name.empty() && name.front() == '/') name.erase(0, 1);
    wanted.emplace_back(Strength::link, name);
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

class Resolver {
 public:
  explicit Resolver(Unit& unit) : unit_(unit), names_(names_of(unit)) {}

  void run() {
    for (const auto& member : unit_.members) collect(member);
    std::sort(wishes_.begin(), wishes_.end(), [&](const Wish& a, const Wish& b) { return rank(a) < rank(b); });
    for (const auto& wish : wishes_) grant(wish);
    for (auto& member : unit_.members) {
      const auto& providers = providers_[member.container.id];
      member.providers.assign(providers.begin(), providers.end());
      const auto healthy = healthy_services(member);
      for (const auto& id : member.providers) {
        if (healthy.count(unit_.member(id)->service) != 0) member.healthy_providers.push_back(id);
      }
    }
  }

 private:
  std::tuple<Strength, std::string, std::string> rank(const Wish& wish) const {
    return {wish.strength, name(wish.member), name(wish.provider)};
  }

  const std::string& name(const std::string& id) const { return unit_.member(id)->container.name; }

  bool wish(const Member& member, Strength strength, const std::string& provider_name) {
    const auto found = names_.find(provider_name);
    if (provider_name.empty() || found == names_.end()) return false;
    for (const auto& id : found->second) {
      if (id != member.container.id) wishes_.push_back({strength, member.container.id, id});
    }
    return true;
  }

  void collect(const Member& member) {
    for (const auto& [strength, provider] : wanted_by(member)) wish(member, strength, provider);
    for (const auto& other : unit_.members) {
      const bool shares = other.container.id != member.container.id && shares_namespace_of(member.container, other.container);
      if (shares) wishes_.push_back({Strength::of_namespace, member.container.id, other.container.id});
    }
    for (const auto& provider : member.policy.depends_on) {
      if (wish(member, Strength::label, provider)) continue;
      const auto meant = nearest(provider, services());
      unit_.problems.push_back({Problem::Severity::error, "container " + printable(member.container.name) + ", label depends-on",
                                "there is no service '" + printable(provider) + "' in this unit" +
                                    (meant.empty() ? std::string() : "; did you mean '" + meant + "'?")});
    }
  }

  std::vector<std::string> services() const {
    std::vector<std::string> found;
    for (const auto& member : unit_.members) found.push_back(member.service.empty() ? member.container.name : member.service);
    return found;
  }

  /// Whether `from` waits for `to`, through others too.
  bool reaches(const std::string& from, const std::string& to) const {
    std::set<std::string> seen = {from};
    std::vector<std::string> open = {from};
    while (!open.empty()) {
      const auto known = providers_.find(open.back());
      open.pop_back();
      if (known == providers_.end()) continue;
      for (const auto& provider : known->second) {
        if (provider == to) return true;
        if (seen.insert(provider).second) open.push_back(provider);
      }
    }
    return false;
  }

  void grant(const Wish& wish) {
    if (!reaches(wish.provider, wish.member)) {
      providers_[wish.member].insert(wish.provider);
      return;
    }
    unit_.problems.push_back({Problem::Severity::warning, "container " + printable(name(wish.member)),
                              "it depends on itself through " + printable(name(wish.provider)) + ", so there is no order for all: it is not "
                              "stopped before that one, nor started after it; remove one of the depends_on entries"});
  }

  Unit& unit_;
  const std::map<std::string, std::vector<std::string>> names_;
  std::vector<Wish> wishes_;
  std::map<std::string, std::set<std::string>> providers_;  ///< by member
};

}  // namespace

bool shares_namespace_of(const Container& container, const Container& owner) {
  const auto borrowed = borrowed_namespaces(container);
  return std::any_of(borrowed.begin(), borrowed.end(),
                     [&](const BorrowedNamespace& from) { return is_meant(from.owner, owner); });
}

void resolve_dependencies(Unit& unit) { Resolver(unit).run(); }

}  // namespace kopidocka
