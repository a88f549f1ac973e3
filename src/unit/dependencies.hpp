#pragma once

#include <string>

#include "unit/unit.hpp"

namespace kopidocka {

/// Fills Member::providers from compose's depends_on, namespaces, volumes-from, links and the depends-on label. Unknown
/// services in the label are added to unit.problems.
///
/// A circle has no order: it is broken, at the wish that Docker minds least (label, volumes-from, compose, link, namespace)
/// and then by name, and told as a warning. What is left never has one.
void resolve_dependencies(Unit& unit);

/// Whether the container lives in a namespace of the other one, and so can be started only while that runs.
bool shares_namespace_of(const Container& container, const Container& owner);

}  // namespace kopidocka
