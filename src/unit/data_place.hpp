#pragma once

#include <string>
#include <vector>

#include "docker/types.hpp"

namespace kopidocka {

/// The host folder behind a `local` volume made with `o=bind`, whose data is there also while nobody mounts it; empty for
/// every other volume.
std::string bind_device(const Volume& volume);

/// Whether the data is there only while a container uses the volume (NFS and the like, plugins, tmpfs): nothing to read
/// or to replace in it while its containers are stopped.
bool is_mounted_on_use(const Volume& volume);

/// Where the data of a mount lies on the host: the folder behind an `o=bind` volume, else the mount's own source. Two
/// mounts with one data place are the same data, whatever they are called.
std::string data_place(const Mount& mount, const std::vector<Volume>& volumes);

}  // namespace kopidocka
