#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/engine.hpp"
#include "unit/unit.hpp"

namespace kopidocka {

/// The kinds of snapshot that together are one backup. The words are the tag `type` of the Python original.
enum class SnapshotType { recipe, networks, docker_config, volume, bind };

std::string_view to_string(SnapshotType type);
std::optional<SnapshotType> snapshot_type_from(std::string_view text);

/// What every snapshot of one run has in common.
struct RunTags {
  std::string unit;
  std::string backup_id;  ///< a UUID
  Scope scope = Scope::standard;
  TimePoint time{};
  size_t sources = 0;  ///< volume and bind snapshots the run is to have; a point with fewer is half a run
  Consistency consistency = Consistency::stop;
};

/// The tags of each type, exactly those by which the Python original finds and restores a snapshot, plus `timestamp` on
/// every one (without it that program dates the point "now") and our own, which start with `kd_`.
Tags recipe_tags(const RunTags& run);
Tags networks_tags(const RunTags& run, size_t network_count);
/// `files` as in "daemon.json,docker.service.d/".
Tags docker_config_tags(const RunTags& run, const std::string& files);
/// For a volume or bind of the unit; `bytes` 0 = not known.
Tags source_tags(const RunTags& run, const DataSource& source, std::uint64_t bytes);

/// Whether a snapshot with these tags was read while its writers were stopped. The Python original always stops them and has no
/// tag for it; of what bears no tags of a run nothing is known.
bool read_from_stopped(const Tags& tags);

/// The identity path of a staged snapshot: fixed, wherever our cache folder is, so that history is shared between
/// both programs and survives a moved cache. Only for recipe, networks and docker_config.
std::string staging_identity(SnapshotType type, const std::string& unit);

/// Whether a unit's name can be one component of a path. Names come from labels: "..", "a/b" or a NUL are refused.
Result<void> check_unit_name(const std::string& unit);

}  // namespace kopidocka
