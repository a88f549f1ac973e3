#include "worker/clone_links.hpp"

#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/text.hpp"

namespace kopidocka {

bool CloneLinks::place(const CloneEntry& entry, const struct statx& info, const std::string& inner,
                       const std::function<bool()>& make) {
  // Held while the first one is made, so that no other thread links to half a file. Few files have several names.
  const std::lock_guard lock(mutex_);
  const Inode inode{info.stx_dev_major, info.stx_dev_minor, info.stx_ino};
  const auto known = firsts_.find(inode);
  if (known == firsts_.end()) {
    if (!make()) return false;
    firsts_.emplace(inode, First{inner, info.stx_nlink - 1});
    return true;
  }
  if (::linkat(root_, known->second.inner.c_str(), entry.target, entry.name.c_str(), 0) != 0) {
    throw system_error(errno, "link the clone of " + printable(entry.path()));
  }
  if (--known->second.to_come == 0) firsts_.erase(known);
  return true;
}

}  // namespace kopidocka
