#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "catalog/recipe.hpp"
#include "catalog/redact.hpp"
#include "catalog/yaml.hpp"

namespace kopidocka {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kHeader =
    "# Reconstructed by kopi-docka from what the Docker Engine knew about the containers: the original compose file was out\n"
    "# of sight or never existed. Values that come from the images are spelled out. Secrets stand as ${NAME}: set them in the\n"
    "# environment (see environment.json beside this file) or in a .env file.\n";

/// A part of the engine's JSON, whatever it may lack: null where it is missing or of another type.
const Json& at(const Json& value, const std::string& path) {
  static const Json nothing;
  const Json* found = &value;
  for (const auto& part : split(path, '.')) {
    if (!found->is_object() || !found->contains(part)) return nothing;
    found = &(*found)[part];
  }
  return *found;
}

std::string text_at(const Json& value, const std::string& path) {
  const auto& found = at(value, path);
  return found.is_string() ? found.get<std::string>() : std::string();
}

std::int64_t number_at(const Json& value, const std::string& path) {
  const auto& found = at(value, path);
  return found.is_number() ? found.get<std::int64_t>() : 0;
}

bool true_at(const Json& value, const std::string& path) {
  const auto& found = at(value, path);
  return found.is_boolean() && found.get<bool>();
}

/// Compose would replace $NAME in every value.
std::string literal(const std::string& text) {
  std::string safe;
  for (const char letter : text) safe += letter == '$' ? std::string("$$") : std::string(1, letter);
  return safe;
}

Json literals(const Json& list) {
  Json result = Json::array();
  for (const auto& entry : list) {
    if (entry.is_string()) result.push_back(literal(entry.get<std::string>()));
  }
  return result;
}

std::string nanoseconds(std::int64_t count) {
  return count % 1'000'000'000 == 0 ? std::to_string(count / 1'000'000'000) + "s" : std::to_string(count / 1'000'000) + "ms";
}

class Service {
 public:
  Service(const Json& inspect, bool standalone) : inspect_(inspect), standalone_(standalone) {}

  Json make(Json& volumes, Json& networks) {
    service_["image"] = literal(text_at(inspect_, "Config.Image"));
    if (standalone_) set_text("container_name", without_slash(text_at(inspect_, "Name")));
    set_list("entrypoint", "Config.Entrypoint");
    set_list("command", "Config.Cmd");
    set_text("user", text_at(inspect_, "Config.User"));
    set_text("working_dir", text_at(inspect_, "Config.WorkingDir"));
    set_hostname();
    set_environment();
    set_labels();
    set_mounts(volumes);
    set_ports();
    set_networks(networks);
    set_restart();
    set_rights();
    set_healthcheck();
    set_stopping();
    set_depends_on();
    return std::move(service_);
  }

 private:
  static std::string without_slash(const std::string& name) { return name.rfind('/', 0) == 0 ? name.substr(1) : name; }

  void set_text(const char* name, const std::string& value) {
    if (!value.empty()) service_[name] = literal(value);
  }

  void set_list(const char* name, const std::string& path) {
    const auto& list = at(inspect_, path);
    if (list.is_array() && !list.empty()) service_[name] = literals(list);
  }

  void set_hostname() {
    const auto hostname = text_at(inspect_, "Config.Hostname");
    const bool chosen_by_docker = text_at(inspect_, "Id").rfind(hostname, 0) == 0;
    if (!chosen_by_docker && text_at(inspect_, "HostConfig.NetworkMode") != "host") set_text("hostname", hostname);
  }

  void set_environment() {
    Json environment = Json::object();
    for (const auto& entry : at(inspect_, "Config.Env")) {
      if (!entry.is_string()) continue;
      const auto assignment = entry.get<std::string>();
      const auto equal = assignment.find('=');
      const auto name = assignment.substr(0, equal);
      if (equal == std::string::npos || name.empty()) continue;
      const bool secret = redact_assignment(assignment) != assignment;
      environment[name] = secret ? "${" + name + "}" : literal(assignment.substr(equal + 1));
    }
    if (!environment.empty()) service_["environment"] = std::move(environment);
  }

  void set_labels() {
    Json labels = Json::object();
    const auto& all = at(inspect_, "Config.Labels");
    if (!all.is_object()) return;
    for (const auto& [name, value] : all.items()) {
      if (name.rfind("com.docker.compose.", 0) != 0 && value.is_string()) labels[name] = literal(value.get<std::string>());
    }
    if (!labels.empty()) service_["labels"] = std::move(labels);
  }

