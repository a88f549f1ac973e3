#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/task.hpp"
#include "docker/types.hpp"

namespace kopidocka {

/// What the Engine API answered to stop, start, pause and unpause: done by this call, or it was so already (not
/// ours).
enum class StateChange { changed, already };

/// The Docker Engine, as far as the daemon needs it. Everything throws Error: unreachable (no connection),
/// timeout (deadline of the request), not_found (404), busy (409), denied (403 of a proxy), failed (the rest,
/// with the engine's own message). A request that timed out may still happen in the engine: inspect, never
/// assume.
class Docker {
 public:
  virtual ~Docker() = default;

  /// Negotiates the version once per connection loss; ErrorKind::refused when the engine is
  /// outside 1.40..1.56.
  virtual Task<EngineInfo> info() = 0;
  /// Ids of all containers, stopped ones included.
  virtual Task<std::vector<std::string>> list_containers() = 0;
  virtual Task<Container> inspect_container(std::string id) = 0;
  /// The engine's own JSON of GET /containers/{id}/json, for the recipe.
  virtual Task<std::string> inspect_container_json(std::string id) = 0;
  virtual Task<std::vector<Volume>> list_volumes() = 0;
  /// The engine's own JSON of GET /networks/{id}.
  virtual Task<std::string> inspect_network_json(std::string name) = 0;

  /// `grace` = seconds between the stop signal and SIGKILL; the request may last that long plus a margin.
  virtual Task<StateChange> stop_container(std::string id, int grace) = 0;
  virtual Task<StateChange> start_container(std::string id) = 0;
  /// Freezes all its processes, and lets them go on. One that does not run (a crash loop between two starts included)
  /// is ErrorKind::busy or failed.
  virtual Task<StateChange> pause_container(std::string id) = 0;
  virtual Task<StateChange> unpause_container(std::string id) = 0;

  /// While what it returns is held, questions may follow each other on the same connections: for many in a row.
  virtual std::shared_ptr<void> keep_connections() { return nullptr; }
};

/// Inspects many at once (at most `parallel`); a container that vanished meanwhile is left out.
Task<std::vector<Container>> inspect_all(Docker& docker, std::vector<std::string> ids, size_t parallel);

}  // namespace kopidocka
