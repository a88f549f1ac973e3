#include "worker/folder.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <deque>
#include <memory>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr int kMostLinks = 16;

[[noreturn]] void fail(const std::string& doing) { throw system_error(errno, doing); }

struct stat stat_of(int handle) {
  struct stat info{};
  if (::fstat(handle, &info) != 0) fail("look at an open folder");
  return info;
}

bool ours_alone(const struct stat& folder) {
  return (folder.st_uid == 0 || folder.st_uid == ::geteuid()) && (folder.st_mode & 0022) == 0;
}

std::string link_target(int folder, const std::string& name) {
  char buffer[4096];
  const auto size = ::readlinkat(folder, name.c_str(), buffer, sizeof buffer);
  if (size < 0) fail("read the link " + printable(name));
  return {buffer, static_cast<size_t>(size)};
}

/// A link that an attacker could have made would lead our renames somewhere else.
void check_link(int folder, const std::string& name, const struct stat& link) {
  if (ours_alone(stat_of(folder)) && (link.st_uid == 0 || link.st_uid == ::geteuid())) return;
  throw Error{ErrorKind::refused,
              printable(path_of(folder) + "/" + name) + " is a symbolic link in a place that others may write",
              "replace it by a folder"};
}

FileDescriptor open_root() {
  FileDescriptor root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) fail("open /");
  return root;
}

}  // namespace

std::vector<std::string> path_components(const std::string& path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos || path.size() > 4000) {
    throw Error{ErrorKind::refused, "\"" + printable(path, 200) + "\" is not an absolute path"};
  }
  std::vector<std::string> components;
  for (auto& part : split(path, '/')) {
    if (part == "..") throw Error{ErrorKind::refused, "\"" + printable(path, 200) + "\" contains \"..\""};
    if (!part.empty() && part != ".") components.push_back(std::move(part));
  }
  return components;
}

