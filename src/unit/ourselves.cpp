#include "unit/ourselves.hpp"

#include <algorithm>
#include <string_view>

#include "base/text.hpp"
#include "unit/namespaces.hpp"

namespace kopidocka {
namespace {

bool has_role(const Container& container, const std::string& prefix) {
  const auto role = container.labels.find(prefix + "role");
  return role != container.labels.end() && role->second == "sidecar";
}

/// Behind these names is our own network namespace, never another container of the engine.
bool is_loopback(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "::1";
}

bool is_same_network(const std::string& name, const NetworkAttachment& a, const Container& self) {
  if (name == "host" || name == "none") return false;
  return std::any_of(self.networks.begin(), self.networks.end(), [&](const auto& own) {
    const auto& id = own.second.network_id;
    // A container that was never started has no ids yet.
    return id.empty() || a.network_id.empty() ? own.first == name : id == a.network_id;
  });
}

/// Whether the container answers to `host` on a network that we are in as well: by name, alias or address.
bool answers_to(const Container& container, const std::string& host, const Container& self) {
  const auto wanted = lower(host);
  if (wanted.empty() || is_loopback(wanted)) return false;
  return std::any_of(container.networks.begin(), container.networks.end(), [&](const auto& network) {
    const auto& [network_name, attachment] = network;
    if (!is_same_network(network_name, attachment, self)) return false;
    for (const auto* address : {&attachment.ip_address, &attachment.ipv6_address, &attachment.ipv4_address}) {
      if (!address->empty() && lower(*address) == wanted) return true;
    }
    auto names = attachment.aliases;
    names.push_back(container.name);
    names.push_back(container.id.substr(0, kShortId));
    const auto in_network = "." + lower(network_name);
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      const auto known = lower(name);
      return !known.empty() && (known == wanted || known + in_network == wanted);
    });
  });
}

bool holds_an_engine_socket(const Container& container) {
  return std::any_of(container.mounts.begin(), container.mounts.end(), [](const Mount& mount) {
    return mount.type == "bind" && (mount.source.ends_with(".sock") || mount.source == "/run" || mount.source == "/var/run");
  });
}

/// Whether the container makes the socket through which we reach Docker: it writes to the folder or volume in which ours
/// lies, and has the engine's own. Where our socket is the engine's own, mounted the usual way, there is no proxy.
bool serves_socket(const Container& container, const Surroundings& surroundings) {
  const auto* ours = surroundings.docker_socket.empty() ? nullptr : surroundings.paths.mount_of(surroundings.docker_socket);
  if (ours == nullptr || ours->source.empty()) return false;
  if (ours->type != "volume" && (ours->source.ends_with(".sock") || is_host_internal(ours->source))) return false;
  return holds_an_engine_socket(container) &&
         std::any_of(container.mounts.begin(), container.mounts.end(),
                     [&](const Mount& mount) { return mount.writable && mount.source == ours->source; });
}

}  // namespace

bool is_ourselves(const Container& container, const Container* self, const Surroundings& surroundings) {
  // The image carries the role under the usual prefix, whatever prefix the labels of stacks have here.
  if (has_role(container, surroundings.defaults.prefix) || has_role(container, PolicyDefaults().prefix)) return true;
  if (self == nullptr) return false;
  if (container.id == self->id) return true;
  const auto borrowed = borrowed_namespaces(container);
  const bool in_our_network = std::any_of(borrowed.begin(), borrowed.end(), [&](const BorrowedNamespace& from) {
    return from.kind == "network" && is_meant(from.owner, *self);
  });
  return in_our_network || answers_to(container, surroundings.docker_proxy_host, *self) || serves_socket(container, surroundings);
}

}  // namespace kopidocka
