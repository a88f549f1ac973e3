#include "unit/host_paths.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <utility>

namespace kopidocka {
namespace {

std::string rebase(const std::string& path, const std::string& from, const std::string& to) {
  const auto rest = from != "/" ? path.substr(from.size()) : path == "/" ? std::string() : path;
  if (rest.empty()) return to;
  return to == "/" ? rest : to + rest;
}

bool shows_host(const Mount& mount) { return (mount.type == "bind" || mount.type == "volume") && !mount.source.empty(); }

bool is_better(const Mount& mount, const Mount* than) {
  if (than == nullptr || mount.source.size() != than->source.size()) {
    return than == nullptr || mount.source.size() > than->source.size();
  }
  return mount.writable && !than->writable;
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

bool is_dockers_own(const std::string& path, const std::string& docker_root) {
  static constexpr std::array<std::string_view, 20> folders = {
      "aufs",    "btrfs", "buildkit", "containerd", "containers", "devicemapper", "fuse-overlayfs", "image",   "network", "overlay",
      "overlay2", "plugins", "rootfs", "runtimes",   "swarm",      "tmp",          "trust",          "vfs",     "volumes", "zfs"};
  if (docker_root.empty() || docker_root == "/") return false;
  return path == docker_root || std::any_of(folders.begin(), folders.end(), [&](std::string_view folder) {
           return is_within(path, docker_root + "/" + std::string(folder));
         });
}

std::string line_to_see(const std::string& host_path) {
  const std::filesystem::path path(host_path);
  const auto volumes = path.parent_path().parent_path();
  const auto shown = path.filename() == "_data" && volumes.filename() == "volumes" ? volumes.string() : host_path;
  return shown + ":" + shown;
}

HostPaths HostPaths::on_host() { return {}; }

HostPaths HostPaths::in_container(const Container& self) {
  HostPaths paths;
  paths.inside_container_ = true;
  paths.mounts_ = self.mounts;
  return paths;
}

HostPaths HostPaths::nothing_visible(std::string reason) {
  HostPaths paths;
  paths.nothing_visible_because_ = std::move(reason);
  return paths;
}

std::optional<HostPaths::Local> HostPaths::local(const std::string& host_path) const {
  if (!nothing_visible_because_.empty()) return std::nullopt;
  if (!inside_container_) return Local{host_path, true};
  // Paths come from labels too: "/srv/../etc" is not below /srv.
  const auto path = std::filesystem::path(host_path).lexically_normal().string();
  const Mount* best = nullptr;
  for (const auto& mount : mounts_) {
    if (!shows_host(mount) || !is_within(path, mount.source) || !is_better(mount, best)) continue;
    if (mount_of(rebase(path, mount.source, mount.destination)) == &mount) best = &mount;
  }
  if (best == nullptr) return std::nullopt;
  return Local{rebase(path, best->source, best->destination), best->writable};
}

const Mount* HostPaths::mount_of(const std::string& local_path) const {
  const Mount* best = nullptr;
  for (const auto& mount : mounts_) {
    if (is_within(local_path, mount.destination) &&
        (best == nullptr || mount.destination.size() > best->destination.size())) {
      best = &mount;
    }
  }
  return best;
}

std::optional<std::string> HostPaths::host(const std::string& local_path) const {
  if (!nothing_visible_because_.empty()) return std::nullopt;
  if (!inside_container_) return local_path;
  const auto* mount = mount_of(local_path);
  if (mount == nullptr || !shows_host(*mount)) return std::nullopt;
  return rebase(local_path, mount->destination, mount->source);
}

}  // namespace kopidocka
