#pragma once

#include <string>
#include <string_view>

namespace kopidocka {

enum class Survival {
  yes,        ///< a mount of the host or a named volume
  own_layer,  ///< the container's own file system or a tmpfs: gone with the container
  anonymous,  ///< a volume without a name: a new container does not find it
};

/// Whether what lies at `path` is still there for the next container, read from the text of /proc/self/mountinfo: for a
/// container that its Docker Engine does not know, because DOCKER_HOST names another one. Pure.
Survival survives_container(std::string_view mountinfo, const std::string& path);

}  // namespace kopidocka
