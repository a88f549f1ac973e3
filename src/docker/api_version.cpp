#include "docker/api_version.hpp"

#include <charconv>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using Version = std::pair<int, int>;

std::optional<Version> parse_version(std::string_view text) {
  Version version;
  const char* const end = text.data() + text.size();
  const auto major = std::from_chars(text.data(), end, version.first);
  if (major.ec != std::errc() || major.ptr == end || *major.ptr != '.') return std::nullopt;
  const auto minor = std::from_chars(major.ptr + 1, end, version.second);
  if (minor.ec != std::errc() || minor.ptr != end || version.first < 0 || version.second < 0)
    return std::nullopt;
  return version;
}

}  // namespace

Result<std::string> choose_api_version(std::string_view server) {
  const auto theirs = parse_version(server);
  if (!theirs) {
    return Error(
        ErrorKind::failed,
        "the answer to GET /_ping names no Docker Engine API version (\"" + printable(server, 40) + "\")",
        "is DOCKER_HOST the address of a Docker Engine?");
  }
  if (*theirs < *parse_version(kOldestApi)) {
    return Error(ErrorKind::refused,
                 "Docker Engine API " + std::string(server) + " is too old: " + std::string(kOldestApi) +
                     " or newer is needed",
                 "update Docker Engine to 19.03 or newer");
  }
  return std::string(*theirs < *parse_version(kNewestApi) ? server : kNewestApi);
}

}  // namespace kopidocka
