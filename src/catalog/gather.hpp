#pragma once

#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/task.hpp"
#include "catalog/networks.hpp"
#include "catalog/recipe.hpp"
#include "docker/docker.hpp"
#include "unit/host_paths.hpp"
#include "worker/worker.hpp"

namespace kopidocka {

/// Where the daemon's configuration is seen here; empty = out of sight.
struct DockerConfigPaths {
  std::string daemon_json = "/etc/docker/daemon.json";
  std::string service_drop_ins = "/etc/systemd/system/docker.service.d";
};

/// The daemon's configuration on the host, through our own mounts.
DockerConfigPaths docker_config_paths(const HostPaths& paths);

/// Collects what a recipe is made of (`input.unit`, ids, times and settings are given; containers and files are looked
/// up here) and makes it. A file out of sight is a note; an unreachable engine or a worker that does not answer throws.
Task<StagedFolder> gather_recipe(Docker& docker, const Worker& worker, RecipeInput input, Cancel cancel);

/// The unit's networks. One that vanished meanwhile is a note.
Task<StagedFolder> gather_networks(Docker& docker, std::string unit, std::vector<std::string> networks, TimePoint time);

/// What is out of sight, or there and unreadable, is a gap. A host without such files has an empty folder and no gap.
Task<StagedFolder> gather_docker_config(const Worker& worker, DockerConfigPaths paths, Cancel cancel);

}  // namespace kopidocka
