#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kopidocka {

/// The Engine API versions this program is written for.
inline constexpr std::string_view kOldestApi = "1.40";
inline constexpr std::string_view kNewestApi = "1.56";

/// The version to speak with an engine whose newest is `server`: the smaller of both. ErrorKind::refused when
/// the engine is older than kOldestApi, ErrorKind::failed when `server` is no version. A newer engine that no
/// longer speaks kNewestApi says so itself at the first request.
Result<std::string> choose_api_version(std::string_view server);

}  // namespace kopidocka
