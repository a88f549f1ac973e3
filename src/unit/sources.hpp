#pragma once

#include "unit/discovery.hpp"
#include "unit/survey.hpp"

namespace kopidocka {

/// Fills unit.sources from the members' mounts and the unit's filters, and unit.problems with what cannot be backed up:
/// a place we do not see, a driver whose data vanishes with its last container. Who else writes to it is noted (foreign_writers) and judged when all
/// units are known.
void find_sources(Unit& unit, const Survey& survey);

}  // namespace kopidocka
