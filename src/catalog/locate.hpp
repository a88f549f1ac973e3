#pragma once

#include <string>

#include "base/result.hpp"
#include "catalog/restore_points.hpp"

namespace kopidocka {

/// A place in a restore point as people name it.
struct Located {
  const PointMember* member = nullptr;  ///< of the point that was given; nullptr for the point itself
  std::string path;                     ///< within that snapshot
};

/// Reads a place in a restore point:
///  - "": the point itself, which has its snapshots as entries;
///  - "db/base/1": in a volume, by its name or by the one it has in the compose file;
///  - "/srv/shop/web/index.html": in a bind, by its path on the host;
///  - "recipe/docker-compose.yml", and the same for networks and docker_config.
/// not_found names what there is. Pure.
Result<Located> locate(const RestorePoint& point, const std::string& place);

}  // namespace kopidocka
