#include "unit/worker/clone_fixture.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

namespace kopidocka::test {

namespace fs = std::filesystem;

std::string clone_folder(const std::string& source) {
  const fs::path path(source);
  return path.parent_path().string() + "/.kopi-docka-" + kCloneRun + "." + path.filename().string() + ".clone";
}

namespace {

using Described = std::map<std::string, std::string>;

Described describe_all(const std::string& path, const std::function<std::string(const std::string&)>& describe) {
  Described all;
  all[""] = describe(path);
  if (!fs::is_directory(fs::symlink_status(path))) return all;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    all[entry.path().string().substr(path.size())] = describe(entry.path().string());
  }
  return all;
}

std::string attributes(const std::string& path) {
  char names[8192], value[8192];
  std::string text;
  const auto size = ::llistxattr(path.c_str(), names, sizeof names);
  for (const char* name = names; size > 0 && name < names + size; name += std::strlen(name) + 1) {
    if (std::string(name).starts_with("security.selinux")) continue;
    const auto length = ::lgetxattr(path.c_str(), name, value, sizeof value);
    text += std::string(name) + "=" + std::string(value, static_cast<size_t>(std::max<ssize_t>(length, 0))) + ";";
  }
  return text;
}

std::string stamp(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return "missing";
  std::ostringstream text;
  text << info.st_ino << ' ' << info.st_size << ' ' << info.st_uid << ' ' << info.st_mode << ' ' << info.st_nlink << ' '
       << info.st_mtim.tv_sec << '.' << info.st_mtim.tv_nsec << ' ' << info.st_ctim.tv_sec << '.' << info.st_ctim.tv_nsec;
  // Reading a symbolic link without an access time is not possible.
  if (!S_ISLNK(info.st_mode)) text << ' ' << info.st_atim.tv_sec << '.' << info.st_atim.tv_nsec;
  return text.str();
}

}  // namespace

Described attributes_of(const std::string& path) { return describe_all(path, attributes); }
Described stamps_of(const std::string& path) { return describe_all(path, stamp); }

std::vector<std::string> ours_in(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(".kopi-docka-")) names.push_back(name);
  }
  return names;
}

Error error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {};
}

void shell(const std::string& command) {
  if (std::system(command.c_str()) != 0) throw std::runtime_error("failed: " + command);
}

}  // namespace kopidocka::test
