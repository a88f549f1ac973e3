#include "worker/clone_walk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "worker/clone_entry.hpp"
#include "worker/clone_links.hpp"
#include "worker/crew.hpp"
#include "worker/folder.hpp"
#include "worker/names.hpp"

namespace kopidocka {
namespace {

/// More than there may be processors: they also wait for the disk and for each other's locks in the file system.
constexpr unsigned kThreads = 4;
/// Small enough that one large folder keeps all threads busy.
constexpr size_t kBatch = 128;

/// A folder that is open at both ends, and closed when nothing more will be made in it.
struct Level {
  FileDescriptor source, target;
  struct statx info{};
  std::string name;
  std::string above;  ///< path of the folder it lies in
  std::string where;  ///< its own path
  std::string inner;  ///< the same within the clone
  std::atomic<size_t> pending{0};  ///< batches, and folders in it that are not made yet
};
using LevelPtr = std::shared_ptr<Level>;

class CloneWalk {
 public:
  CloneWalk(int target, std::string run_id) : run_id_(std::move(run_id)), links_(target) {}
  CloneResult run(LevelPtr top, const std::string& name);

 private:
  void enter(const LevelPtr& above, const std::string& name);
  void share_out(const LevelPtr& level);
  void leave(const Level& level);
  void done_with_one(Level& level);
  void clone_one(const LevelPtr& level, const NamedEntry& named);
  void clone_regular(const CloneEntry& entry, const Level& level);
  void clone_other(const CloneEntry& entry, const Level& level);
  bool placed(const CloneEntry& entry, const Level& level, const struct statx& info, const std::function<bool()>& make);
  void refuse_mount(const CloneEntry& entry, const struct statx& info) const;

