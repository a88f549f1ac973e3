#include "daemon/keeping.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "daemon/views.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

std::string shown(const RestorePoint& point) { return "backup " + point.backup_id.substr(0, 8) + " of " + printable(point.unit); }

std::vector<std::string> ids_of(const std::vector<RestorePoint>& points) {
  std::vector<std::string> ids;
  for (const auto& point : points) {
    for (const auto& member : point.members) ids.push_back(member.snapshot.id);
  }
  return ids;
}

Task<std::vector<RestorePoint>> wanted_points(Coordinator& coordinator, PointsWish wish) {
  if (!wish.all) {
    auto point = co_await coordinator.point_of(wish.unit, wish.at, wish.machine);
    co_return std::vector<RestorePoint>(1, std::move(point));
  }
  auto points = co_await coordinator.points_of(wish.machine);
  std::erase_if(points, [&](const RestorePoint& point) { return point.unit != wish.unit; });
  // Names the unit that may have been meant.
  if (points.empty()) (void)co_await coordinator.point_of(wish.unit, "latest", wish.machine);
  co_return points;
}

void refuse_what_is_needed(const Coordinator& coordinator, const std::vector<RestorePoint>& points) {
  for (const auto& point : points) {
    if (point.pinned) throw Error(ErrorKind::refused, shown(point) + " is pinned", "unpin it first: kopi-docka unpin " + point.unit + " --at " + point.backup_id.substr(0, 8));
    for (const auto& run : coordinator.active()) {
      if (run.run == point.backup_id) throw Error(ErrorKind::busy, shown(point) + " is just being made", "wait for it: 'kopi-docka status'");
      if (run.kind == RunKind::restore && run.unit == point.unit) {
        throw Error(ErrorKind::busy, "a restore of unit " + printable(point.unit) + " is going on", "wait for it: 'kopi-docka status'");
      }
    }
  }
}

}  // namespace

Task<json> pin_point(Coordinator& coordinator, PointsWish wish, bool pinned, Cancel cancel) {
  const auto before = co_await coordinator.point_of(wish.unit, wish.at, wish.machine);
  const std::vector<RestorePoint> one(1, before);
  co_await coordinator.assembly().engine->pin(ids_of(one), pinned, cancel);
  // Its snapshots have other ids now; the backup has the same.
  const auto after = co_await coordinator.point_of(wish.unit, before.backup_id, wish.machine);
  if (after.pinned != pinned) {
    throw Error(ErrorKind::failed, shown(after) + (pinned ? " is not pinned" : " is still pinned, by somebody else"), "see 'kopia snapshot list'");
  }
  co_return point_json(after);
}

Task<json> delete_points(Coordinator& coordinator, PointsWish wish, bool dry_run, Cancel cancel) {
  const auto points = co_await wanted_points(coordinator, wish);
  refuse_what_is_needed(coordinator, points);
  json listed = json::array();
  for (const auto& point : points) listed.push_back(point_json(point));
  if (!dry_run) co_await coordinator.assembly().engine->remove(ids_of(points), cancel);
  co_return listed;
}

}  // namespace kopidocka
