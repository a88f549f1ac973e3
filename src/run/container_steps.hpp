#pragma once

#include <optional>
#include <string>

#include "docker/docker.hpp"

namespace kopidocka {

/// The container as the engine has it now; nothing when it is gone. Other errors are thrown.
Task<std::optional<Container>> look_at_container(Docker& docker, std::string id);

/// True when the container has ended (or is gone) within `limit`. Docker goes on stopping after a lost answer.
Task<bool> ended_within(Docker& docker, const Clock& clock, std::string id, Milliseconds limit);

/// Starts a container, again and again while that fails, at most `limit`; then throws the last error.
Task<> start_with_retry(Docker& docker, const Clock& clock, std::string id, Milliseconds limit);

}  // namespace kopidocka