  void set_mounts(Json& volumes) {
    Json mounts = Json::array(), temporary = Json::array();
    for (const auto& mount : at(inspect_, "Mounts")) {
      const auto type = text_at(mount, "Type"), target = text_at(mount, "Destination");
      if (type == "tmpfs") temporary.push_back(literal(target));
      if (type != "volume" && type != "bind") continue;
      const auto source = text_at(mount, type == "volume" ? "Name" : "Source");
      if (type == "volume") volumes[source] = {{"name", literal(source)}};
      // The long form: a ':' in a path would split the short one.
      Json entry = {{"type", type}, {"source", literal(source)}, {"target", literal(target)}};
      if (at(mount, "RW").is_boolean() && !true_at(mount, "RW")) entry["read_only"] = true;
      mounts.push_back(std::move(entry));
    }
    const auto& tmpfs = at(inspect_, "HostConfig.Tmpfs");
    if (tmpfs.is_object()) {
      for (const auto& [path, options] : tmpfs.items()) {
        const auto text = options.is_string() ? options.get<std::string>() : std::string();
        temporary.push_back(literal(text.empty() ? path : path + ":" + text));
      }
    }
    if (!mounts.empty()) service_["volumes"] = std::move(mounts);
    if (!temporary.empty()) service_["tmpfs"] = std::move(temporary);
  }

  void set_ports() {
    Json ports = Json::array();
    const auto& bindings = at(inspect_, "HostConfig.PortBindings");
    if (!bindings.is_object()) return;
    for (const auto& [port, places] : bindings.items()) {
      for (const auto& place : places) {
        const auto address = text_at(place, "HostIp"), host_port = text_at(place, "HostPort");
        const auto host = address.find(':') == std::string::npos ? address : "[" + address + "]";
        ports.push_back(literal((host.empty() ? "" : host + ":") + (host_port.empty() ? "" : host_port + ":") + port));
      }
    }
    if (!ports.empty()) service_["ports"] = std::move(ports);
  }

  void set_networks(Json& networks) {
    const auto mode = text_at(inspect_, "HostConfig.NetworkMode");
    if (mode == "host" || mode == "none" || mode.rfind("container:", 0) == 0) return set_text("network_mode", mode);
    Json joined = Json::object();
    const auto& attached = at(inspect_, "NetworkSettings.Networks");
    if (!attached.is_object()) return;
    for (const auto& [name, attachment] : attached.items()) {
      if (name == "bridge") continue;
      Json settings = Json::object();
      Json aliases = Json::array();
      for (const auto& alias : at(attachment, "Aliases")) {
        const auto text = alias.is_string() ? alias.get<std::string>() : std::string();
        if (!text.empty() && text_at(inspect_, "Id").rfind(text, 0) != 0) aliases.push_back(literal(text));
      }
      if (!aliases.empty()) settings["aliases"] = std::move(aliases);
      const auto ipv4 = text_at(attachment, "IPAMConfig.IPv4Address"), ipv6 = text_at(attachment, "IPAMConfig.IPv6Address");
      if (!ipv4.empty()) settings["ipv4_address"] = ipv4;
      if (!ipv6.empty()) settings["ipv6_address"] = ipv6;
      joined[name] = std::move(settings);
      networks[name] = {{"name", literal(name)}};
    }
    if (!joined.empty()) service_["networks"] = std::move(joined);
  }

  void set_restart() {
    auto policy = text_at(inspect_, "HostConfig.RestartPolicy.Name");
    const auto retries = number_at(inspect_, "HostConfig.RestartPolicy.MaximumRetryCount");
    if (policy == "on-failure" && retries > 0) policy += ":" + std::to_string(retries);
    if (policy != "no") set_text("restart", policy);
  }

