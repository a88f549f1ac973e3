#include "unit/host_paths.hpp"

#include <array>
#include <filesystem>
#include <string_view>

namespace kopidocka {
namespace {

std::string rebase(const std::string& path, const std::string& from, const std::string& to) {
  const auto rest = from == "/" ? path : path.substr(from.size());
  if (rest.empty()) return to;
  return to == "/" ? rest : to + rest;
}

}  // namespace

bool is_within(const std::string& path, const std::string& root) {
  if (root == "/") return !path.empty() && path.front() == '/';
  return path == root || (path.size() > root.size() && path.compare(0, root.size(), root) == 0 && path[root.size()] == '/');
}

bool is_host_internal(const std::string& path) {
  static constexpr std::array<std::string_view, 15> prefixes = {
      "/proc", "/sys",  "/dev",   "/run",  "/var/run", "/etc",            "/usr",    "/bin",
      "/sbin", "/lib", "/lib64", "/boot", "/var/log", "/var/lib/docker", "/var/lib/containerd"};
  if (path == "/" || path.empty()) return true;
  for (const auto prefix : prefixes) {
    if (is_within(path, std::string(prefix))) return true;
  }
  const auto name = std::filesystem::path(path).filename();
  return name == "docker.sock" || name == "podman.sock" || name == "containerd.sock";
}

HostPaths HostPaths::on_host() { return {}; }

HostPaths HostPaths::in_container(const Container& self) {
  HostPaths paths;
  paths.inside_container_ = true;
  for (const auto& mount : self.mounts) {
    if (mount.type == "bind" || mount.type == "volume") paths.mounts_.push_back(mount);
  }
  return paths;
}

std::optional<HostPaths::Local> HostPaths::local(const std::string& host_path) const {
  if (!inside_container_) return Local{host_path, true};
  const Mount* best = nullptr;
  for (const auto& mount : mounts_) {
    if (is_within(host_path, mount.source) && (best == nullptr || mount.source.size() > best->source.size())) best = &mount;
  }
  if (best == nullptr) return std::nullopt;
  return Local{rebase(host_path, best->source, best->destination), best->writable};
}

std::optional<std::string> HostPaths::host(const std::string& local_path) const {
  if (!inside_container_) return local_path;
  const Mount* best = nullptr;
  for (const auto& mount : mounts_) {
    if (is_within(local_path, mount.destination) &&
        (best == nullptr || mount.destination.size() > best->destination.size())) {
      best = &mount;
    }
  }
  if (best == nullptr) return std::nullopt;
  return rebase(local_path, best->destination, best->source);
}

}  // namespace kopidocka
