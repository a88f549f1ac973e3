#include "worker/look.hpp"

#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/text.hpp"
#include "worker/folder.hpp"

namespace kopidocka {
namespace {

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(::realpath(path.c_str(), nullptr), std::free);
  return resolved ? resolved.get() : "";
}

bool covers(const std::string& mount, const std::string& path) {
  if (mount == "/" || mount == path) return true;
  return path.size() > mount.size() && path.starts_with(mount) && path[mount.size()] == '/';
}

void add_mount(PathFacts& facts) {
  const auto path = real_path(facts.path);
  std::string nearest;
  for (const auto& mount : mount_points()) {
    // A later line hides an earlier one at the same place.
    if (!covers(mount.path, path) || mount.path.size() < nearest.size()) continue;
    nearest = mount.path;
    facts.file_system = mount.file_system;
  }
  facts.mount_point = !path.empty() && nearest == path;
}

bool holds_nothing(const std::string& path, const struct stat& info) {
  if (S_ISREG(info.st_mode)) return info.st_size == 0;
  FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder && is_empty(folder.get());
}

}  // namespace

PathFacts probe_path(const std::string& path) {
  PathFacts facts;
  facts.path = path;
  struct stat info{};
  if (::lstat(path.c_str(), &info) == 0) facts.symlink = S_ISLNK(info.st_mode);
  if (::stat(path.c_str(), &info) != 0) {
    if (errno != ENOENT && errno != ENOTDIR) facts.problem = std::strerror(errno);
    return facts;
  }
  facts.kind = S_ISDIR(info.st_mode) ? PathKind::folder : S_ISREG(info.st_mode) ? PathKind::file : PathKind::other;
  facts.device = info.st_dev;
  facts.inode = info.st_ino;
  facts.writable = ::faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) == 0;
  struct statvfs space{};
  if (::statvfs(path.c_str(), &space) == 0) {
    facts.bytes_free = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    facts.bytes_total = static_cast<std::uint64_t>(space.f_blocks) * space.f_frsize;
  }
  try {
    add_mount(facts);
    facts.empty = facts.kind != PathKind::other && holds_nothing(path, info);
  } catch (const Error& error) {
    facts.problem = error.text();
  }
  return facts;
}

std::string file_system_of(const std::string& path) {
  PathFacts facts;
  facts.path = path;
  add_mount(facts);
  return facts.file_system;
}

TreeUsage measure_tree(const std::string& path, std::chrono::steady_clock::time_point until) {
  TreeUsage usage;
  usage.path = path;
  auto root = path;
  char* const roots[] = {root.data(), nullptr};
  const std::unique_ptr<FTS, int (*)(FTS*)> tree(
      ::fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_XDEV | FTS_NOCHDIR, nullptr), ::fts_close);
  if (!tree) {
    usage.complete = false;
    return usage;
  }
  while (const auto* entry = ::fts_read(tree.get())) {
    if (entry->fts_info == FTS_DP) continue;
    if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR || entry->fts_info == FTS_NS) {
      usage.complete = false;
      continue;
    }
    ++usage.entries;
    usage.allocated += static_cast<std::uint64_t>(entry->fts_statp->st_blocks) * 512;
    if (entry->fts_info == FTS_F) usage.bytes += static_cast<std::uint64_t>(entry->fts_statp->st_size);
    if (std::chrono::steady_clock::now() >= until) {
      usage.complete = false;
      break;
    }
  }
  return usage;
}

std::vector<std::string> find_user_files(const std::vector<std::string>& folders, const std::vector<std::string>& patterns) {
  constexpr size_t kMost = 500;
  std::vector<std::string> found;
  for (const auto& folder : folders) {
    FileDescriptor handle(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!handle) continue;
    auto names = names_in(handle.get());
    std::sort(names.begin(), names.end());
    for (const auto& name : names) {
      struct stat info{};
      const bool wanted = std::any_of(patterns.begin(), patterns.end(), [&](const auto& pattern) { return glob_match(pattern, name); });
      if (!wanted || found.size() >= kMost || ::fstatat(handle.get(), name.c_str(), &info, 0) != 0 || !S_ISREG(info.st_mode)) continue;
      found.push_back(folder + "/" + name);
    }
  }
  return found;
}

FileContent read_user_file(const FileWanted& wanted) {
  FileContent file;
  file.path = wanted.path;
  const auto problem = [&](std::string text) {
    file.content.clear();
    file.problem = std::move(text);
    return file;
  };
  FileDescriptor handle(::open(wanted.path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!handle) {
    file.missing = errno == ENOENT || errno == ENOTDIR;
    return problem(std::strerror(errno));
  }
  struct stat info{};
  if (::fstat(handle.get(), &info) != 0) return problem(std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return problem("is not a regular file");
  file.mode = info.st_mode & 07777;
  file.mtime_seconds = info.st_mtim.tv_sec;
  char buffer[65536];
  while (true) {
    const auto count = ::read(handle.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return problem(std::strerror(errno));
    if (count == 0) return file;
    file.content.append(buffer, static_cast<size_t>(count));
    if (file.content.size() > wanted.limit) return problem("is larger than " + std::to_string(wanted.limit) + " bytes");
  }
}

}  // namespace kopidocka
