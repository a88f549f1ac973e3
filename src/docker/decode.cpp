#include "docker/decode.hpp"

#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace kopidocka {
namespace {
using nlohmann::json;

Error unreadable(const char* what) {
  return {ErrorKind::failed,
          std::string("the Docker Engine's ") + what + " is not readable JSON of the expected shape"};
}

json parse(std::string_view text) { return json::parse(text.begin(), text.end(), nullptr, false); }

const json& member(const json& object, const char* key) {
  static const json kNothing;
  if (!object.is_object()) return kNothing;
  const auto found = object.find(key);
  return found == object.end() ? kNothing : *found;
}

std::string text(const json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string();
}

bool flag(const json& object, const char* key, bool otherwise) {
  const auto& value = member(object, key);
  return value.is_boolean() ? value.get<bool>() : otherwise;
}

/// 0 for anything that is not a whole number of 64 bits.
std::int64_t number(const json& object, const char* key) {
  const auto& value = member(object, key);
  if (value.is_number_unsigned()) {
    const auto wide = value.get<std::uint64_t>();
    return wide > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())
               ? 0
               : static_cast<std::int64_t>(wide);
  }
  return value.is_number_integer() ? value.get<std::int64_t>() : 0;
}

int small_number(const json& object, const char* key) {
  const auto wide = number(object, key);
  return wide < std::numeric_limits<int>::min() || wide > std::numeric_limits<int>::max()
             ? 0
             : static_cast<int>(wide);
}

std::vector<std::string> texts(const json& object, const char* key) {
  std::vector<std::string> values;
  const auto& array = member(object, key);
  if (!array.is_array()) return values;
  for (const auto& value : array) {
    if (value.is_string()) values.push_back(value.get<std::string>());
  }
  return values;
}

StringMap text_map(const json& object, const char* key) {
  StringMap values;
  const auto& map = member(object, key);
  if (!map.is_object()) return values;
  for (const auto& [name, value] : map.items()) {
    if (value.is_string()) values.emplace(name, value.get<std::string>());
  }
  return values;
}

ContainerState decode_state(const json& object) {
  ContainerState state;
  state.status = text(object, "Status");
  state.exit_code = small_number(object, "ExitCode");
  state.oom_killed = flag(object, "OOMKilled", false);
  state.started_at = text(object, "StartedAt");
  state.finished_at = text(object, "FinishedAt");
  state.health = text(member(object, "Health"), "Status");
  if (state.health == "none") state.health.clear();
  return state;
}

