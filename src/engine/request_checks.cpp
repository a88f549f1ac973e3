#include "engine/request_checks.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <memory>
#include <utility>

#include "base/text.hpp"
#include "engine/storage.hpp"

namespace kopidocka {
namespace {

bool plain(const std::string& text, const std::string& also) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](const unsigned char byte) {
    return (byte < 0x80 && std::isalnum(byte)) || also.find(static_cast<char>(byte)) != std::string::npos;
  });
}

bool absolute(const std::string& path) {
  return path.size() > 1 && path[0] == '/' && normal_path(path) != "/" && path.find('\0') == std::string::npos;
}

}  // namespace

Result<void> require_identity(const EngineSettings& settings) {
  if (plain(settings.hostname, ".-_") && plain(settings.username, ".-_")) return {};
  return Error{ErrorKind::invalid,
               "the identity " + printable(settings.username) + "@" + printable(settings.hostname) + " cannot be used in a repository",
               "use only letters, digits, '.', '-' and '_' in the host name and user name"};
}

Result<void> require_source(const SnapshotSource& source) {
  if (absolute(source.path) && absolute(source.local_path)) return {};
  return Error{ErrorKind::invalid, "source " + printable(source.path) + " at " + printable(source.local_path) +
                                       " is not an absolute path below the root"};
}

Result<void> require_tags(const Tags& tags) {
  for (const auto& [key, value] : tags) {
    if (!plain(key, "._-")) return Error{ErrorKind::invalid, "tag name '" + printable(key) + "' cannot be used in a repository"};
    if (value.find('\0') != std::string::npos) return Error{ErrorKind::invalid, "tag " + printable(key) + " holds a NUL byte"};
  }
  return {};
}

Result<void> require_ids(const std::vector<std::string>& ids, size_t digits) {
  for (const auto& id : ids) {
    const bool hex = std::all_of(id.begin(), id.end(), [](const unsigned char byte) { return std::isxdigit(byte); });
    if (id.size() < digits || !hex) {
      return Error{ErrorKind::not_found, "'" + printable(id, 100) + "' is not the id of a snapshot", "list the snapshots and name one of them"};
    }
  }
  return {};
}

std::vector<std::string> exclude_rules(const SourcePolicy& policy) {
  // As worker/place names it: our mark and the id of a run. Nobody's own file is called like that by chance.
  // In pieces: "??-" in one word is a trigraph.
  static const std::string four(4, '?'), eight(8, '?');
  static const std::string scratch = ".kopi-docka-" + join({eight, four, four, four, eight + four}, "-") + "*";
  std::vector<std::string> rules{scratch};
  for (const auto& rule : policy.exclude) {
    if (std::find(rules.begin(), rules.end(), rule) == rules.end()) rules.push_back(rule);
  }
  return rules;
}

Result<std::string> normal_inner_path(const std::string& path) {
  std::vector<std::string> parts;
  for (const auto& part : split(path, '/')) {
    if (part.empty()) continue;
    if (part == "." || part == "..") return Error{ErrorKind::invalid, "'" + printable(path, 500) + "' is no path inside a snapshot"};
    parts.push_back(part);
  }
  return join(parts, "/");
}

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<void> require_pinned(const std::string& pinned, const RepositoryInfo& info) {
  if (pinned.empty() || pinned == info.unique_id) return {};
  return Error{ErrorKind::refused,
               printable(info.storage) + " holds repository " + printable(info.unique_id) + ", not " + printable(pinned) + " as before",
               "check that the right storage is mounted; only then remove its line from identity.json in the state folder to "
               "accept the other repository"};
}

bool matches(const SnapshotFilter& filter, const Snapshot& snapshot) {
  if (!filter.path.empty() && normal_path(filter.path) != snapshot.path) return false;
  return std::all_of(filter.tags.begin(), filter.tags.end(), [&](const auto& wanted) {
    const auto it = snapshot.tags.find(wanted.first);
    return it != snapshot.tags.end() && it->second == wanted.second;
  });
}

std::function<void(const std::string&)> progress_lines(std::function<void(std::uint64_t)> on_progress,
                                                       std::optional<std::uint64_t> (*bytes_of)(const std::string&)) {
  if (!on_progress) return {};
  const auto next = std::make_shared<std::chrono::steady_clock::time_point>();
  return [on_progress = std::move(on_progress), bytes_of, next](const std::string& line) {
    const auto now = std::chrono::steady_clock::now();
    if (now < *next) return;
    const auto bytes = bytes_of(line);
    if (!bytes) return;
    *next = now + std::chrono::seconds(1);
    on_progress(*bytes);
  };
}

}  // namespace kopidocka
