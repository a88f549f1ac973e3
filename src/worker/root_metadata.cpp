#include "worker/root_metadata.hpp"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <vector>

#include "base/error.hpp"
#include "base/text.hpp"
#include "worker/folder.hpp"
#include "worker/hex.hpp"

namespace kopidocka {
namespace {

std::map<std::string, std::string> read_attributes(int handle) {
  std::vector<char> names(65536);
  const auto size = ::flistxattr(handle, names.data(), names.size());
  std::map<std::string, std::string> attributes;
  if (size <= 0) return attributes;
  for (const auto& name : split(std::string_view(names.data(), static_cast<size_t>(size)), '\0')) {
    if (name.empty()) continue;
    std::vector<char> value(65536);
    const auto length = ::fgetxattr(handle, name.c_str(), value.data(), value.size());
    if (length >= 0) attributes[name] = std::string(value.data(), static_cast<size_t>(length));
  }
  return attributes;
}

void apply_attributes(int handle, const std::map<std::string, std::string>& wanted, bool exact) {
  const auto present = read_attributes(handle);
  for (const auto& [name, value] : wanted) {
    const auto it = present.find(name);
    if (it != present.end() && it->second == value) continue;
    if (::fsetxattr(handle, name.c_str(), value.data(), value.size(), 0) != 0 && errno != ENOTSUP && errno != EPERM) {
      throw system_error(errno, "set the attribute " + printable(name) + " of " + printable(path_of(handle)));
    }
  }
  if (!exact) return;
  for (const auto& [name, value] : present) {
    if (!wanted.contains(name)) ::fremovexattr(handle, name.c_str());
  }
}

}  // namespace

RootMetadata read_metadata(int handle) {
  struct stat info{};
  if (::fstat(handle, &info) != 0) throw system_error(errno, "look at " + printable(path_of(handle)));
  RootMetadata metadata;
  metadata.mode = info.st_mode & 07777;
  metadata.uid = info.st_uid;
  metadata.gid = info.st_gid;
  metadata.accessed = info.st_atim;
  metadata.modified = info.st_mtim;
  metadata.attributes = read_attributes(handle);
  return metadata;
}

void apply_metadata(int handle, const RootMetadata& metadata, bool exact) {
  // Changing the owner clears setuid and setgid, changing an access list changes the mode: the order matters.
  if (::fchown(handle, metadata.uid, metadata.gid) != 0) throw system_error(errno, "set the owner of " + printable(path_of(handle)));
  apply_attributes(handle, metadata.attributes, exact);
  if (::fchmod(handle, metadata.mode) != 0) throw system_error(errno, "set the mode of " + printable(path_of(handle)));
  apply_times(handle, metadata);
}

void apply_times(int handle, const RootMetadata& metadata) {
  const timespec times[2] = {metadata.accessed, metadata.modified};
  if (::futimens(handle, times) != 0) throw system_error(errno, "set the times of " + printable(path_of(handle)));
}

std::string to_record(const RootMetadata& metadata) {
  nlohmann::json attributes = nlohmann::json::object();
  for (const auto& [name, value] : metadata.attributes) attributes[to_hex(name)] = to_hex(value);
  const nlohmann::json record = {{"mode", metadata.mode},
                                 {"uid", metadata.uid},
                                 {"gid", metadata.gid},
                                 {"accessed", {metadata.accessed.tv_sec, metadata.accessed.tv_nsec}},
                                 {"modified", {metadata.modified.tv_sec, metadata.modified.tv_nsec}},
                                 {"attributes", attributes}};
  return record.dump();
}

RootMetadata metadata_from_record(const std::string& text) {
  const auto record = nlohmann::json::parse(text);
  RootMetadata metadata;
  metadata.mode = record.at("mode").get<mode_t>();
  metadata.uid = record.at("uid").get<uid_t>();
  metadata.gid = record.at("gid").get<gid_t>();
  metadata.accessed = {record.at("accessed").at(0).get<time_t>(), record.at("accessed").at(1).get<long>()};
  metadata.modified = {record.at("modified").at(0).get<time_t>(), record.at("modified").at(1).get<long>()};
  for (const auto& [name, value] : record.at("attributes").items()) {
    metadata.attributes[from_hex(name)] = from_hex(value.get<std::string>());
  }
  return metadata;
}

}  // namespace kopidocka
