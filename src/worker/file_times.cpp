#include "worker/file_times.hpp"

#include <linux/magic.h>
#include <sys/statfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <string_view>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr long kXfsMagic = 0x58465342;

struct Known {
  const char* name;
  long magic;
};
constexpr std::array<Known, 3> kKnown{{{"ext4", EXT4_SUPER_MAGIC}, {"xfs", kXfsMagic}, {"btrfs", BTRFS_SUPER_MAGIC}}};

/// The line of mountinfo that an open folder belongs to: no guessing by path.
struct Mount {
  std::string file_system;
  std::string options;  ///< of the file system itself
};

std::string value_of_line(const std::string& text, std::string_view name) {
  for (const auto& line : split(text, '\n')) {
    if (line.starts_with(name)) return trim(line.substr(name.size()));
  }
  return {};
}

std::optional<Mount> mount_of(int folder) {
  const auto about = read_file("/proc/self/fdinfo/" + std::to_string(folder));
  const auto mounts = read_file("/proc/self/mountinfo", 64u << 20);
  if (!about || !mounts) return std::nullopt;
  const auto id = value_of_line(*about, "mnt_id:");
  for (const auto& line : split(*mounts, '\n')) {
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    // "-" type source options
    if (id.empty() || fields.front() != id || fields.end() - dash < 4) continue;
    return Mount{dash[1], dash[3]};
  }
  return std::nullopt;
}

bool has_option(const Mount& mount, const std::string& option) {
  const auto options = split(mount.options, ',');
  return std::any_of(options.begin(), options.end(), [&](const auto& given) { return given == option || given.starts_with(option + "="); });
}

}  // namespace

FileTimes file_times_of(int folder) {
  struct statfs system {};
  if (::fstatfs(folder, &system) != 0) throw system_error(errno, "look at a file system");
  const auto mount = mount_of(folder);
  FileTimes times;
  if (!mount) {
    times.reason = "the system does not tell how it is mounted";
    return times;
  }
  times.file_system = mount->file_system;
  // ext2 and ext3 have the magic number of ext4; a mount's type alone is the word of whoever mounted it.
  const bool known = std::any_of(kKnown.begin(), kKnown.end(), [&](const Known& one) {
    return one.magic == static_cast<long>(system.f_type) && one.name == mount->file_system;
  });
  if (!known) {
    times.reason = "its file system (" + printable(mount->file_system, 40) + ") is not known to tell of every change";
  } else if (has_option(*mount, "dax") || has_option(*mount, "data=journal")) {
    times.reason = "its file system is mounted with dax or data=journal";
  }
  return times;
}

}  // namespace kopidocka
