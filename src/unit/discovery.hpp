#pragma once

#include <set>
#include <string>
#include <vector>

#include "docker/types.hpp"
#include "unit/host_paths.hpp"
#include "unit/unit.hpp"

namespace kopidocka {

/// All that the engine told, at one moment.
struct Inventory {
  std::vector<Container> containers;
  std::vector<Volume> volumes;
};

/// What discovery must know about ourselves.
struct Surroundings {
  PolicyDefaults defaults;
  HostPaths paths;
  std::string own_container_id;        ///< empty on a host
  std::string docker_proxy_host;       ///< host in DOCKER_HOST=tcp://..., empty for a unix socket
  std::string docker_socket;           ///< path of the unix socket as we see it, empty for TCP
  std::string docker_root;             ///< the engine's own folder (DockerRootDir), empty when not known
  std::set<std::string> held;          ///< ids of containers that a run of ours holds stopped at this moment
  std::vector<std::string> own_paths;  ///< host paths of our repository, state and cache: never backed up
};

/// Groups containers into units and finds their data, recipe and problems. Pure: same values in, same units out.
/// Units come sorted by name; those without labels are there too (policy.enabled = false), so that nothing goes unseen.
/// An error among unit.problems makes the unit invalid; it names the container, volume or path and what to do.
std::vector<Unit> discover(const Inventory& inventory, const Surroundings& surroundings);

/// "postgres", "mysql", "mariadb", "mongodb", "redis", "influxdb", "couchdb" for images of those databases; empty otherwise.
std::string database_of(const std::string& image);

}  // namespace kopidocka
