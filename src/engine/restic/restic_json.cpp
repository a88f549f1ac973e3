#include "engine/restic/restic_json.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "engine/go_mode.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

std::string text_at(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::uint64_t number_at(const json& object, const char* key) {
  const auto it = object.find(key);
  return it != object.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

std::vector<std::string> texts_at(const json& object, const char* key) {
  std::vector<std::string> result;
  const auto it = object.find(key);
  if (it == object.end() || !it->is_array()) return result;
  for (const auto& entry : *it) {
    if (entry.is_string()) result.push_back(entry.get<std::string>());
  }
  return result;
}

json line_of_type(const std::string& line, const char* type) {
  auto object = json::parse(line, nullptr, false);
  return object.is_object() && text_at(object, "message_type") == type ? object : json();
}

ResticSnapshot decode_snapshot(const json& object) {
  ResticSnapshot result;
  auto& snapshot = result.snapshot;
  decode_restic_tags(texts_at(object, "tags"), snapshot.tags, result.marks);
  result.stored_paths = texts_at(object, "paths");
  result.tree = text_at(object, "tree");
  snapshot.id = text_at(object, "id");
  snapshot.host = text_at(object, "hostname");
  snapshot.user = text_at(object, "username");
  snapshot.path = result.marks.source;
  if (snapshot.path.empty() && !result.stored_paths.empty()) snapshot.path = result.stored_paths.front();
  snapshot.start_time = snapshot.end_time = from_iso8601(text_at(object, "time"));
  snapshot.errors = result.marks.errors;
  snapshot.pinned = result.marks.pinned;
  // Newer versions of restic keep the summary of the backup in the snapshot.
  if (const auto summary = object.find("summary"); summary != object.end() && summary->is_object()) {
    snapshot.bytes = number_at(*summary, "total_bytes_processed");
    snapshot.files = number_at(*summary, "total_files_processed");
    if (const auto end = text_at(*summary, "backup_end"); !end.empty()) snapshot.end_time = from_iso8601(end);
  }
  return result;
}

Error unreadable(const std::string& what, const std::string& answer) {
  return {ErrorKind::failed, "restic's " + what + " cannot be read: " + printable(answer, 200),
          "check that the installed restic is a version this program was tested with"};
}

}  // namespace

Result<std::vector<ResticSnapshot>> decode_restic_snapshots(const std::string& text) {
  const auto array = json::parse(text, nullptr, false);
  std::vector<ResticSnapshot> result;
  if (array.is_null()) return result;
  if (!array.is_array()) return unreadable("list of snapshots", text);
  for (const auto& object : array) {
    if (object.is_object()) result.push_back(decode_snapshot(object));
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& a, const auto& b) { return a.snapshot.start_time < b.snapshot.start_time; });
  return result;
}

std::optional<ResticSummary> decode_restic_summary(const std::string& line) {
  const auto object = line_of_type(line, "summary");
  if (!object.is_object()) return std::nullopt;
  return ResticSummary{text_at(object, "snapshot_id"), number_at(object, "total_bytes_processed"),
                       number_at(object, "total_files_processed")};
}

std::optional<std::uint64_t> restic_bytes_done(const std::string& line) {
  const auto object = line_of_type(line, "status");
  if (!object.is_object()) return std::nullopt;
  return number_at(object, "bytes_done");
}

std::optional<std::string> decode_restic_error(const std::string& line) {
  const auto object = line_of_type(line, "error");
  if (!object.is_object()) return std::nullopt;
  return text_at(object, "item");
}

std::optional<ResticEntry> decode_restic_entry(const std::string& line) {
  const auto object = json::parse(line, nullptr, false);
  const bool is_node = object.is_object() && (text_at(object, "struct_type") == "node" || text_at(object, "message_type") == "node");
  if (!is_node) return std::nullopt;
  const auto type = text_at(object, "type");
  ResticEntry found;
  found.path = text_at(object, "path");
  auto& entry = found.entry;
  entry.name = text_at(object, "name");
  entry.type = type == "file"      ? SnapshotEntry::Type::file
               : type == "dir"     ? SnapshotEntry::Type::folder
               : type == "symlink" ? SnapshotEntry::Type::link
                                   : SnapshotEntry::Type::other;
  entry.bytes = type == "file" ? number_at(object, "size") : 0;
  entry.mode = unix_mode(number_at(object, "mode"));
  entry.uid = static_cast<std::uint32_t>(number_at(object, "uid"));
  entry.gid = static_cast<std::uint32_t>(number_at(object, "gid"));
  entry.mtime = from_iso8601(text_at(object, "mtime"));
  return found;
}

Result<std::string> decode_restic_config(const std::string& text) {
  const auto object = json::parse(text, nullptr, false);
  const auto id = object.is_object() ? text_at(object, "id") : std::string();
  if (id.empty()) return unreadable("config", text);
  return id;
}

}  // namespace kopidocka
