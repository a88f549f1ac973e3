#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"

namespace kopidocka {

/// Typed values out of the Engine API (1.40 to 1.56). Every field may be missing in some version; missing is
/// empty.

using StringMap = std::map<std::string, std::string>;

struct Mount {
  std::string type;         ///< volume, bind, tmpfs, npipe, cluster, image
  std::string name;         ///< volume name, empty for binds
  std::string source;       ///< path on the engine's host
  std::string destination;  ///< path in the container
  std::string driver;
  std::string propagation;
  bool writable = true;
};

struct ContainerState {
  std::string status;  ///< created, running, paused, restarting, removing, exited, dead
  int exit_code = 0;
  bool oom_killed = false;
  std::string started_at;  ///< as Docker wrote it; compared as text, never parsed for identity
  std::string finished_at;
  std::string health;  ///< "", starting, healthy, unhealthy
};

struct NetworkAttachment {
  std::string network_id;
  std::string ipv4_address;  ///< configured static address, empty when dynamic
  std::string ip_address, ipv6_address;  ///< the ones it has now, empty while it does not run
  std::vector<std::string> aliases;
};

struct Container {
  std::string id;     ///< full 64 hex digits
  std::string name;   ///< without the leading slash
  std::string image;  ///< as configured
  std::string image_id;
  std::string created;
  ContainerState state;
  StringMap labels;
  std::vector<Mount> mounts;
  bool auto_remove = false;
  std::string restart_policy;
  std::string network_mode;
  std::string pid_mode;
  std::string ipc_mode;
  std::vector<std::string> volumes_from;
  std::vector<std::string> links;
  std::optional<int> stop_timeout;  ///< seconds
  std::map<std::string, NetworkAttachment> networks;
  bool has_healthcheck = false;

  bool running() const {
    return state.status == "running" || state.status == "restarting" || state.status == "paused";
  }
};

struct Volume {
  std::string name;
  std::string driver;
  std::string mountpoint;
  std::string scope;
  StringMap labels;
  StringMap options;
};

struct EngineInfo {
  std::string id;    ///< the engine's own id
  std::string name;  ///< host name of the engine
  std::string engine_version;
  std::string api_version;  ///< the one negotiated
  std::string root_dir;     ///< DockerRootDir
  std::string operating_system;
  bool swarm_active = false;
  int cpus = 0;
  std::int64_t memory_bytes = 0;
};

/// One line of /events.
struct DockerEvent {
  std::string type;    ///< container, volume, network, daemon
  std::string action;  ///< start, die, health_status, ... (the suffix after ": " is in `detail`)
  std::string detail;
  std::string actor_id;
  StringMap attributes;
  std::int64_t time_nano = 0;
};

}  // namespace kopidocka