std::vector<Mount> decode_mounts(const json& array) {
  std::vector<Mount> mounts;
  if (!array.is_array()) return mounts;
  for (const auto& entry : array) {
    if (!entry.is_object()) continue;
    Mount mount;
    mount.type = text(entry, "Type");
    mount.name = text(entry, "Name");
    mount.source = text(entry, "Source");
    mount.destination = text(entry, "Destination");
    mount.driver = text(entry, "Driver");
    mount.propagation = text(entry, "Propagation");
    mount.writable = flag(entry, "RW", true);
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::map<std::string, NetworkAttachment> decode_networks(const json& map) {
  std::map<std::string, NetworkAttachment> networks;
  if (!map.is_object()) return networks;
  for (const auto& [name, entry] : map.items()) {
    NetworkAttachment attachment;
    attachment.network_id = text(entry, "NetworkID");
    attachment.ipv4_address = text(member(entry, "IPAMConfig"), "IPv4Address");
    attachment.ip_address = text(entry, "IPAddress");
    attachment.ipv6_address = text(entry, "GlobalIPv6Address");
    attachment.aliases = texts(entry, "Aliases");
    networks.emplace(name, std::move(attachment));
  }
  return networks;
}

void decode_host_config(const json& object, Container& container) {
  container.auto_remove = flag(object, "AutoRemove", false);
  container.restart_policy = text(member(object, "RestartPolicy"), "Name");
  container.network_mode = text(object, "NetworkMode");
  container.pid_mode = text(object, "PidMode");
  container.ipc_mode = text(object, "IpcMode");
  container.volumes_from = texts(object, "VolumesFrom");
  container.links = texts(object, "Links");
}

void decode_config(const json& object, Container& container) {
  container.image = text(object, "Image");
  container.labels = text_map(object, "Labels");
  if (member(object, "StopTimeout").is_number_integer())
    container.stop_timeout = small_number(object, "StopTimeout");
  const auto test = texts(member(object, "Healthcheck"), "Test");
  container.has_healthcheck = !test.empty() && test.front() != "NONE";
}

}  // namespace

Result<Container> decode_container(std::string_view json_text) {
  const auto object = parse(json_text);
  Container container;
  container.id = text(object, "Id");
  if (container.id.empty()) return unreadable("answer about a container");
  container.name = text(object, "Name");
  if (container.name.starts_with('/')) container.name.erase(0, 1);
  container.image_id = text(object, "Image");
  container.created = text(object, "Created");
  container.state = decode_state(member(object, "State"));
  container.mounts = decode_mounts(member(object, "Mounts"));
  container.networks = decode_networks(member(member(object, "NetworkSettings"), "Networks"));
  decode_host_config(member(object, "HostConfig"), container);
  decode_config(member(object, "Config"), container);
  return container;
}

Result<std::vector<std::string>> decode_container_ids(std::string_view json_text) {
  const auto only_ids = [](int depth, json::parse_event_t event, json& parsed) {
    return event != json::parse_event_t::key || depth > 2 || parsed == "Id";
  };
  const auto array = json::parse(json_text.begin(), json_text.end(), only_ids, false);
  if (!array.is_array()) return unreadable("list of containers");
  std::vector<std::string> ids;
  for (const auto& entry : array) {
    if (auto id = text(entry, "Id"); !id.empty()) ids.push_back(std::move(id));
  }
  return ids;
}

Result<std::vector<Volume>> decode_volumes(std::string_view json_text) {
  const auto object = parse(json_text);
  if (!object.is_object()) return unreadable("list of volumes");
  std::vector<Volume> volumes;
  const auto& array = member(object, "Volumes");
  if (!array.is_array()) return volumes;
  for (const auto& entry : array) {
    Volume volume;
    volume.name = text(entry, "Name");
    volume.driver = text(entry, "Driver");
    volume.mountpoint = text(entry, "Mountpoint");
    volume.scope = text(entry, "Scope");
    volume.labels = text_map(entry, "Labels");
    volume.options = text_map(entry, "Options");
    if (!volume.name.empty()) volumes.push_back(std::move(volume));
  }
  return volumes;
}

Result<EngineInfo> decode_info(std::string_view json_text) {
  const auto object = parse(json_text);
  if (!object.is_object()) return unreadable("description of itself");
  EngineInfo info;
  info.id = text(object, "ID");
  info.name = text(object, "Name");
  info.engine_version = text(object, "ServerVersion");
  info.root_dir = text(object, "DockerRootDir");
  info.operating_system = text(object, "OperatingSystem");
  info.swarm_active = text(member(object, "Swarm"), "LocalNodeState") == "active";
  info.cpus = small_number(object, "NCPU");
  info.memory_bytes = number(object, "MemTotal");
  return info;
}

Result<std::string> decode_api_version(std::string_view json_text) {
  auto version = text(parse(json_text), "ApiVersion");
  if (version.empty()) return unreadable("version");
  return version;
}

Result<DockerEvent> decode_event(std::string_view json_text) {
  const auto object = parse(json_text);
  DockerEvent event;
  event.type = text(object, "Type");
  event.action = text(object, "Action");
  if (event.type.empty() || event.action.empty()) return unreadable("event");
  if (const auto colon = event.action.find(':'); colon != std::string::npos) {
    event.detail = trim(std::string_view(event.action).substr(colon + 1));
    event.action.resize(colon);
  }
  const auto& actor = member(object, "Actor");
  event.actor_id = text(actor, "ID");
  event.attributes = text_map(actor, "Attributes");
  event.time_nano = number(object, "timeNano");
  constexpr std::int64_t kNano = 1'000'000'000;
  const auto seconds = number(object, "time");
  if (event.time_nano == 0 && seconds > 0 && seconds < std::numeric_limits<std::int64_t>::max() / kNano)
    event.time_nano = seconds * kNano;
  return event;
}

std::string decode_message(std::string_view json_text) { return text(parse(json_text), "message"); }

std::string encode_filters(const std::vector<std::string>& types, const std::vector<std::string>& actions) {
  return json{{"type", types}, {"event", actions}}.dump();
}

}  // namespace kopidocka
