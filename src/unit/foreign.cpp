#include "unit/foreign.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "base/text.hpp"
#include "unit/dependencies.hpp"
#include "unit/members.hpp"

namespace kopidocka {
namespace {

/// A member and the unit that it is of.
struct Home {
  const Unit* unit = nullptr;
  const Member* member = nullptr;
};

class Judge {
 public:
  Judge(const std::vector<Unit>& units, const Survey& survey) : survey_(survey) {
    for (const auto& unit : units) {
      for (const auto& member : unit.members) homes_[member.container.id] = {&unit, &member};
    }
  }

  void judge(Unit& unit) const {
    // Nothing is held there, and nothing promised that a writer could break.
    if (unit.policy.consistency == Consistency::none) return;
    for (const auto& source : unit.sources) {
      for (const auto& id : source.foreign_writers) judge(unit, source, id);
    }
    for (auto& writer : unit.foreign) order(unit, writer);
    for (auto& member : unit.members) {
      for (const auto& writer : unit.foreign) {
        if (shares_namespace_of(member.container, writer.container)) member.providers.push_back(writer.container.id);
      }
    }
  }

 private:
  void judge(Unit& unit, const DataSource& source, const std::string& id) const {
    const auto* container = survey_.meant(id);
    const auto found = homes_.find(id);
    const auto home = found == homes_.end() ? Home() : found->second;
    const bool pauses = unit.policy.consistency == Consistency::pause;
    const auto where = std::string(to_string(source.kind)) + " " + printable(source.name);
    const auto name = "container " + printable(container == nullptr ? id : container->name);
    const auto harm = container == nullptr ? std::string("it is gone") : harm_of_holding(unit, *container, home);
    const std::string advice = "mount it read-only there, stop that container, or leave the source out with a label";
    if (!harm.empty()) {
      unit.problems.push_back({Problem::Severity::error, where,
                               name + ", which is not of this unit, writes to it too and cannot be " + (pauses ? "paused" : "stopped") +
                                   " with it (" + harm + "): a copy would not be cold; " + advice});
      return;
    }
    unit.problems.push_back({Problem::Severity::warning, where,
                             name + " of unit " + printable(home.unit->name) + " writes to it too and is " +
                                 (pauses ? "paused" : "stopped and started") + " with each backup of this one; if it must not be, " + advice});
    const bool known = std::any_of(unit.foreign.begin(), unit.foreign.end(), [&](const Member& one) { return one.container.id == id; });
    if (!known) unit.foreign.push_back(*home.member);
  }

  /// Why a container outside the unit is not held with it; empty when it can be.
  std::string harm_of_holding(const Unit& unit, const Container& container, const Home& home) const {
    const bool pauses = unit.policy.consistency == Consistency::pause;
    if (home.member == nullptr) return "it is a one-off container, whose work a start would begin anew";
    if (!home.member->policy.stop) return "its label stop says false";
    if (container.state.status == "paused") return "it is paused";
    if (container.state.status == "restarting" && pauses) return "it is in a crash loop";
    if (auto harm = harm_of_hold(container, unit.policy.consistency, survey_); !harm.empty()) return harm;
    if (pauses) return {};
    if (auto harm = orphan_of_a_namespace(container, survey_); !harm.empty()) return harm;
    for (const auto* guest : survey_.guests()) {
      if (guest->id == container.id || !shares_namespace_of(*guest, container)) continue;
      const auto* member = unit.member(guest->id);
      if (member != nullptr && unit.holds(*member)) continue;
      return "container " + printable(guest->name) + " lives in its network or another of its namespaces and would lose it";
    }
    return {};
  }

  /// Of all that it depends on at home only those count that are held here, too, and who lends it a namespace.
  void order(const Unit& unit, Member& writer) const {
    const auto needed = needed_at_home(writer.container.id);
    std::set<std::string> providers;
    for (const auto& other : unit.foreign) {
      if (needed.count(other.container.id) != 0) providers.insert(other.container.id);
    }
    for (const auto& member : unit.members) {
      if (shares_namespace_of(writer.container, member.container)) providers.insert(member.container.id);
    }
    writer.providers.assign(providers.begin(), providers.end());
    std::erase_if(writer.healthy_providers, [&](const std::string& id) { return providers.count(id) == 0; });
  }

  std::set<std::string> needed_at_home(const std::string& id) const {
    std::set<std::string> needed;
    std::vector<std::string> open = {id};
    while (!open.empty()) {
      const auto home = homes_.find(open.back());
      open.pop_back();
      if (home == homes_.end()) continue;
      for (const auto& provider : home->second.member->providers) {
        if (needed.insert(provider).second) open.push_back(provider);
      }
    }
    return needed;
  }

  const Survey& survey_;
  std::map<std::string, Home> homes_;
};

}  // namespace

void judge_foreign_writers(std::vector<Unit>& units, const Survey& survey) {
  const auto concerned = [](const Unit& unit) {
    return std::any_of(unit.sources.begin(), unit.sources.end(), [](const DataSource& source) { return !source.foreign_writers.empty(); });
  };
  if (std::none_of(units.begin(), units.end(), concerned)) return;
  // Decided on the units as they were: what is added to one must not be seen by the next.
  const auto before = units;
  const Judge judge(before, survey);
  for (auto& unit : units) {
    if (concerned(unit)) judge.judge(unit);
  }
}

}  // namespace kopidocka
