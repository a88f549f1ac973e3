#include "unit/unit.hpp"

#include <algorithm>

namespace kopidocka {

std::string_view to_string(UnitKind kind) { return kind == UnitKind::compose ? "compose" : "standalone"; }
std::string_view to_string(SourceKind kind) { return kind == SourceKind::volume ? "volume" : "bind"; }

bool Unit::valid() const {
  return std::none_of(problems.begin(), problems.end(),
                      [](const Problem& problem) { return problem.severity == Problem::Severity::error; });
}

const Member* Unit::member(const std::string& id) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const Member& member) { return member.container.id == id; });
  return found == members.end() ? nullptr : &*found;
}

const Member* Unit::anybody(const std::string& id) const {
  const auto found = std::find_if(foreign.begin(), foreign.end(), [&](const Member& one) { return one.container.id == id; });
  return found == foreign.end() ? member(id) : &*found;
}

bool Unit::holds(const Member& member) const { return policy.consistency != Consistency::none && member.policy.stop; }

}  // namespace kopidocka