FileDescriptor open_folder(const std::vector<std::string>& components, bool create) {
  std::deque<std::string> ahead(components.begin(), components.end());
  auto at = open_root();
  for (int links = 0; !ahead.empty();) {
    const auto name = ahead.front();
    ahead.pop_front();
    if (name.empty() || name == ".") continue;
    auto info = look_at(at.get(), name);
    if (!info && create) {
      if (::mkdirat(at.get(), name.c_str(), 0755) != 0 && errno != EEXIST) fail("create " + printable(path_of(at.get()) + "/" + name));
      info = look_at(at.get(), name);
    }
    if (!info) throw Error{ErrorKind::not_found, printable(path_of(at.get()) + "/" + name) + " does not exist"};
    if (S_ISLNK(info->st_mode)) {
      check_link(at.get(), name, *info);
      if (++links > kMostLinks) throw Error{ErrorKind::refused, "too many symbolic links at " + printable(name)};
      const auto target = link_target(at.get(), name);
      const auto parts = split(target, '/');
      ahead.insert(ahead.begin(), parts.begin(), parts.end());
      if (!target.empty() && target.front() == '/') at = open_root();
      continue;
    }
    FileDescriptor next(::openat(at.get(), name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!next) fail("open " + printable(path_of(at.get()) + "/" + name));
    at = std::move(next);
  }
  FileDescriptor folder(::openat(at.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) fail("open " + printable(path_of(at.get())));
  return folder;
}

FileDescriptor open_folder_in(int folder, const std::string& name) {
  FileDescriptor inner(::openat(folder, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inner) fail("open " + printable(path_of(folder) + "/" + name));
  return inner;
}

std::string path_of(int folder) {
  char buffer[4096];
  const auto link = "/proc/self/fd/" + std::to_string(folder);
  const auto size = ::readlink(link.c_str(), buffer, sizeof buffer);
  const std::string path(buffer, size < 0 ? 0 : static_cast<size_t>(size));
  return path == "/" ? "" : path;
}

std::optional<struct stat> look_at(int folder, const std::string& name) {
  struct stat info{};
  if (::fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) == 0) return info;
  if (errno == ENOENT) return std::nullopt;
  fail("look at " + printable(path_of(folder) + "/" + name));
}

std::vector<std::string> names_in(int folder) {
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) fail("read the folder " + printable(path_of(folder)));
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  if (!stream) fail("read the folder " + printable(path_of(folder)));
  std::vector<std::string> names;
  errno = 0;
  while (const auto* entry = ::readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) fail("read the folder " + printable(path_of(folder)));
  return names;
}

bool is_empty(int folder) { return names_in(folder).empty(); }

void move_entry(int from, const std::string& name, int to, const std::string& new_name) {
  int failed = ::renameat2(from, name.c_str(), to, new_name.c_str(), RENAME_NOREPLACE);
  // Some network and user-space file systems have no flags: look first, we alone make these names.
  if (failed != 0 && (errno == EINVAL || errno == ENOSYS)) {
    errno = EEXIST;
    if (!look_at(to, new_name)) failed = ::renameat(from, name.c_str(), to, new_name.c_str());
  }
  if (failed == 0) return;
  const auto doing = "rename " + printable(path_of(from) + "/" + name) + " to " + printable(path_of(to) + "/" + new_name);
  if (errno == EEXIST || errno == ENOTEMPTY) throw Error{ErrorKind::busy, doing + ": that name is taken"};
  fail(doing);
}

void sync_handle(int handle) {
  if (::fsync(handle) != 0 && errno != EINVAL && errno != ENOTSUP) fail("fsync " + printable(path_of(handle)));
}

void sync_file_system(int handle) {
  if (::syncfs(handle) != 0) fail("sync the file system of " + printable(path_of(handle)));
}

void write_record(int folder, const std::string& name, std::string_view content) {
  const auto draft = name + ".draft";
  FileDescriptor file(::openat(folder, draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) fail("create " + printable(path_of(folder) + "/" + draft));
  for (size_t done = 0; done < content.size();) {
    const auto count = ::write(file.get(), content.data() + done, content.size() - done);
    if (count < 0 && errno != EINTR) fail("write " + printable(path_of(folder) + "/" + draft));
    if (count > 0) done += static_cast<size_t>(count);
  }
  sync_handle(file.get());
  if (::renameat(folder, draft.c_str(), folder, name.c_str()) != 0) fail("rename " + printable(draft));
  sync_handle(folder);
}

std::optional<std::string> read_record(int folder, const std::string& name) {
  FileDescriptor file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::nullopt;
  if (!file) fail("read " + printable(path_of(folder) + "/" + name));
  std::string content;
  char buffer[65536];
  while (true) {
    const auto count = ::read(file.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail("read " + printable(path_of(folder) + "/" + name));
    if (count == 0) return content;
    content.append(buffer, static_cast<size_t>(count));
    if (content.size() > (4u << 20)) throw Error{ErrorKind::invalid, printable(name) + " is far too large for a record"};
  }
}

std::vector<MountPoint> mount_points() {
  const auto text = read_file("/proc/self/mountinfo", 64u << 20);
  if (!text) throw text.error();
  std::vector<MountPoint> mounts;
  for (const auto& line : split(*text, '\n')) {
    const auto fields = split(line, ' ');
    size_t dash = 6;
    while (dash < fields.size() && fields[dash] != "-") ++dash;
    if (dash + 1 >= fields.size()) continue;
    std::string path;
    for (size_t i = 0; i < fields[4].size(); ++i) {
      const bool escaped = fields[4][i] == '\\' && i + 3 < fields[4].size();
      path += escaped ? static_cast<char>(std::stoi(fields[4].substr(i + 1, 3), nullptr, 8)) : fields[4][i];
      if (escaped) i += 3;
    }
    mounts.push_back({path, fields[dash + 1]});
  }
  return mounts;
}

}  // namespace kopidocka
