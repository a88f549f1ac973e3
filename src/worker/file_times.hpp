#pragma once

#include <string>

namespace kopidocka {

/// Whether the times of files on the file system of an open folder tell of every change: once it is synced, each later one,
/// through a mapping of memory too, moves a file's times. Known by test for ext4, xfs and btrfs.
struct FileTimes {
  std::string file_system;  ///< "ext4", "overlay", ...
  std::string reason;       ///< why they cannot be relied on; empty when they can
};
FileTimes file_times_of(int folder);

}  // namespace kopidocka
