#include "worker/clone_entry.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"
#include "worker/clone_attributes.hpp"

namespace kopidocka {
namespace {

constexpr unsigned kLookFor = STATX_BASIC_STATS | STATX_MNT_ID;
constexpr mode_t kPermissions = 07777;

[[noreturn]] void fail(const std::string& doing, const CloneEntry& entry) {
  throw system_error(errno, doing + " " + printable(entry.path()));
}

struct Times {
  explicit Times(const struct statx& info)
      : both{{info.stx_atime.tv_sec, info.stx_atime.tv_nsec}, {info.stx_mtime.tv_sec, info.stx_mtime.tv_nsec}} {}
  timespec both[2];
};

bool owned_as_made(const struct statx& info) { return info.stx_uid == ::geteuid() && info.stx_gid == ::getegid(); }

/// btrfs shares blocks only between files that both have or both lack "no copy on write", which an empty file can still
/// get or lose. False when that was not the trouble.
bool adopt_no_cow(int source, int target) {
  int wanted = 0, present = 0;
  if (::ioctl(source, FS_IOC_GETFLAGS, &wanted) != 0 || ::ioctl(target, FS_IOC_GETFLAGS, &present) != 0) return false;
  if (((wanted ^ present) & FS_NOCOW_FL) == 0) return false;
  present ^= FS_NOCOW_FL;
  return ::ioctl(target, FS_IOC_SETFLAGS, &present) == 0;
}

/// `made` is the mode it was created with.
void put_metadata(const CloneEntry& entry, int source, int target, const struct statx& info, mode_t made) {
  // A change of owner takes setuid, setgid and capabilities away, and access lists are part of the mode: in this order.
  if (!owned_as_made(info) && ::fchown(target, info.stx_uid, info.stx_gid) != 0) fail("set the owner of the clone of", entry);
  copy_attributes(source, target, entry.path());
  const mode_t mode = info.stx_mode & kPermissions;
  if (mode != made && ::fchmod(target, mode) != 0) fail("set the mode of the clone of", entry);
  if (::futimens(target, Times(info).both) != 0) fail("set the times of the clone of", entry);
}

/// The same where nothing can be opened.
void put_metadata_by_name(const CloneEntry& entry, const struct statx& info) {
  const auto* name = entry.name.c_str();
  const bool owned = owned_as_made(info) || ::fchownat(entry.target, name, info.stx_uid, info.stx_gid, AT_SYMLINK_NOFOLLOW) == 0;
  if (!owned) fail("set the owner of the clone of", entry);
  copy_attributes_of(entry.source, entry.target, entry.name, entry.path());
  if (!S_ISLNK(info.stx_mode) && ::fchmodat(entry.target, name, info.stx_mode & kPermissions, 0) != 0) {
    fail("set the mode of the clone of", entry);
  }
  if (::utimensat(entry.target, name, Times(info).both, AT_SYMLINK_NOFOLLOW) != 0) fail("set the times of the clone of", entry);
}

}  // namespace

FileDescriptor open_source(const CloneEntry& entry, int flags) {
  const int all = flags | O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  // Only its owner and root may read a file without an access time.
  FileDescriptor handle(::openat(entry.source, entry.name.c_str(), all | O_NOATIME));
  if (!handle && errno == EPERM) handle = FileDescriptor(::openat(entry.source, entry.name.c_str(), all));
  if (!handle && errno != ENOENT) fail("open", entry);
  return handle;
}

struct statx look_at_open(const CloneEntry& entry, int handle) {
  struct statx info{};
  if (::statx(handle, "", AT_EMPTY_PATH, kLookFor, &info) != 0) fail("look at", entry);
  return info;
}

bool look_at_entry(const CloneEntry& entry, struct statx& info) {
  if (::statx(entry.source, entry.name.c_str(), AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, kLookFor, &info) == 0) return true;
  if (errno != ENOENT) fail("look at", entry);
  return false;
}

bool same_mount(const struct statx& one, const struct statx& other) {
  if ((one.stx_mask & other.stx_mask & STATX_MNT_ID) != 0) return one.stx_mnt_id == other.stx_mnt_id;
  return one.stx_dev_major == other.stx_dev_major && one.stx_dev_minor == other.stx_dev_minor;
}

std::vector<NamedEntry> read_folder(int folder, const std::string& where) {
  const auto fail = [&] { throw system_error(errno, "read the folder " + printable(where)); };
  const int copy = ::fcntl(folder, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) fail();
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  if (!stream) fail();
  std::vector<NamedEntry> entries;
  errno = 0;
  while (const auto* entry = ::readdir(stream.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") entries.push_back({std::string(name), entry->d_type});
    errno = 0;
  }
  if (errno != 0) fail();
  return entries;
}

int share_blocks(int source, int target, std::uint64_t length) {
  file_clone_range range{.src_fd = source, .src_offset = 0, .src_length = length, .dest_offset = 0};
  if (::ioctl(target, FICLONERANGE, &range) == 0) return 0;
  const int failed = errno;
  if (failed != EINVAL || !adopt_no_cow(source, target)) return failed;
  return ::ioctl(target, FICLONERANGE, &range) == 0 ? 0 : errno;
}

void clone_file(const CloneEntry& entry, int source, const struct statx& info) {
  const mode_t made = info.stx_mode & 0777;
  const FileDescriptor target(
      ::openat(entry.target, entry.name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, made));
  if (!target) fail("make the clone of", entry);
  const int failed = info.stx_size == 0 ? 0 : share_blocks(source, target.get());
  if (failed != 0) throw system_error(failed, "share the blocks of " + printable(entry.path()));
  put_metadata(entry, source, target.get(), info, made);
}

void clone_link(const CloneEntry& entry, const struct statx& info) {
  char text[4097];
  const auto size = ::readlinkat(entry.source, entry.name.c_str(), text, sizeof text - 1);
  if (size < 0) fail("read the link", entry);
  text[size] = '\0';
  if (::symlinkat(text, entry.target, entry.name.c_str()) != 0) fail("make the clone of", entry);
  put_metadata_by_name(entry, info);
}

bool clone_node(const CloneEntry& entry, const struct statx& info) {
  const auto device = ::makedev(info.stx_rdev_major, info.stx_rdev_minor);
  if (::mknodat(entry.target, entry.name.c_str(), info.stx_mode & (S_IFMT | 0777), device) != 0) {
    if (errno == EPERM || errno == EACCES) return false;
    fail("make the clone of", entry);
  }
  put_metadata_by_name(entry, info);
  return true;
}

void finish_folder(const CloneEntry& entry, int source, int target, const struct statx& info) {
  constexpr mode_t kUnknown = ~mode_t{0};
  put_metadata(entry, source, target, info, kUnknown);
}

}  // namespace kopidocka
