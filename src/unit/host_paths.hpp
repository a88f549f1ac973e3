#pragma once

#include <optional>
#include <string>
#include <vector>

#include "docker/types.hpp"

namespace kopidocka {

/// Translates paths of the Docker host into paths this process sees, through the mounts of our own container as the
/// engine reports them. On a host (no container) both are the same. Pure: says where a path would be, not that it exists.
class HostPaths {
 public:
  struct Local {
    std::string path;
    bool writable = true;
  };

  static HostPaths on_host();
  static HostPaths in_container(const Container& self);
  /// For an engine on another machine: its paths mean nothing here. `reason` is for the user.
  static HostPaths nothing_visible(std::string reason);

  /// Where `host_path` is seen here; nothing when no mount of ours covers it, or another mount of ours hides it there. The
  /// longest covering mount wins, a writable one among equals.
  std::optional<Local> local(const std::string& host_path) const;
  /// The path on the host behind one of ours; nothing when it lies in our own container's file system or in a tmpfs.
  std::optional<std::string> host(const std::string& local_path) const;

  /// The mount of ours that covers one of our paths; nullptr on a host and for paths of the container's own.
  const Mount* mount_of(const std::string& local_path) const;

  bool inside_container() const { return inside_container_; }
  /// Why nothing at all is seen; empty when it is not so.
  const std::string& nothing_visible_because() const { return nothing_visible_because_; }

 private:
  bool inside_container_ = false;
  std::string nothing_visible_because_;
  std::vector<Mount> mounts_;
};

/// Whether `path` is `root` itself or lies below it, by whole components.
bool is_within(const std::string& path, const std::string& root);

/// The line of a compose file that lets us see `host_path`: for the data of a volume the engine's whole volume folder, so
/// that one line serves all volumes.
std::string line_to_see(const std::string& host_path);

/// Host paths that are never user data: the root itself, system folders, Docker's own, sockets.
bool is_host_internal(const std::string& path);

/// Whether the path is the engine's own folder or lies in one that the engine keeps there, wherever it was moved. What a
/// user has put beside those is data like any other.
bool is_dockers_own(const std::string& path, const std::string& docker_root);

}  // namespace kopidocka
