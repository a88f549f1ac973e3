#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace kopidocka {

/// The id of the container this process runs in, from the text of /proc/self/mountinfo: Docker (and Podman)
/// mount /etc/hostname, /etc/hosts and /etc/resolv.conf from a folder named after the container's id. Empty
/// on a host, under Kubernetes and containerd, and when the three files speak of different containers. The
/// host name is never looked at: users set it.
///
/// A container that shares another's network (network_mode container:X) shares these files too, so the id is
/// X's. Whoever must not touch itself therefore treats every container whose network_mode is "container:<this
/// id>" as itself as well.
std::optional<std::string> container_id_from_mountinfo(std::string_view mountinfo);

/// The same for this process.
std::optional<std::string> own_container_id();

}  // namespace kopidocka
