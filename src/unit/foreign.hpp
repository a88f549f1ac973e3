#pragma once

#include <vector>

#include "unit/survey.hpp"
#include "unit/unit.hpp"

namespace kopidocka {

/// Decides about running containers outside a unit that write to its data (DataSource::foreign_writers). Those that can be
/// held are held with the unit (Unit::foreign) and told as a warning; the others make it invalid. Wants all units, with
/// dependencies and sources found. Pure.
void judge_foreign_writers(std::vector<Unit>& units, const Survey& survey);

}  // namespace kopidocka
