#include "catalog/staged_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "base/text.hpp"
#include "worker/folder.hpp"

namespace kopidocka {
namespace {

FileDescriptor private_folder_in(int folder, const std::string& name) {
  if (::mkdirat(folder, name.c_str(), 0700) != 0 && errno != EEXIST) throw system_error(errno, "create the folder " + printable(name));
  return open_folder_in(folder, name);
}

void write_all(const FileDescriptor& file, const StagedFile& staged) {
  for (size_t done = 0; done < staged.content.size();) {
    const auto count = ::write(file.get(), staged.content.data() + done, staged.content.size() - done);
    if (count < 0 && errno != EINTR) throw system_error(errno, "write " + printable(staged.path));
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (::fchmod(file.get(), staged.mode & 0777) != 0) throw system_error(errno, "set the mode of " + printable(staged.path));
  if (staged.mtime_seconds == 0) return;
  const timespec times[2] = {{staged.mtime_seconds, 0}, {staged.mtime_seconds, 0}};
  if (::futimens(file.get(), times) != 0) throw system_error(errno, "set the time of " + printable(staged.path));
}

void write_staged(const FileDescriptor& top, const StagedFile& staged) {
  auto components = path_components("/" + staged.path);
  if (components.empty()) throw Error{ErrorKind::refused, "a staged file without a name"};
  const auto name = components.back();
  components.pop_back();
  FileDescriptor inner;
  const FileDescriptor* folder = &top;
  for (const auto& component : components) {
    inner = private_folder_in(folder->get(), component);
    folder = &inner;
  }
  const FileDescriptor file(::openat(folder->get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) throw system_error(errno, "create " + printable(staged.path));
  write_all(file, staged);
}

void clear_one(const std::string& staging_folder, SnapshotType type, const std::string& unit) {
  const auto identity = path_components(staging_identity(type, unit));
  const auto staging = open_folder(path_components(staging_folder));
  const auto& kind = identity[identity.size() - 2];
  if (!look_at(staging.get(), kind)) return;
  remove_tree(open_folder_in(staging.get(), kind).get(), unit);
}

}  // namespace

const StagedFile* StagedFolder::file(const std::string& path) const {
  const auto found = std::find_if(files.begin(), files.end(), [&](const StagedFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

Result<std::string> write_staging(const std::string& staging_folder, SnapshotType type, const std::string& unit,
                                  const StagedFolder& content) {
  if (auto named = check_unit_name(unit); !named) return named.error();
  try {
    const auto components = path_components(staging_identity(type, unit));
    const auto staging = open_folder(path_components(staging_folder), true);
    const auto kind = private_folder_in(staging.get(), components[components.size() - 2]);
    remove_tree(kind.get(), unit);
    const auto folder = private_folder_in(kind.get(), unit);
    for (const auto& file : content.files) write_staged(folder, file);
    return path_of(folder.get());
  } catch (const Error& error) {
    return Error(error).in("stage the " + std::string(to_string(type)) + " of " + printable(unit));
  }
}

Result<void> clear_staging(const std::string& staging_folder, const std::string& unit) {
  if (auto named = check_unit_name(unit); !named) return named.error();
  std::error_code code;
  if (!std::filesystem::exists(staging_folder, code)) return {};
  try {
    for (const auto type : {SnapshotType::recipe, SnapshotType::networks, SnapshotType::docker_config}) {
      clear_one(staging_folder, type, unit);
    }
    return {};
  } catch (const Error& error) {
    return Error(error).in("remove what was staged for " + printable(unit));
  }
}

}  // namespace kopidocka
