#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "catalog/tags.hpp"

namespace kopidocka {

/// One snapshot of a point and what it is of.
struct PointMember {
  SnapshotType type = SnapshotType::volume;
  std::string name;         ///< volume name; bind path on the host; the unit for the others
  std::string destination;  ///< in the container, of a bind
  bool legacy_tar = false;  ///< written by an old version of the Python original: one tar file, not a folder
  Snapshot snapshot;
};

/// What one run saved: everything that is restored together. Rebuilt from the repository's tags alone.
struct RestorePoint {
  std::string unit;
  std::string host, user;
  std::string backup_id;
  TimePoint time{};
  Scope scope = Scope::standard;
  Consistency consistency = Consistency::stop;  ///< the weakest of its members
  std::vector<PointMember> members;  ///< recipe, networks, docker_config, volumes, binds; by name within a type
  bool complete = true;  ///< false: half a run (fewer sources than its own tags promise); not offered by default
  bool pinned = false;   ///< somebody pinned one of its members: no retention lets that go
  bool partial = false;  ///< some entries could not be read when it was made, or its recipe is missing
  std::vector<std::string> problems;
  std::uint64_t bytes = 0, files = 0;  ///< of volumes and binds

  const PointMember* member(SnapshotType type, const std::string& name = {}) const;
};

/// Groups snapshots by host, unit and backup id; newest point first. Snapshots without these tags, of unknown type or
/// incomplete are left out. Reads what the Python original wrote: missing `timestamp` (the snapshots' own start),
/// times without offset (UTC), missing scope (standard), missing `kd_consistency` (stop), volumes without `backup_format` (a tar). Pure.
std::vector<RestorePoint> restore_points(const std::vector<Snapshot>& snapshots);

/// The point of `unit` that `at` means:
///  - "" or "latest": the newest complete one;
///  - a backup id or snapshot id, or at least 6 first characters of one (also of an incomplete point);
///  - a time, "2026-11-20 03:00[:00]" (in the zone of `utc_offset` unless it has its own), "2026-11-20": the newest
///    complete point not later. The unit of the last field given counts as a whole: 03:00 includes 03:00:59;
///  - "3 days ago" (minutes, hours, days, weeks; one or more): the newest complete point that is at least that old at `now`.
/// not_found names the nearest points or units, invalid what cannot be read or is ambiguous.
Result<RestorePoint> find_point(const std::vector<RestorePoint>& points, const std::string& unit, const std::string& at, TimePoint now,
                                Seconds utc_offset = Seconds(0));

/// The points that `machine` has saved; all when it is empty. not_found names the machine that may have been meant.
Result<std::vector<RestorePoint>> points_of_machine(std::vector<RestorePoint> points, const std::string& machine);

}  // namespace kopidocka
