#include "engine/kopia/kopia_json.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "engine/go_mode.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

constexpr std::string_view kTagPrefix = "tag:";

// Kopia leaves out what is empty and may add what we do not know: every field is optional to us.
std::string text_at(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::uint64_t number_at(const json& object, const char* key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_number()) return 0;
  return it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

json object_at(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_object() ? *it : json::object();
}

Snapshot decode_snapshot(const json& object) {
  Snapshot snapshot;
  const auto source = object_at(object, "source");
  const auto root = object_at(object, "rootEntry");
  const auto summary = object_at(root, "summ");
  snapshot.id = text_at(object, "id");
  snapshot.host = text_at(source, "host");
  snapshot.user = text_at(source, "userName");
  snapshot.path = text_at(source, "path");
  snapshot.start_time = from_iso8601(text_at(object, "startTime"));
  snapshot.end_time = from_iso8601(text_at(object, "endTime"));
  const auto tags = object_at(object, "tags");
  for (const auto& [name, value] : tags.items()) {
    const bool prefixed = name.rfind(kTagPrefix, 0) == 0;
    if (value.is_string()) snapshot.tags[prefixed ? name.substr(kTagPrefix.size()) : name] = value.get<std::string>();
  }
  snapshot.bytes = number_at(summary, "size");
  snapshot.files = number_at(summary, "files");
  snapshot.errors = number_at(summary, "numFailed");
  snapshot.ignored_errors = number_at(summary, "numIgnoredErrors");
  snapshot.single_file = text_at(root, "type") == "f";
  if (const auto pins = object.find("pins"); pins != object.end() && pins->is_array()) snapshot.pinned = !pins->empty();
  snapshot.root = text_at(root, "obj");
  snapshot.incomplete = text_at(object, "incomplete");
  if (snapshot.incomplete.empty()) snapshot.incomplete = text_at(summary, "incomplete");
  return snapshot;
}

Error unreadable(const std::string& what, const std::string& answer) {
  return {ErrorKind::failed, "kopia's " + what + " cannot be read: " + printable(answer, 200),
          "check that the installed kopia is a version this program was tested with"};
}

}  // namespace

Result<KopiaStatus> decode_kopia_status(const std::string& text) {
  const auto object = json::parse(text, nullptr, false);
  if (!object.is_object()) return unreadable("status", text);
  KopiaStatus status;
  const auto client = object_at(object, "clientOptions");
  const auto storage = object_at(object, "storage");
  const auto volume = object_at(object, "volume");
  status.unique_id = text_at(object, "uniqueIDHex");
  status.hostname = text_at(client, "hostname");
  status.username = text_at(client, "username");
  status.storage_type = text_at(storage, "type");
  status.storage_path = text_at(object_at(storage, "config"), "path");
  status.bytes_free = number_at(volume, "available");
  status.bytes_total = number_at(volume, "capacity");
  return status;
}

std::vector<Snapshot> decode_kopia_results(const std::string& lines) {
  std::vector<Snapshot> result;
  for (const auto& line : split(lines, '\n')) {
    const auto object = json::parse(line, nullptr, false);
    if (object.is_object()) result.push_back(decode_snapshot(object));
  }
  return result;
}

Result<std::vector<Snapshot>> decode_kopia_list(const std::string& text) {
  const auto array = json::parse(text, nullptr, false);
  if (!array.is_array()) return unreadable("list of snapshots", text);
  std::vector<Snapshot> result;
  for (const auto& object : array) {
    if (object.is_object()) result.push_back(decode_snapshot(object));
  }
  std::stable_sort(result.begin(), result.end(), [](const auto& a, const auto& b) { return a.start_time < b.start_time; });
  return result;
}

Result<KopiaCounts> decode_kopia_counts(const std::string& text, const std::string& id) {
  const auto array = json::parse(text, nullptr, false);
  if (!array.is_array()) return unreadable("list of snapshots", text);
  for (const auto& object : array) {
    if (!object.is_object() || text_at(object, "id") != id) continue;
    const auto summary = object_at(object_at(object, "rootEntry"), "summ");
    return KopiaCounts{number_at(summary, "files"), number_at(summary, "symlinks"), number_at(summary, "dirs")};
  }
  return Error{ErrorKind::not_found, "there is no snapshot " + printable(id, 100)};
}

Result<std::vector<SnapshotEntry>> decode_kopia_folder(const std::string& text) {
  const auto object = json::parse(text, nullptr, false);
  if (!object.is_object() || text_at(object, "stream") != "kopia:directory") return unreadable("folder", text);
  std::vector<SnapshotEntry> entries;
  const auto listed = object.find("entries");
  if (listed == object.end() || !listed->is_array()) return entries;
  for (const auto& one : *listed) {
    if (!one.is_object()) continue;
    SnapshotEntry entry;
    const auto type = text_at(one, "type"), mode = text_at(one, "mode");
    entry.name = text_at(one, "name");
    entry.type = type == "f"   ? SnapshotEntry::Type::file
                 : type == "d" ? SnapshotEntry::Type::folder
                 : type == "s" ? SnapshotEntry::Type::link
                               : SnapshotEntry::Type::other;
    entry.bytes = type == "d" ? number_at(object_at(one, "summ"), "size") : number_at(one, "size");
    entry.mode = unix_mode(std::strtoull(mode.c_str(), nullptr, 8));
    entry.uid = static_cast<std::uint32_t>(number_at(one, "uid"));
    entry.gid = static_cast<std::uint32_t>(number_at(one, "gid"));
    entry.mtime = from_iso8601(text_at(one, "mtime"));
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

Result<std::vector<std::string>> decode_kopia_verify(const std::string& output) {
  // Progress comes as lines of the same kind; only the last one is the verdict.
  auto lines = split(trim(output), '\n');
  const auto object = json::parse(lines.empty() ? std::string() : lines.back(), nullptr, false);
  if (!object.is_object() || !object.contains("errorCount")) return unreadable("verification", output);
  std::vector<std::string> errors;
  if (const auto texts = object.find("errorStrings"); texts != object.end() && texts->is_array()) {
    for (const auto& text : *texts) {
      if (text.is_string()) errors.push_back(text.get<std::string>());
    }
  }
  const auto count = number_at(object, "errorCount");
  if (count > 0 && errors.empty()) errors.push_back(std::to_string(count) + " errors");
  return errors;
}

}  // namespace kopidocka
