#pragma once

#include <string>
#include <vector>

#include "unit/discovery.hpp"

namespace kopidocka {

/// One group of containers that belong together, before labels and data are looked at.
struct MemberGroup {
  std::string name;
  UnitKind kind = UnitKind::standalone;
  std::vector<Member> members;
};

/// Compose projects and standalone containers, without ourselves, our proxy and one-off containers.
std::vector<MemberGroup> group_members(const Inventory& inventory, const Surroundings& surroundings);

/// Fills Member::providers from compose's depends_on, namespaces, volumes-from, links and the depends-on label.
/// Unknown services in the label and cycles are added to unit.problems.
void resolve_dependencies(Unit& unit);

/// Containers that can never be held: auto-remove, swarm tasks, the one whose network we live in.
void refuse_unholdable(Unit& unit, const Inventory& inventory, const Surroundings& surroundings);

}  // namespace kopidocka
