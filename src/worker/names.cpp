#include "worker/names.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr std::string_view kMark = ".kopi-docka-";

/// Nothing at or below these is data of a stack.
constexpr std::array kSystemFolders = {"/proc", "/sys",   "/dev",   "/run", "/var/run", "/etc", "/usr",
                                       "/bin",  "/sbin",  "/lib",   "/boot", "/lib32",  "/lib64", "/var/log"};
/// These hold data, but are never a stack's own as a whole.
constexpr std::array kSharedFolders = {"/",     "/var",  "/var/lib", "/var/cache", "/home", "/root", "/opt", "/srv",
                                       "/mnt",  "/media", "/tmp",    "/var/tmp",   "/var/lib/docker/volumes"};

std::string label(const std::string& name) {
  if (name.size() <= 80) return name;
  std::uint64_t hash = 14695981039346656037u;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211u;
  return name.substr(0, 60) + "~" + std::to_string(hash);
}

bool begins_with_uuid(std::string_view text) {
  constexpr size_t kLength = 36;
  if (text.size() < kLength) return false;
  return text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
}

}  // namespace

void check_run_id(const std::string& run_id) {
  const bool plain = !run_id.empty() && run_id.size() <= 64 && std::all_of(run_id.begin(), run_id.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') || (letter >= '0' && letter <= '9') ||
           letter == '-' || letter == '_';
  });
  if (!plain) throw Error{ErrorKind::refused, "\"" + printable(run_id, 80) + "\" is no id of a run"};
}

std::string stem_beside(const std::string& run_id, const std::string& name) {
  return std::string(kMark) + run_id + "." + label(name);
}

bool is_ours(const std::string& entry, const std::string& run_id) {
  if (!entry.starts_with(kMark)) return false;
  const auto rest = std::string_view(entry).substr(kMark.size());
  return begins_with_uuid(rest) || rest == run_id || rest.starts_with(run_id + ".");
}

bool is_below(const std::string& path, const std::string& folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

bool is_shared_folder(const std::string& path) {
  return std::find(kSharedFolders.begin(), kSharedFolders.end(), path) != kSharedFolders.end();
}

bool belongs_to_host(const std::string& path) {
  const bool system = std::any_of(kSystemFolders.begin(), kSystemFolders.end(),
                                  [&](const std::string& folder) { return path == folder || is_below(path, folder); });
  const bool docker = path == "/var/lib/docker" ||
                      (is_below(path, "/var/lib/docker") && !is_below(path, "/var/lib/docker/volumes"));
  return system || docker || is_shared_folder(path);
}

}  // namespace kopidocka
