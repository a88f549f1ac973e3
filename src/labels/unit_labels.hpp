#pragma once

#include <vector>

#include "labels/policy.hpp"
#include "labels/sorted_labels.hpp"

namespace kopidocka {

/// The policy of a unit from the unit labels of all its containers. A label whose value is wrong leaves its default and
/// adds an error; the same label with two values is an error as well. A unit that is not enabled has no schedule.
UnitPolicy read_unit_policy(const std::vector<SortedLabels>& containers, const PolicyDefaults& defaults,
                            std::vector<Problem>& problems);

}  // namespace kopidocka
