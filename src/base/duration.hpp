#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kopidocka {

using Milliseconds = std::chrono::milliseconds;

/// Reads "90s", "5m", "1h30m", "2d", "250ms"; a bare number is refused except 0. Never negative.
Result<Milliseconds> parse_duration(std::string_view text);

/// "1h30m", "45s", "1.2s", "0s": the shortest form a person reads.
std::string format_duration(Milliseconds duration);

}  // namespace kopidocka
