#include "worker/clone.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "base/error.hpp"
#include "base/text.hpp"
#include "worker/clone_site.hpp"
#include "worker/clone_walk.hpp"
#include "worker/folder.hpp"
#include "worker/look.hpp"
#include "worker/names.hpp"

namespace kopidocka {
namespace {

std::string path_of_clone(const CloneSite& site) { return site.above + "/" + site.folder; }

/// Entries are made with the mode they shall have: nobody else may enter the folder they are made in.
class ExactModes {
 public:
  ExactModes() : before_(::umask(0)) {}
  ~ExactModes() { ::umask(before_); }
  ExactModes(const ExactModes&) = delete;
  ExactModes& operator=(const ExactModes&) = delete;

 private:
  mode_t before_;
};

/// A deep tree of wide folders has many of them open at once.
void allow_many_open_files() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Held for as long as something is made or removed in it: a worker may outlive the daemon that started it.
void lock_folder(int folder, const CloneSite& site) {
  if (::flock(folder, LOCK_EX | LOCK_NB) == 0) return;
  if (errno != EWOULDBLOCK) throw system_error(errno, "lock " + printable(path_of_clone(site)));
  throw Error{ErrorKind::busy, printable(path_of_clone(site)) + " is being worked on by another process",
              "try again when it has ended"};
}

bool belongs_to_us(const struct stat& info) { return S_ISDIR(info.st_mode) && info.st_uid == ::geteuid(); }

/// Whatever the folder above hands down: the clone is ours alone until its own modes are set.
void make_private(int folder, const CloneSite& site) {
  for (const auto* list : {"system.posix_acl_default", "system.posix_acl_access"}) ::fremovexattr(folder, list);
  if (::fchown(folder, ::geteuid(), ::getegid()) == 0 && ::fchmod(folder, 0700) == 0) return;
  throw system_error(errno, "keep others out of " + printable(path_of_clone(site)));
}

FileDescriptor make_folder(const CloneSite& site, const std::string& run_id) {
  const auto fail = [&] { throw system_error(errno, "make the clone's folder " + printable(path_of_clone(site))); };
  if (::mkdirat(site.parent.get(), site.folder.c_str(), 0700) != 0) {
    if (errno != EEXIST) fail();
    throw Error{ErrorKind::busy, printable(path_of_clone(site)) + " is already there", "drop that clone first"};
  }
  auto folder = open_folder_in(site.parent.get(), site.folder);
  struct stat info{};
  if (::fstat(folder.get(), &info) != 0) fail();
  if (!belongs_to_us(info)) throw Error{ErrorKind::refused, printable(path_of_clone(site)) + " was replaced by somebody else's"};
  lock_folder(folder.get(), site);
  make_private(folder.get(), site);
  // A link is complete or absent after a power loss, without a wait for the disk.
  if (::symlinkat(run_id.c_str(), folder.get(), kCloneMark) != 0) fail();
  if (::mkdirat(folder.get(), kCloneDraft, 0700) != 0) fail();
  return folder;
}

bool has_mark(int folder, const std::string& run_id) {
  char text[128];
  const auto size = ::readlinkat(folder, kCloneMark, text, sizeof text);
  return size >= 0 && std::string(text, static_cast<size_t>(size)) == run_id;
}

/// Nothing is removed from a folder that we did not make, or that holds more than we made.
void refuse_strangers(int folder, const CloneSite& site, const std::string& run_id) {
  const auto names = names_in(folder);
  const bool known = std::all_of(names.begin(), names.end(), [](const std::string& name) {
    return name == kCloneMark || name == kCloneDraft || name == kCloneTree;
  });
  if (names.empty() || (known && has_mark(folder, run_id))) return;
  throw Error{ErrorKind::refused,
              printable(path_of_clone(site)) + " is not what this run made, or holds something else too: it is kept",
              "look into it and remove it by hand"};
}

/// Nothing when the folder of the source is gone, or its disk.
std::optional<CloneSite> find_site(const CloneRequest& request) {
  try {
    return open_site(request);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    return std::nullopt;
  }
}

}  // namespace

CloneFacts can_clone(const CloneRequest& request) {
  check_run_id(request.run_id);
  CloneFacts facts;
  try {
    facts.file_system = file_system_of(request.source);
    const auto site = open_site(request);
    refuse_unfit(site);
    try_sharing(site, facts.file_system);
    facts.path = site.result();
    facts.possible = true;
  } catch (const Error& error) {
    facts.reason = error.text();
  }
  return facts;
}

CloneResult clone_tree(const CloneRequest& request) {
  const auto site = open_site(request);
  refuse_unfit(site);
  allow_many_open_files();
  const ExactModes modes;
  const auto folder = make_folder(site, request.run_id);
  const auto draft = open_folder_in(folder.get(), kCloneDraft);
  auto result = clone_into(site.parent.get(), draft.get(), site.name, site.above, request.run_id);
  move_entry(folder.get(), kCloneDraft, folder.get(), kCloneTree);
  result.path = site.result();
  return result;
}

void drop_clone(const CloneRequest& request) {
  const auto site = find_site(request);
  if (!site) return;
  const auto info = look_at(site->parent.get(), site->folder);
  if (!info) return;
  if (!belongs_to_us(*info)) {
    throw Error{ErrorKind::refused, printable(path_of_clone(*site)) + " is not a folder of ours: it is kept",
                "look into it and remove it by hand"};
  }
  const auto folder = open_folder_in(site->parent.get(), site->folder);
  lock_folder(folder.get(), *site);
  refuse_strangers(folder.get(), *site, request.run_id);
  for (const auto* part : {kCloneDraft, kCloneTree}) remove_tree(folder.get(), part);
  // The mark goes last: with it, whatever is left can be dropped again.
  const bool gone = (::unlinkat(folder.get(), kCloneMark, 0) == 0 || errno == ENOENT) &&
                    ::unlinkat(site->parent.get(), site->folder.c_str(), AT_REMOVEDIR) == 0;
  if (!gone) throw system_error(errno, "remove " + printable(path_of_clone(*site)));
}

}  // namespace kopidocka
