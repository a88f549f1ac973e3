#include "unit/data_place.hpp"

#include <algorithm>
#include <filesystem>

#include "base/text.hpp"

namespace kopidocka {

std::string bind_device(const Volume& volume) {
  const auto options = volume.options.find("o");
  const auto device = volume.options.find("device");
  if (volume.driver != "local" || options == volume.options.end() || device == volume.options.end()) return {};
  const auto flags = split(options->second, ',');
  if (std::find(flags.begin(), flags.end(), "bind") == flags.end() &&
      std::find(flags.begin(), flags.end(), "rbind") == flags.end()) {
    return {};
  }
  // Docker keeps the device as it was written, mounts it cleans.
  auto path = std::filesystem::path(device->second).lexically_normal().string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

bool is_mounted_on_use(const Volume& volume) {
  if (!bind_device(volume).empty()) return false;
  return volume.driver != "local" || volume.options.count("device") != 0 || volume.options.count("type") != 0;
}

std::string data_place(const Mount& mount, const std::vector<Volume>& volumes) {
  if (mount.type != "volume") return mount.source;
  const auto volume =
      std::find_if(volumes.begin(), volumes.end(), [&](const Volume& candidate) { return candidate.name == mount.name; });
  if (volume == volumes.end()) return mount.source;
  const auto device = bind_device(*volume);
  return device.empty() ? mount.source : device;
}

}  // namespace kopidocka
