#pragma once

#include <string>

namespace kopidocka::test {

/// A small file system in a file, mounted where only this process and its children see it.
class LoopDisk {
 public:
  /// `type` is "xfs", "btrfs" or "ext4"; `options` go to its mkfs, `mount_options` to mount.
  explicit LoopDisk(const std::string& type, const std::string& options = {}, const std::string& mount_options = "noatime");
  ~LoopDisk();
  LoopDisk(const LoopDisk&) = delete;
  LoopDisk& operator=(const LoopDisk&) = delete;

  /// Empty = it is there; else the reason, for GTEST_SKIP().
  const std::string& why_not() const { return why_not_; }
  std::string operator/(const std::string& name) const { return root_ + "/" + name; }
  const std::string& root() const { return root_; }

 private:
  std::string base_;  ///< a folder of our own with the image and the mount point
  std::string root_;
  std::string why_not_;
};

}  // namespace kopidocka::test
