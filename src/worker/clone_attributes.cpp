#include "worker/clone_attributes.hpp"

#include <sys/xattr.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"

namespace kopidocka {
namespace {

/// One end of a copy: by handle where there is one (no path to walk for each of many files), else by a path that starts
/// at an open folder.
struct End {
  int handle;
  std::string path;

  ssize_t list(char* buffer, size_t size) const {
    return path.empty() ? ::flistxattr(handle, buffer, size) : ::llistxattr(path.c_str(), buffer, size);
  }
  ssize_t get(const char* name, char* buffer, size_t size) const {
    return path.empty() ? ::fgetxattr(handle, name, buffer, size) : ::lgetxattr(path.c_str(), name, buffer, size);
  }
  int set(const char* name, const char* value, size_t size) const {
    return path.empty() ? ::fsetxattr(handle, name, value, size, 0) : ::lsetxattr(path.c_str(), name, value, size, 0);
  }
};

constexpr size_t kLargest = 65536;  ///< of a value and of the list of names, by the kernel's own limit

bool not_for_us(int failure) { return failure == EPERM || failure == EACCES || failure == ENOTSUP; }

void copy_one(const End& source, const End& target, const char* name, const std::string& path) {
  std::vector<char> value(1024);
  auto size = source.get(name, value.data(), value.size());
  if (size < 0 && errno == ERANGE) {
    value.resize(kLargest);
    size = source.get(name, value.data(), value.size());
  }
  if (size < 0 && (errno == ENODATA || not_for_us(errno))) return;
  if (size < 0) throw system_error(errno, "read the attribute " + printable(name) + " of " + printable(path));
  if (target.set(name, value.data(), static_cast<size_t>(size)) == 0 || not_for_us(errno)) return;
  throw system_error(errno, "set the attribute " + printable(name) + " of the clone of " + printable(path));
}

void copy_all(const End& source, const End& target, const std::string& path) {
  char few[1024];
  std::vector<char> many;
  const char* names = few;
  auto size = source.list(few, sizeof few);
  if (size < 0 && errno == ERANGE) {
    many.resize(kLargest);
    names = many.data();
    size = source.list(many.data(), many.size());
  }
  if (size < 0 && errno == ENOTSUP) return;
  if (size < 0) throw system_error(errno, "read the attributes of " + printable(path));
  for (const char* name = names; name < names + size; name += std::strlen(name) + 1) copy_one(source, target, name, path);
}

std::string by_folder(int folder, const std::string& name) { return "/proc/self/fd/" + std::to_string(folder) + "/" + name; }

}  // namespace

void copy_attributes(int source, int target, const std::string& path) { copy_all({source, {}}, {target, {}}, path); }

void copy_attributes_of(int source_folder, int target_folder, const std::string& name, const std::string& path) {
  copy_all({-1, by_folder(source_folder, name)}, {-1, by_folder(target_folder, name)}, path);
}

}  // namespace kopidocka
