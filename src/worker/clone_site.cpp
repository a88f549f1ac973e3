#include "worker/clone_site.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <deque>
#include <utility>

#include "base/error.hpp"
#include "base/text.hpp"
#include "worker/clone_entry.hpp"
#include "worker/folder.hpp"
#include "worker/names.hpp"

namespace kopidocka {
namespace {

/// Of a source that may lie on another file system than its folder: so many entries are looked at to find a file.
constexpr size_t kMostLooked = 2'000;
constexpr size_t kMostFolders = 64;  ///< open at once

[[noreturn]] void refuse(const std::string& why) { throw Error{ErrorKind::refused, why}; }

[[noreturn]] void refuse_apart(const CloneSite& site) {
  refuse(printable(site.source()) + " is mounted by itself: there is no place beside it on the same file system");
}

[[noreturn]] void refuse_unshared(const std::string& file_system) {
  refuse("the file system (" + printable(file_system) + ") cannot share blocks between files");
}

CloneEntry entry_of(const CloneSite& site, const std::string& above) { return {site.parent.get(), -1, site.name, above}; }

struct statx look_at_source(const CloneSite& site) {
  struct statx info{};
  if (look_at_entry(entry_of(site, site.above), info)) return info;
  throw Error{ErrorKind::not_found, printable(site.source()) + " does not exist"};
}

FileDescriptor unnamed_file(const CloneSite& site, const std::string& file_system) {
  FileDescriptor file(::openat(site.parent.get(), ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file) return file;
  if (errno == EOPNOTSUPP || errno == EISDIR) refuse_unshared(file_system);
  throw system_error(errno, "make a file beside " + printable(site.source()));
}

void judge(int failed, const CloneSite& site, const std::string& file_system) {
  if (failed == 0) return;
  if (failed == EXDEV) refuse_apart(site);
  if (failed == EOPNOTSUPP || failed == ENOTTY || failed == EINVAL || failed == ENOSYS) {
    refuse_unshared(file_system);
  }
  throw system_error(failed, "share blocks beside " + printable(site.source()));
}

/// Looks for any file with content: where the source only seems to lie on the file system of its folder, nothing but a
/// file of its own tells the truth.
class FileSearch {
 public:
  FileDescriptor find(const CloneSite& site) {
    struct statx info{};
    if (look_at_entry(entry_of(site, site.above), info)) look(entry_of(site, site.above), IFTODT(info.stx_mode));
    while (!found_ && !folders_.empty()) {
      const auto folder = std::move(folders_.front());
      folders_.pop_front();
      look_into(folder.get());
    }
    return std::move(found_);
  }

 private:
  void look_into(int folder) {
    const auto where = path_of(folder);
    for (const auto& entry : read_folder(folder, where)) {
      if (found_ || ++looked_ > kMostLooked) return;
      look({folder, -1, entry.name, where}, entry.type);
    }
  }
  void look(const CloneEntry& entry, unsigned char type) {
    if (type == DT_DIR && folders_.size() < kMostFolders) {
      auto folder = open_source(entry, O_DIRECTORY);
      if (folder) folders_.push_back(std::move(folder));
    }
    if (type != DT_REG) return;
    auto file = open_source(entry, 0);
    if (file && look_at_open(entry, file.get()).stx_size > 0) found_ = std::move(file);
  }

  std::deque<FileDescriptor> folders_;
  FileDescriptor found_;
  size_t looked_ = 0;
};

/// One block is proof enough, however large the file.
int share_first_block(int source, int target) {
  struct stat info{};
  struct statfs system{};
  if (::fstat(source, &info) != 0 || ::fstatfs(source, &system) != 0) return errno;
  // A piece that ends within a block must end with the file.
  const bool piece = info.st_size > system.f_bsize;
  return share_blocks(source, target, piece ? static_cast<std::uint64_t>(system.f_bsize) : 0);
}

/// Owners and modes of others are part of a clone; without the right to set them it would fail when it is too late.
void try_giving_away(int file) {
  constexpr uid_t kSomebody = 1;
  const timespec times[2] = {{1, 1}, {1, 1}};
  if (::fchown(file, kSomebody, kSomebody) == 0 && ::fchmod(file, 0600) == 0 && ::futimens(file, times) == 0) return;
  if (errno != EPERM) throw system_error(errno, "give a file another owner");
  refuse("this process may not give files their owners, modes and times (capabilities CHOWN and FOWNER)");
}

}  // namespace

std::string CloneSite::result() const { return above + "/" + folder + "/" + kCloneTree + "/" + name; }

CloneSite open_site(const CloneRequest& request) {
  check_run_id(request.run_id);
  auto components = path_components(request.source);
  if (components.empty()) refuse("\"/\" has nothing beside it");
  CloneSite site;
  site.name = components.back();
  components.pop_back();
  site.parent = open_folder(components);
  site.above = path_of(site.parent.get());
  site.folder = stem_beside(request.run_id, site.name) + ".clone";
  return site;
}

void refuse_unfit(const CloneSite& site) {
  const auto source = site.source();
  if (belongs_to_host(source)) refuse("\"" + printable(source, 200) + "\" belongs to the host: nothing is made beside it");
  const auto info = look_at_source(site);
  if (S_ISLNK(info.stx_mode)) refuse(printable(source) + " is a symbolic link");
  if (!S_ISDIR(info.stx_mode) && !S_ISREG(info.stx_mode)) refuse(printable(source) + " is neither a folder nor a regular file");
  for (const auto& mount : mount_points()) {
    if (is_below(mount.path, source)) refuse("a file system is mounted below it, at " + printable(mount.path));
  }
}

void try_sharing(const CloneSite& site, const std::string& file_system) {
  struct statx parent{};
  const std::string here = ".";
  if (!look_at_entry({site.parent.get(), -1, here, site.above}, parent)) refuse(printable(site.above) + " does not exist");
  const auto info = look_at_source(site);
  const bool one_device = info.stx_dev_major == parent.stx_dev_major && info.stx_dev_minor == parent.stx_dev_minor;
  // Subvolumes of btrfs have device numbers of their own.
  if (!one_device && file_system != "btrfs") refuse_apart(site);
  FileDescriptor source;
  if (!one_device || !same_mount(info, parent)) source = FileSearch().find(site);
  if (!one_device && !source) refuse_apart(site);
  const auto target = unnamed_file(site, file_system);
  try_giving_away(unnamed_file(site, file_system).get());
  if (source) return judge(share_first_block(source.get(), target.get()), site, file_system);
  source = unnamed_file(site, file_system);
  // Too much to be kept inside of an inode.
  const std::string some(10'000, 'x');
  if (::write(source.get(), some.data(), some.size()) < 0) judge(errno, site, file_system);
  judge(share_blocks(source.get(), target.get()), site, file_system);
}

}  // namespace kopidocka
