#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "worker/clone_entry.hpp"

namespace kopidocka {

/// Keeps names of one inode names of one inode. For any number of threads.
class CloneLinks {
 public:
  /// `root` is the open folder that the paths within the clone begin at.
  explicit CloneLinks(int root) : root_(root) {}

  /// Calls `make` for the first name of an inode and links the others to it. `inner` is the path of the entry within the
  /// clone. False when `make` made nothing. Throws Error.
  bool place(const CloneEntry& entry, const struct statx& info, const std::string& inner, const std::function<bool()>& make);

 private:
  using Inode = std::tuple<std::uint32_t, std::uint32_t, std::uint64_t>;
  struct First {
    std::string inner;
    std::uint32_t to_come;  ///< names not seen yet; those outside of the tree never are
  };

  int root_;
  std::mutex mutex_;
  std::map<Inode, First> firsts_;
};

}  // namespace kopidocka
