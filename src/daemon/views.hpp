#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>

#include "catalog/restore_points.hpp"
#include "docker/types.hpp"
#include "unit/unit.hpp"

namespace kopidocka {

/// What `--json` prints; the words are the same in every verb and documented in docs/json.md.
nlohmann::json unit_json(const Unit& unit, std::optional<TimePoint> next_run);
nlohmann::json point_json(const RestorePoint& point);
nlohmann::json problem_json(const Problem& problem);

}  // namespace kopidocka
