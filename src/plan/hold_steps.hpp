#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace kopidocka {

/// Steps by the container they are about.
using StepsOf = std::map<std::string, std::vector<StepId>>;

/// One stop step for every running member that is held (a restore holds all): dependents first, what is independent side by
/// side. With consistency pause, the steps of a backup pause and unpause instead.
StepsOf add_stops(Plan& plan, int default_grace);

/// One start step for every stopped member: after its own stop, after the steps of `before` for it, and after its
/// providers were started. Runs whatever happens.
StepsOf add_starts(Plan& plan, const StepsOf& stops, const StepsOf& before, int default_grace);

/// Waits, when everything is up again, until each started member is healthy.
void add_health(Plan& plan, const StepsOf& stops, int default_grace);

/// Why the unit cannot be held now, every reason in one text; nothing when it can.
std::optional<Error> hold_refusal(const Unit& unit);

}  // namespace kopidocka
