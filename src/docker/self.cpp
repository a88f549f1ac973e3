#include "docker/self.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kIdLength = 64;

bool is_id(std::string_view text) {
  return text.size() == kIdLength && std::all_of(text.begin(), text.end(), [](char letter) {
           return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
         });
}

/// ".../containers/<id>/hostname" of Docker, ".../overlay-containers/<id>/userdata/hostname" of Podman.
std::optional<std::string> id_in_root(const std::string& root, const std::string& file) {
  const auto parts = split(root, '/');
  const auto count = parts.size();
  if (count < 3 || parts.back() != file) return std::nullopt;
  if (parts[count - 3] == "containers" && is_id(parts[count - 2])) return parts[count - 2];
  if (count >= 4 && parts[count - 2] == "userdata" && parts[count - 4] == "overlay-containers" &&
      is_id(parts[count - 3])) {
    return parts[count - 3];
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> container_id_from_mountinfo(std::string_view mountinfo) {
  static constexpr std::string_view kFolder = "/etc/";
  std::optional<std::string> found;
  for (const auto& line : split(mountinfo, '\n')) {
    const auto fields = split(line, ' ');
    if (fields.size() < 5) continue;
    const auto& root = fields[3];
    const auto& mount_point = fields[4];
    if (!mount_point.starts_with(kFolder)) continue;
    const auto file = mount_point.substr(kFolder.size());
    if (file != "hostname" && file != "hosts" && file != "resolv.conf") continue;
    auto id = id_in_root(root, file);
    if (!id) continue;
    if (found && *found != *id) return std::nullopt;
    found = std::move(id);
  }
  return found;
}

std::optional<std::string> own_container_id() {
  std::ifstream file("/proc/self/mountinfo");
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return container_id_from_mountinfo(text);
}

}  // namespace kopidocka
