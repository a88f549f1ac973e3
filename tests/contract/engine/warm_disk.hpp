#pragma once

#include <string>

namespace kopidocka::testing {

/// A small file system in a file, mounted where only this process and its children see it.
class WarmDisk {
 public:
  /// `type` is "ext4", "xfs" or "btrfs"; `folder` an empty folder of the test.
  WarmDisk(const std::string& type, const std::string& folder);
  ~WarmDisk();
  WarmDisk(const WarmDisk&) = delete;
  WarmDisk& operator=(const WarmDisk&) = delete;

  /// Empty = it is there; else the reason, for GTEST_SKIP().
  const std::string& why_not() const { return why_not_; }
  const std::string& root() const { return root_; }

 private:
  std::string root_, why_not_;
};

}  // namespace kopidocka::testing
