#pragma once

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

/// Looks at engine, repository, mounts, journal and units; changes nothing. A check that fails does not hide the others.
Task<std::vector<Check>> examine(Coordinator& coordinator, Cancel cancel);

}  // namespace kopidocka
