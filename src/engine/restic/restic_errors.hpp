#pragma once

#include <string>

#include "base/error.hpp"
#include "process/process.hpp"

namespace kopidocka {

/// Why a call failed: by exit code where restic has one for it (10, 11, 12 since 0.17), else by its words.
Error restic_error(const std::string& doing, const ProcessResult& result);

/// True when the call failed because somebody else uses the repository: it may succeed later.
bool restic_locked(const ProcessResult& result);

}  // namespace kopidocka
