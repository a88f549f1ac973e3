#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/file.hpp"

namespace kopidocka {

/// One entry of a tree on its way into the clone. Everything is relative to open folders, no symbolic link is followed,
/// and what can be read without leaving a trace (an access time) is read so. Functions throw Error with the path.
struct CloneEntry {
  int source;               ///< the open folder it lies in
  int target;               ///< the open folder of the clone
  const std::string& name;  ///< in both
  const std::string& where;  ///< path of the source folder, for errors

  std::string path() const { return where + "/" + name; }
};

/// A file or folder of the source, opened for reading; nothing when it is gone.
FileDescriptor open_source(const CloneEntry& entry, int flags);

/// Facts of an open file or folder, or of the entry itself.
struct statx look_at_open(const CloneEntry& entry, int handle);
/// False when the entry is gone.
bool look_at_entry(const CloneEntry& entry, struct statx& info);

/// Nothing is mounted between the two. Parts of one file system that only have numbers of their own (subvolumes of
/// btrfs) are no mounts.
bool same_mount(const struct statx& one, const struct statx& other);

struct NamedEntry {
  std::string name;
  unsigned char type;  ///< DT_*; on some file systems DT_UNKNOWN
};

/// What a folder holds, read through `folder` itself and therefore only once. `where` is its path, for errors.
std::vector<NamedEntry> read_folder(int folder, const std::string& where);

/// Lets `target` (an empty file) share the first `length` bytes of `source`, 0 = all; 0 or errno.
int share_blocks(int source, int target, std::uint64_t length = 0);

/// Each makes the entry in the clone with owner, mode, times and attributes. Where they fail, part of it may be there.
/// The process must create with the modes it asks for (umask 0).
void clone_file(const CloneEntry& entry, int source, const struct statx& info);
void clone_link(const CloneEntry& entry, const struct statx& info);
/// FIFOs and devices; false when making one is not permitted.
bool clone_node(const CloneEntry& entry, const struct statx& info);

/// What a folder of the clone gets when all its entries are made.
void finish_folder(const CloneEntry& entry, int source, int target, const struct statx& info);

}  // namespace kopidocka
