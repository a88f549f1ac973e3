#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/coordinator.hpp"

namespace kopidocka {

/// One thing that must be right for backups to work, and how to mend it.
struct Check {
  enum class Verdict { good, warning, bad };
  std::string name;
  Verdict verdict = Verdict::good;
  std::string found;
  std::string next_step;
};

std::string_view to_string(Check::Verdict verdict);

/// Looks at engine, repository, mounts, journal and units; changes nothing. A check that fails does not hide the others:
/// nothing needs to be in order for it. `alone` (`--inline`): nobody else meets the surroundings, so it does.
Task<std::vector<Check>> examine(Coordinator& coordinator, bool alone, Cancel cancel);

/// Of the containers held stopped, by unit, those that no run of this process holds: what a run holds just now is no
/// matter for worry. Pure.
std::map<std::string, std::set<std::string>> left_stopped(std::map<std::string, std::set<std::string>> held,
                                                          const std::vector<ActiveRun>& active);

/// What is known about the password that was generated, or that one is missing. Pure but for a look at its file.
Check check_password(const Assembly& assembly);

}  // namespace kopidocka
