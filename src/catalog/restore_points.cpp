#include "catalog/restore_points.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

#include "base/text.hpp"

namespace kopidocka {
namespace {

std::string tag(const Snapshot& snapshot, const std::string& name) {
  const auto it = snapshot.tags.find(name);
  return it == snapshot.tags.end() ? std::string() : it->second;
}

TimePoint time_of(const Snapshot& snapshot) {
  const auto tagged = from_iso8601(tag(snapshot, "timestamp"));
  return tagged == TimePoint{} ? snapshot.start_time : tagged;
}

PointMember make_member(const Snapshot& snapshot, SnapshotType type) {
  PointMember member;
  member.type = type;
  member.snapshot = snapshot;
  if (type == SnapshotType::volume) {
    member.name = tag(snapshot, "volume");
    member.legacy_tar = tag(snapshot, "backup_format") != "direct";
  } else if (type == SnapshotType::bind) {
    member.name = tag(snapshot, "bind_source");
    member.destination = tag(snapshot, "bind_destination");
  } else {
    member.name = tag(snapshot, "unit");
  }
  return member;
}

bool holds_data(const PointMember& member) {
  return member.type == SnapshotType::volume || member.type == SnapshotType::bind;
}

/// A retried source leaves two snapshots with the same name: the clean one counts, then the newer.
bool better(const Snapshot& left, const Snapshot& right) {
  return std::make_tuple(left.clean(), left.start_time) > std::make_tuple(right.clean(), right.start_time);
}

void add_member(RestorePoint& point, PointMember member) {
  for (auto& present : point.members) {
    if (present.type == member.type && present.name == member.name) {
      if (better(member.snapshot, present.snapshot)) present = std::move(member);
      return;
    }
  }
  point.members.push_back(std::move(member));
}

size_t promised_sources(const RestorePoint& point) {
  size_t promised = 0;
  for (const auto& member : point.members) {
    const auto text = tag(member.snapshot, "kd_sources");
    size_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    promised = std::max(promised, count);
  }
  return promised;
}

/// A run that could not save its recipe was partial; nothing else in the repository says so.
bool lacks_recipe(const RestorePoint& point) {
  return std::any_of(point.members.begin(), point.members.end(), [](const PointMember& member) {
           const auto scope = scope_from(tag(member.snapshot, "backup_scope"));
           return scope && *scope != Scope::minimal;
         }) && point.member(SnapshotType::recipe) == nullptr;
}

/// Only a copy that says so was made without a stop; a word that we do not know promises nothing.
Consistency consistency_of(const Snapshot& snapshot) {
  const auto word = tag(snapshot, "kd_consistency");
  if (word.empty() || word == to_string(Consistency::stop)) return Consistency::stop;
  return word == to_string(Consistency::pause) ? Consistency::pause : Consistency::none;
}

void judge(RestorePoint& point) {
  size_t sources = 0;
  for (const auto& member : point.members) {
    if (!holds_data(member)) continue;
    ++sources;
    point.bytes += member.snapshot.bytes;
    point.files += member.snapshot.files;
  }
  for (const auto& member : point.members) {
    const auto what = std::string(to_string(member.type)) + " " + printable(member.name);
    const auto unread = member.snapshot.errors + member.snapshot.ignored_errors;
    if (unread > 0) {
      point.partial = true;
      point.problems.push_back(what + ": " + std::to_string(unread) + " entries could not be read when it was saved");
    }
    if (member.legacy_tar) point.problems.push_back(what + " is a tar archive of an old version");
  }
  if (lacks_recipe(point)) {
    point.partial = true;
    point.problems.push_back("its recipe (compose files, inspect output) was not saved");
  }
  const auto promised = promised_sources(point);
  if (sources < promised) {
    point.complete = false;
    point.problems.insert(point.problems.begin(), "half a run: " + std::to_string(sources) + " of " +
                                                      std::to_string(promised) + " volumes and binds were saved");
  }
}

void finish(RestorePoint& point) {
  std::sort(point.members.begin(), point.members.end(), [](const PointMember& left, const PointMember& right) {
    return std::tie(left.type, left.name) < std::tie(right.type, right.name);
  });
  point.time = TimePoint::max();
  for (const auto& member : point.members) point.time = std::min(point.time, time_of(member.snapshot));
  for (const auto& member : point.members) {
    if (const auto scope = scope_from(tag(member.snapshot, "backup_scope"))) point.scope = *scope;
    point.consistency = std::max(point.consistency, consistency_of(member.snapshot));
    point.pinned = point.pinned || member.snapshot.pinned;
  }
  judge(point);
}

}  // namespace

const PointMember* RestorePoint::member(SnapshotType type, const std::string& name) const {
  for (const auto& candidate : members) {
    if (candidate.type == type && (name.empty() || candidate.name == name)) return &candidate;
  }
  return nullptr;
}

std::vector<RestorePoint> restore_points(const std::vector<Snapshot>& snapshots) {
  std::map<std::tuple<std::string, std::string, std::string, std::string>, RestorePoint> groups;
  for (const auto& snapshot : snapshots) {
    const auto unit = tag(snapshot, "unit"), backup_id = tag(snapshot, "backup_id");
    const auto type = snapshot_type_from(tag(snapshot, "type"));
    if (unit.empty() || backup_id.empty() || !type || !snapshot.usable()) continue;
    auto member = make_member(snapshot, *type);
    if (member.name.empty()) continue;
    auto& point = groups[{snapshot.host, snapshot.user, unit, backup_id}];
    point.host = snapshot.host;
    point.user = snapshot.user;
    point.unit = unit;
    point.backup_id = backup_id;
    add_member(point, std::move(member));
  }
  std::vector<RestorePoint> points;
  for (auto& [key, point] : groups) {
    finish(point);
    points.push_back(std::move(point));
  }
  std::stable_sort(points.begin(), points.end(),
                   [](const RestorePoint& left, const RestorePoint& right) { return left.time > right.time; });
  return points;
}

}  // namespace kopidocka