  void set_rights() {
    set_list("cap_add", "HostConfig.CapAdd");
    set_list("cap_drop", "HostConfig.CapDrop");
    set_list("security_opt", "HostConfig.SecurityOpt");
    set_list("extra_hosts", "HostConfig.ExtraHosts");
    set_list("group_add", "HostConfig.GroupAdd");
    if (true_at(inspect_, "HostConfig.Privileged")) service_["privileged"] = true;
    if (true_at(inspect_, "HostConfig.ReadonlyRootfs")) service_["read_only"] = true;
    if (true_at(inspect_, "HostConfig.Init")) service_["init"] = true;
    if (true_at(inspect_, "Config.Tty")) service_["tty"] = true;
    Json devices = Json::array();
    for (const auto& device : at(inspect_, "HostConfig.Devices")) {
      devices.push_back(literal(text_at(device, "PathOnHost") + ":" + text_at(device, "PathInContainer") + ":" +
                                text_at(device, "CgroupPermissions")));
    }
    if (!devices.empty()) service_["devices"] = std::move(devices);
  }

  void set_healthcheck() {
    const auto& test = at(inspect_, "Config.Healthcheck.Test");
    if (!test.is_array() || test.empty()) return;
    Json check = {{"test", literals(test)}};
    for (const auto& [name, field] : {std::pair{"interval", "Interval"}, std::pair{"timeout", "Timeout"},
                                      std::pair{"start_period", "StartPeriod"}}) {
      const auto length = number_at(inspect_, std::string("Config.Healthcheck.") + field);
      if (length > 0) check[name] = nanoseconds(length);
    }
    const auto retries = number_at(inspect_, "Config.Healthcheck.Retries");
    if (retries > 0) check["retries"] = retries;
    service_["healthcheck"] = std::move(check);
  }

  void set_stopping() {
    set_text("stop_signal", text_at(inspect_, "Config.StopSignal"));
    const auto grace = number_at(inspect_, "Config.StopTimeout");
    if (grace > 0) service_["stop_grace_period"] = std::to_string(grace) + "s";
  }

  /// The label's form is "db:service_healthy:true,cache:service_started:false".
  void set_depends_on() {
    const auto& labels = at(inspect_, "Config.Labels");
    if (!labels.is_object() || !labels.contains("com.docker.compose.depends_on")) return;
    const auto& label = labels["com.docker.compose.depends_on"];
    if (!label.is_string()) return;
    Json depends = Json::object();
    for (const auto& entry : split(label.get<std::string>(), ',')) {
      const auto parts = split(entry, ':');
      if (!parts[0].empty()) depends[parts[0]] = {{"condition", parts.size() > 1 && !parts[1].empty() ? parts[1] : "service_started"}};
    }
    if (!depends.empty()) service_["depends_on"] = std::move(depends);
  }

  const Json& inspect_;
  const bool standalone_;
  Json service_ = Json::object();
};

std::string service_name(const Json& inspect, const std::string& container) {
  const auto& labels = at(inspect, "Config.Labels");
  const bool named = labels.is_object() && labels.contains("com.docker.compose.service");
  const auto name = named && labels["com.docker.compose.service"].is_string()
                        ? labels["com.docker.compose.service"].get<std::string>()
                        : container;
  return name;
}

/// A dependency that is not among the services would make the whole file invalid.
void drop_unknown_dependencies(Json& services) {
  for (auto& [name, service] : services.items()) {
    if (!service.contains("depends_on")) continue;
    Json known = Json::object();
    for (const auto& [provider, condition] : service["depends_on"].items()) {
      if (services.contains(provider)) known[provider] = condition;
    }
    service["depends_on"] = known;
    if (known.empty()) service.erase("depends_on");
  }
}

}  // namespace

Result<std::string> reconstructed_compose(const RecipeInput& input) {
  Json services = Json::object(), volumes = Json::object(), networks = Json::object();
  for (const auto& container : input.containers) {
    const auto inspect = Json::parse(container.json, nullptr, false);
    if (!inspect.is_object()) {
      return Error{ErrorKind::invalid, "the engine's description of container " + printable(container.name) + " cannot be read"};
    }
    const auto name = service_name(inspect, container.name);
    // Replicas of one service are alike.
    if (!services.contains(name)) services[name] = Service(inspect, input.unit.kind == UnitKind::standalone).make(volumes, networks);
  }
  drop_unknown_dependencies(services);
  Json file = {{"name", input.unit.name}, {"services", std::move(services)}};
  if (input.unit.kind == UnitKind::standalone) file.erase("name");
  if (!volumes.empty()) file["volumes"] = std::move(volumes);
  if (!networks.empty()) file["networks"] = std::move(networks);
  return kHeader + to_yaml(file);
}

}  // namespace kopidocka
