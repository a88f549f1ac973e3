#pragma once

#include <string>

#include "base/error.hpp"
#include "process/process.hpp"

namespace kopidocka {

/// Kopia knows only exit codes 0 and 1: why a call failed is read from its words.
Error kopia_error(const std::string& doing, const ProcessResult& result, const std::string& config_file);

/// True when the call failed for want of a connection.
bool kopia_not_connected(const ProcessResult& result);

}  // namespace kopidocka
