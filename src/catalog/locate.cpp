#include "catalog/locate.hpp"

#include <optional>
#include <vector>

#include "base/text.hpp"

namespace kopidocka {
namespace {

Error nothing_there(const RestorePoint& point, const std::string& place) {
  std::vector<std::string> names;
  for (const auto& member : point.members) {
    const bool data = member.type == SnapshotType::volume || member.type == SnapshotType::bind;
    names.push_back(data ? member.name : std::string(to_string(member.type)));
  }
  const auto meant = nearest(place, names);
  return {ErrorKind::not_found, "backup " + point.backup_id.substr(0, 8) + " of " + printable(point.unit) + " has no '" + printable(place, 500) + "'",
          meant.empty() ? "it has " + printable(join(names, ", "), 500) : "did you mean '" + printable(meant) + "'?"};
}

/// What is left of `place` behind `name` and a slash; nothing when it does not begin so.
std::optional<std::string> behind(const std::string& place, const std::string& name) {
  if (place == name) return std::string();
  if (place.size() > name.size() && place.compare(0, name.size(), name) == 0 && place[name.size()] == '/') return place.substr(name.size() + 1);
  return std::nullopt;
}

}  // namespace

Result<Located> locate(const RestorePoint& point, const std::string& place) {
  Located found;
  if (place.empty()) return found;
  size_t longest = 0;
  const auto consider = [&](const PointMember& member, const std::string& name) {
    const auto rest = behind(place, name);
    if (!rest || (found.member != nullptr && name.size() <= longest)) return;
    found = {&member, *rest};
    longest = name.size();
  };
  for (const auto& member : point.members) {
    const bool data = member.type == SnapshotType::volume || member.type == SnapshotType::bind;
    consider(member, data ? member.name : std::string(to_string(member.type)));
  }
  if (found.member != nullptr) return found;
  for (const auto& member : point.members) {
    const auto prefix = point.unit + "_";
    if (member.type == SnapshotType::volume && member.name.rfind(prefix, 0) == 0) consider(member, member.name.substr(prefix.size()));
  }
  if (found.member == nullptr) return nothing_there(point, place);
  return found;
}

}  // namespace kopidocka
