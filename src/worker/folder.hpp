#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"

namespace kopidocka {

/// File system steps of the worker child that cannot be led astray: everything is relative to an open folder and no
/// symbolic link is followed. They throw Error; worker_main is the one place that turns it into an answer.

/// Components of an absolute path; refuses relative paths, ".." and NUL (ErrorKind::refused).
std::vector<std::string> path_components(const std::string& path);

/// Opens a folder from the root on, component by component. A symbolic link on the way is followed only when root (or we)
/// made it in a folder that nobody else may write; any other is refused. With `create`, missing folders are made (0755).
FileDescriptor open_folder(const std::vector<std::string>& components, bool create = false);

/// An entry of a folder that is itself a folder; refuses a link in its place.
FileDescriptor open_folder_in(int folder, const std::string& name);

/// Where an open folder is.
std::string path_of(int folder);

/// lstat of an entry; nothing when there is none.
std::optional<struct stat> look_at(int folder, const std::string& name);

std::vector<std::string> names_in(int folder);
bool is_empty(int folder);

/// Never replaces anything: ErrorKind::busy when the new name is taken.
void move_entry(int from, const std::string& name, int to, const std::string& new_name);

/// fsync of an open folder or file; file systems that cannot do it for folders are forgiven.
void sync_handle(int handle);
/// Everything written to the file system of `handle` is on disk.
void sync_file_system(int handle);

/// Small files of our own: complete or absent, also after a power loss.
void write_record(int folder, const std::string& name, std::string_view content);
std::optional<std::string> read_record(int folder, const std::string& name);

/// Removes an entry with all below it, without crossing into another file system and however deep. What cannot be
/// removed stays, the rest goes, and the first such error is thrown at the end. Missing is well.
void remove_tree(int folder, const std::string& name);

/// Our folders in the file system tree of this process, as /proc/self/mountinfo tells: asking it never touches a mount.
struct MountPoint {
  std::string path;
  std::string file_system;
};
std::vector<MountPoint> mount_points();

}  // namespace kopidocka
