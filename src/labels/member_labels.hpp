#pragma once

#include <vector>

#include "labels/policy.hpp"
#include "labels/sorted_labels.hpp"

namespace kopidocka {

/// What the labels of one container say about itself. A wrong label leaves its default and adds an error; a hook with
/// an error is left out.
MemberPolicy read_member_policy(const SortedLabels& labels, const std::string& prefix, std::vector<Problem>& problems);

}  // namespace kopidocka
