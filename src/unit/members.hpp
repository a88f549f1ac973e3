#pragma once

#include <string>
#include <vector>

#include "unit/discovery.hpp"
#include "unit/survey.hpp"

namespace kopidocka {

/// One group of containers that belong together, before labels and data are looked at.
struct MemberGroup {
  std::string name;
  UnitKind kind = UnitKind::standalone;
  std::vector<Member> members;
};

/// Compose projects and standalone containers, without ourselves, our proxy and one-off containers.
std::vector<MemberGroup> group_members(const Survey& survey);

/// Why this container can never be held, whoever it belongs to; empty when it can.
std::string harm_of_hold(const Container& container, Consistency consistency, const Survey& survey);

/// Why a running container that lives in somebody's namespace could not be started again after a stop; empty when it could.
std::string orphan_of_a_namespace(const Container& container, const Survey& survey);

/// Members that can never be held: auto-remove, swarm tasks, the one whose network we live in, and those that could not
/// be started again because the container whose namespace they borrow is gone or down. Warns about containers outside the
/// unit that lose their network or other namespace with a stop. Of members that are not held nothing is asked.
void refuse_unholdable(Unit& unit, const Survey& survey);

}  // namespace kopidocka