  std::string run_id_;
  struct statx root_{};
  CloneLinks links_;
  Crew crew_;
  std::atomic<std::uint64_t> entries_{0}, bytes_{0}, left_out_{0}, vanished_{0};
};

CloneEntry entry_of(const Level& level, const std::string& name) {
  return {level.source.get(), level.target.get(), name, level.where};
}

std::string inner_path(const Level& level, const std::string& name) {
  return level.inner.empty() ? name : level.inner + "/" + name;
}

[[noreturn]] void fail_replaced(const CloneEntry& entry) {
  throw Error{ErrorKind::failed, printable(entry.path()) + " was replaced while it was cloned"};
}

CloneResult CloneWalk::run(LevelPtr top, const std::string& name) {
  const auto entry = entry_of(*top, name);
  if (!look_at_entry(entry, root_)) throw Error{ErrorKind::not_found, printable(entry.path()) + " does not exist"};
  crew_.add([this, top, named = NamedEntry{name, static_cast<unsigned char>(IFTODT(root_.stx_mode))}] { clone_one(top, named); });
  crew_.work(kThreads);
  if (entries_ == 0) throw Error{ErrorKind::not_found, printable(entry.path()) + " does not exist any more"};
  CloneResult result;
  result.entries = entries_;
  result.bytes = bytes_;
  result.left_out = left_out_;
  result.vanished = vanished_;
  return result;
}

void CloneWalk::clone_one(const LevelPtr& level, const NamedEntry& named) {
  const auto entry = entry_of(*level, named.name);
  auto type = named.type;
  if (struct statx info{}; type == DT_UNKNOWN && look_at_entry(entry, info)) type = IFTODT(info.stx_mode);
  if (type == DT_REG) return clone_regular(entry, *level);
  if (type != DT_DIR) return clone_other(entry, *level);
  ++level->pending;
  crew_.add([this, level, name = named.name] { enter(level, name); });
}

void CloneWalk::enter(const LevelPtr& above, const std::string& name) {
  const auto entry = entry_of(*above, name);
  const auto level = std::make_shared<Level>();
  level->source = open_source(entry, O_DIRECTORY);
  if (!level->source) {
    ++vanished_;
    return done_with_one(*above);
  }
  level->info = look_at_open(entry, level->source.get());
  refuse_mount(entry, level->info);
  if (::mkdirat(entry.target, name.c_str(), 0700) != 0) throw system_error(errno, "make the clone of " + printable(entry.path()));
  level->target = open_folder_in(entry.target, name);
  level->name = name;
  level->above = above->where;
  level->where = entry.path();
  level->inner = inner_path(*above, name);
  ++entries_;
  done_with_one(*above);
  share_out(level);
}

void CloneWalk::share_out(const LevelPtr& level) {
  auto names = read_folder(level->source.get(), level->where);
  std::erase_if(names, [&](const NamedEntry& named) { return is_ours(named.name, run_id_); });
  ++level->pending;
  for (size_t begin = 0; begin < names.size(); begin += kBatch) {
    const auto first = names.begin() + static_cast<std::ptrdiff_t>(begin);
    const auto count = static_cast<std::ptrdiff_t>(std::min(kBatch, names.size() - begin));
    ++level->pending;
    crew_.add([this, level, batch = std::vector<NamedEntry>(first, first + count)] {
      for (const auto& named : batch) clone_one(level, named);
      done_with_one(*level);
    });
  }
  done_with_one(*level);
}

void CloneWalk::done_with_one(Level& level) {
  // The folder above the root is the user's: nothing of it is copied.
  if (--level.pending == 0 && !level.inner.empty()) leave(level);
}

void CloneWalk::leave(const Level& level) {
  finish_folder({-1, -1, level.name, level.above}, level.source.get(), level.target.get(), level.info);
}

void CloneWalk::clone_regular(const CloneEntry& entry, const Level& level) {
  const auto source = open_source(entry, 0);
  if (!source) {
    ++vanished_;
    return;
  }
  const auto info = look_at_open(entry, source.get());
  refuse_mount(entry, info);
  if (!S_ISREG(info.stx_mode)) fail_replaced(entry);
  const auto make = [&] {
    clone_file(entry, source.get(), info);
    bytes_ += info.stx_size;
    return true;
  };
  placed(entry, level, info, make);
}

void CloneWalk::clone_other(const CloneEntry& entry, const Level& level) {
  struct statx info{};
  if (!look_at_entry(entry, info)) {
    ++vanished_;
    return;
  }
  refuse_mount(entry, info);
  if (S_ISREG(info.stx_mode) || S_ISDIR(info.stx_mode)) fail_replaced(entry);
  const auto make = [&] {
    if (S_ISLNK(info.stx_mode)) clone_link(entry, info);
    return S_ISLNK(info.stx_mode) || (!S_ISSOCK(info.stx_mode) && clone_node(entry, info));
  };
  if (!placed(entry, level, info, make)) ++left_out_;
}

bool CloneWalk::placed(const CloneEntry& entry, const Level& level, const struct statx& info, const std::function<bool()>& make) {
  const bool made = info.stx_nlink > 1 ? links_.place(entry, info, inner_path(level, entry.name), make) : make();
  if (made) ++entries_;
  return made;
}

void CloneWalk::refuse_mount(const CloneEntry& entry, const struct statx& info) const {
  if (same_mount(info, root_)) return;
  throw Error{ErrorKind::refused, "something is mounted below the data to be cloned, at " + printable(entry.path())};
}

}  // namespace

CloneResult clone_into(int source, int target, const std::string& name, const std::string& where, const std::string& run_id) {
  const auto top = std::make_shared<Level>();
  top->source = FileDescriptor(::fcntl(source, F_DUPFD_CLOEXEC, 0));
  top->target = FileDescriptor(::fcntl(target, F_DUPFD_CLOEXEC, 0));
  if (!top->source || !top->target) throw system_error(errno, "open the folder " + printable(where) + " once more");
  top->where = where;
  return CloneWalk(target, run_id).run(top, name);
}

}  // namespace kopidocka
