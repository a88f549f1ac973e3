#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/coordinator.hpp"

namespace kopidocka {

/// Which restore points a user wants to keep or to be rid of.
struct PointsWish {
  std::string unit;
  std::string at;       ///< one point, as for restore; empty with `all`
  std::string machine;  ///< whose backup; empty = this one's
  bool all = false;     ///< every point of the unit
};

/// Pins a point, or takes that back; the point as it is then. Throws not_found and what the engine throws.
Task<nlohmann::json> pin_point(Coordinator& coordinator, PointsWish wish, bool pinned, Cancel cancel);

/// Removes points for good; those that went, or with `dry_run` those that would. Refused for pinned ones and for one that a run
/// is just making.
Task<nlohmann::json> delete_points(Coordinator& coordinator, PointsWish wish, bool dry_run, Cancel cancel);

}  // namespace kopidocka
