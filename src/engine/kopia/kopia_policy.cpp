#include "engine/kopia/kopia_policy.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

/// A .kopiaignore inside the data would leave out files. An empty list means Kopia's built-in name, so a name that
/// nobody uses takes its place.
constexpr const char* kNoDotIgnore = ".kopi-docka-ignores-nothing";

struct Field {
  const char* flag;
  const char* section;
  const char* key;
};

constexpr Field kFields[] = {
    {"keep-latest", "retention", "keepLatest"},
    {"keep-hourly", "retention", "keepHourly"},
    {"keep-daily", "retention", "keepDaily"},
    {"keep-weekly", "retention", "keepWeekly"},
    {"keep-monthly", "retention", "keepMonthly"},
    {"keep-annual", "retention", "keepAnnual"},
    {"ignore-identical-snapshots", "retention", "ignoreIdenticalSnapshots"},
    {"ignore-cache-dirs", "files", "ignoreCacheDirs"},
    {"ignore-file-errors", "errorHandling", "ignoreFileErrors"},
    {"ignore-dir-errors", "errorHandling", "ignoreDirectoryErrors"},
    {"ignore-unknown-types", "errorHandling", "ignoreUnknownTypes"},
    {"compression", "compression", "compressorName"},
    {"manual", "scheduling", "manual"},
};

std::string scalar(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::vector<std::string> texts(const json& section, const char* key) {
  std::vector<std::string> result;
  const auto it = section.find(key);
  if (it == section.end() || !it->is_array()) return result;
  for (const auto& entry : *it) {
    if (entry.is_string()) result.push_back(entry.get<std::string>());
  }
  return result;
}

KopiaPolicy decode_policy(const json& object) {
  KopiaPolicy policy;
  for (const auto& field : kFields) {
    const auto section = object.find(field.section);
    if (section == object.end() || !section->is_object()) continue;
    const auto value = section->find(field.key);
    if (value != section->end() && !value->is_null()) policy.fields[field.flag] = scalar(*value);
  }
  if (const auto files = object.find("files"); files != object.end() && files->is_object()) {
    policy.ignore = texts(*files, "ignore");
    policy.dot_ignore = texts(*files, "ignoreDotFiles");
  }
  return policy;
}

std::vector<std::pair<std::string, std::string>> wanted_fields(const SourcePolicy& wanted) {
  const auto& keep = wanted.retention;
  return {{"keep-latest", std::to_string(keep.latest)},
          {"keep-hourly", std::to_string(keep.hourly)},
          {"keep-daily", std::to_string(keep.daily)},
          {"keep-weekly", std::to_string(keep.weekly)},
          {"keep-monthly", std::to_string(keep.monthly)},
          {"keep-annual", std::to_string(keep.annual)},
          // An inherited "true" would save nothing when nothing changed, and the run would have no snapshot to name.
          {"ignore-identical-snapshots", "false"},
          {"ignore-cache-dirs", "false"},
          {"ignore-file-errors", "false"},
          {"ignore-dir-errors", "false"},
          {"ignore-unknown-types", "true"},
          {"compression", wanted.compression.empty() ? "none" : wanted.compression}};
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

Result<std::map<std::string, KopiaPolicy>> decode_kopia_policies(const std::string& text, const std::string& user,
                                                                 const std::string& host) {
  const auto array = json::parse(text, nullptr, false);
  if (!array.is_array()) return Error{ErrorKind::failed, "kopia's list of policies cannot be read: " + printable(text, 200)};
  std::map<std::string, KopiaPolicy> result;
  for (const auto& object : array) {
    if (!object.is_object() || !object.contains("target") || !object["target"].is_object()) continue;
    const auto& target = object["target"];
    const auto path = target.value("path", "");
    if (path.empty() || target.value("userName", "") != user || target.value("host", "") != host) continue;
    result[path] = decode_policy(object);
  }
  return result;
}

std::vector<std::string> kopia_policy_flags(const SourcePolicy& wanted, const KopiaPolicy& current,
                                            const std::vector<std::string>& ours) {
  std::vector<std::string> flags;
  for (const auto& [flag, value] : wanted_fields(wanted)) {
    const auto it = current.fields.find(flag);
    if (it == current.fields.end() || it->second != value) flags.push_back("--" + flag + "=" + value);
  }
  if (!contains(current.dot_ignore, kNoDotIgnore)) flags.push_back(std::string("--add-dot-ignore=") + kNoDotIgnore);
  for (const auto& pattern : wanted.exclude) {
    if (!contains(current.ignore, pattern)) flags.push_back("--add-ignore=" + pattern);
  }
  for (const auto& pattern : current.ignore) {
    if (contains(ours, pattern) && !contains(wanted.exclude, pattern)) flags.push_back("--remove-ignore=" + pattern);
  }
  // Without it `policy set` takes the mark away again that `snapshot create --override-source` sets.
  const auto manual = current.fields.find("manual");
  if (!flags.empty() && manual != current.fields.end() && manual->second == "true") flags.emplace_back("--manual");
  return flags;
}

}  // namespace kopidocka
