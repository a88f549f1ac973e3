#include "worker/source_walk.hpp"

#include <fcntl.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/file.hpp"
#include "worker/folder.hpp"

namespace kopidocka {
namespace {

/// One folder is open for each level.
constexpr int kDeepest = 500;

}  // namespace

WalkGaps SourceWalk::walk(int source) {
  struct stat info {};
  if (::fstat(source, &info) != 0) throw system_error(errno, "look at a source");
  device_ = info.st_dev;
  gaps_ = {};
  const std::string here;
  enter_({source, here, here, info});
  walk_in(source, here, 0);
  return gaps_;
}

void SourceWalk::walk_in(int folder, const std::string& path, int depth) {
  std::vector<std::string> names;
  try {
    names = names_in(folder);
  } catch (const Error&) {
    ++gaps_.unread;
    return;
  }
  for (const auto& name : names) come_by(folder, name, path.empty() ? name : path + "/" + name, depth);
}

void SourceWalk::come_by(int folder, const std::string& name, const std::string& path, int depth) {
  struct stat info {};
  if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0) {
    if (errno != ENOENT) ++gaps_.unread;
    return;
  }
  const WalkEntry entry{folder, name, path, info};
  if (!S_ISDIR(info.st_mode)) return see_(entry);
  if (info.st_dev != device_) {
    gaps_.other_file_system = path;
    return;
  }
  const FileDescriptor inner(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inner) {
    if (errno != ENOENT && errno != ENOTDIR && errno != ELOOP) ++gaps_.unread;
    return;
  }
  if (depth == kDeepest) {
    ++gaps_.unread;
    return;
  }
  enter_(entry);
  walk_in(inner.get(), path, depth + 1);
}

}  // namespace kopidocka
