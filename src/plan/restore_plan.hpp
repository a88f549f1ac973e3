#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/restore_points.hpp"
#include "plan/plan.hpp"
#include "unit/host_paths.hpp"

namespace kopidocka {

struct RestoreOptions {
  std::string run;                   ///< id of this restore
  std::string trigger;
  std::vector<std::string> volumes;  ///< names to restore, full or as in the compose file; empty = all volumes and binds
  std::string to_folder;             ///< a folder as this process sees it; empty = in place
  int default_grace = 30;            ///< seconds
};

/// What a restore in place needs to know of the host.
struct RestoreSite {
  const HostPaths& paths;
  std::vector<Volume> volumes;        ///< of the engine
  std::vector<Container> containers;  ///< of the engine, to see who uses the places
  std::string own_container_id;
  std::vector<std::string> own_places = {};  ///< on the host: where our repository, state and cache lie
  std::vector<DataSource> backed_up = {};    ///< what backups of any unit read
};

/// The plan that brings a point back. `unit` is the unit as it stands now, absent when the host does not have it.
/// In place: new data is restored beside the present data while all is up, then the unit is stopped, the data swapped, the
/// unit started; the present data goes only after everything is up and healthy. A place inside another one is restored
/// during the hold, into the outer place's new data.
/// With `to_folder`: <to>/volumes/NAME, <to>/binds/path_with_underscores, <to>/recipe, <to>/networks, <to>/docker_config.
/// Refused with it: a folder that is not the host's, of our own, or in what is backed up.
/// Refused: a volume that does not exist here, a place out of sight, a place that other running containers use, a member
/// that cannot be held. Pure.
Result<Plan> make_restore_plan(const RestorePoint& point, const std::optional<Unit>& unit, const RestoreOptions& options,
                               const RestoreSite& site);

}  // namespace kopidocka
