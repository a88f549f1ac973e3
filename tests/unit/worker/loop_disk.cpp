#include "unit/worker/loop_disk.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "unit/worker/trees.hpp"

namespace kopidocka::test {
namespace {

namespace fs = std::filesystem;

/// The smallest that mkfs.xfs makes is 300 MiB; the file has a hole for what is not used.
constexpr off_t kBytes = 320 << 20;

bool shell(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

std::string make(const std::string& type, const std::string& options, const std::string& image) {
  if (!shell("command -v mkfs." + type)) return "mkfs." + type + " is not installed";
  write(image, "");
  if (::truncate(image.c_str(), kBytes) != 0) return "no space for an image";
  if (!shell("mkfs." + type + " -q " + options + " " + image)) return "mkfs." + type + " " + options + " failed";
  return {};
}

}  // namespace

LoopDisk::LoopDisk(const std::string& type, const std::string& options, const std::string& mount_options) {
  std::string name = (fs::temp_directory_path() / "kd-disk-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  base_ = fs::canonical(name).string();
  root_ = base_ + "/disk";
  fs::create_directory(root_);
  fs::permissions(base_, fs::perms(0755));
  const auto image = base_ + "/image";
  if (!own_mounts()) {
    why_not_ = "mounting is not permitted";
  } else if (why_not_ = make(type, options, image); why_not_.empty()) {
    const bool mounted = shell("mount -t " + type + " -o loop," + mount_options + " " + image + " " + root_);
    if (!mounted) why_not_ = "a file with " + type + " cannot be mounted here";
  }
}

LoopDisk::~LoopDisk() {
  if (why_not_.empty()) ::umount2(root_.c_str(), MNT_DETACH);
  std::error_code ignored;
  fs::remove_all(base_, ignored);
}

}  // namespace kopidocka::test
