#pragma once

#include <string>

#include "docker/docker.hpp"

namespace kopidocka {

/// Bounded waits on a container's state, by inspecting it four times a second. An engine that does not answer
/// for a moment (unreachable, timeout) is asked again until `limit` is over, then its error is thrown;
/// not_found is thrown at once.

/// The container as it is once it does not run any more. For after a stop: a stop request that timed out or
/// lost its connection may still be carried out. ErrorKind::timeout when it still runs at the limit.
Task<Container> wait_until_stopped(Docker& docker, std::string id, Milliseconds limit);

/// True when the container runs and is healthy, or runs and has no health check; false when that has not come
/// within `limit` (starting and unhealthy both go on waiting: many checks fail first). ErrorKind::failed with
/// the exit code when it has ended.
Task<bool> wait_until_healthy(Docker& docker, std::string id, Milliseconds limit);

}  // namespace kopidocka
