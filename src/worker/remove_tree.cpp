#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "worker/folder.hpp"

namespace kopidocka {
namespace {

/// One open folder per level: deeper ones are first lifted to the top, so that no tree exhausts our descriptors.
constexpr int kDeepest = 64;

class Remover {
 public:
  Remover(int top, dev_t device) : top_(top), device_(device) {}

  void empty(int folder, int depth) {
    for (const auto& name : names_in(folder)) {
      if (::unlinkat(folder, name.c_str(), 0) == 0 || errno == ENOENT) continue;
      if (errno == EISDIR || errno == EPERM) {
        remove_folder(folder, name, depth);
      } else {
        keep(system_error(errno, "remove " + printable(path_of(folder) + "/" + name)));
      }
    }
  }

  const std::optional<Error>& first_error() const { return first_error_; }
  bool lifted() { return std::exchange(lifted_, false); }

 private:
  void remove_folder(int folder, const std::string& name, int depth) {
    const auto info = look_at(folder, name);
    if (!info) return;
    const auto path = path_of(folder) + "/" + name;
    if (!S_ISDIR(info->st_mode)) return keep(system_error(EPERM, "remove " + printable(path)));
    if (info->st_dev != device_) return keep({ErrorKind::refused, printable(path) + " is another file system"});
    if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0) return;
    if (depth >= kDeepest) {
      const auto lifted_name = ".lifted-" + std::to_string(::getpid()) + "-" + std::to_string(lifts_++);
      if (::renameat(folder, name.c_str(), top_, lifted_name.c_str()) != 0) return keep(system_error(errno, "move " + printable(path)));
      lifted_ = true;
      return;
    }
    empty(open_folder_in(folder, name).get(), depth + 1);
    if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0) keep(system_error(errno, "remove " + printable(path)));
  }

  void keep(Error error) {
    if (!first_error_) first_error_ = std::move(error);
  }

  int top_;
  dev_t device_;
  int lifts_ = 0;
  bool lifted_ = false;
  std::optional<Error> first_error_;
};

}  // namespace

void remove_tree(int folder, const std::string& name) {
  const auto info = look_at(folder, name);
  if (!info) return;
  const auto path = path_of(folder) + "/" + name;
  if (!S_ISDIR(info->st_mode)) {
    if (::unlinkat(folder, name.c_str(), 0) != 0 && errno != ENOENT) throw system_error(errno, "remove " + printable(path));
    return;
  }
  const auto top = open_folder_in(folder, name);
  Remover remover(top.get(), info->st_dev);
  do {
    remover.empty(top.get(), 0);
  } while (remover.lifted());
  if (remover.first_error()) throw *remover.first_error();
  if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) != 0) throw system_error(errno, "remove " + printable(path));
}

}  // namespace kopidocka
