#include "contract/engine/warm_disk.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace kopidocka::testing {
namespace {

/// mkfs.xfs makes nothing below 300 MiB; the file has a hole for what is not used.
constexpr off_t kBytes = off_t{512} << 20;

bool done(const std::string& command) { return std::system((command + " >/dev/null 2>&1").c_str()) == 0; }

bool own_mounts() {
  static const bool own = ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  return own;
}

std::string make(const std::string& type, const std::string& image, const std::string& root) {
  if (!own_mounts()) return "mounting is not permitted";
  if (!done("command -v mkfs." + type)) return "mkfs." + type + " is not installed";
  std::ofstream(image, std::ios::binary).close();
  if (::truncate(image.c_str(), kBytes) != 0) return "no space for an image";
  if (!done("mkfs." + type + " -q " + image)) return "mkfs." + type + " failed";
  if (!done("mount -t " + type + " -o loop " + image + " " + root)) return "a file with " + type + " cannot be mounted here";
  return {};
}

}  // namespace

WarmDisk::WarmDisk(const std::string& type, const std::string& folder) : root_(folder + "/disk") {
  std::filesystem::create_directories(root_);
  why_not_ = make(type, folder + "/image", root_);
}

WarmDisk::~WarmDisk() {
  // Waits until the last writer has let go of it.
  for (int i = 0; why_not_.empty() && i < 100 && ::umount2(root_.c_str(), 0) != 0; ++i) ::usleep(50'000);
  if (why_not_.empty()) ::umount2(root_.c_str(), MNT_DETACH);
}

}  // namespace kopidocka::testing
