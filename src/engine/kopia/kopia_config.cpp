#include "engine/kopia/kopia_config.hpp"

#include <algorithm>
#include <filesystem>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/text.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

/// Paths and patterns may hold any byte, JSON only UTF-8: they are kept as hexadecimal digits.
std::string to_hex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string result;
  for (const unsigned char byte : bytes) {
    result += kDigits[byte >> 4];
    result += kDigits[byte & 15];
  }
  return result;
}

std::string from_hex(const std::string& digits) {
  std::string result;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    result += static_cast<char>(std::strtol(digits.substr(i, 2).c_str(), nullptr, 16));
  }
  return result;
}

std::string text_at(const json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto it = object.find(key);
  return it != object.end() && it->is_string() ? it->get<std::string>() : std::string();
}

}  // namespace

Result<std::optional<KopiaConfig>> read_kopia_config(const std::string& file) {
  auto content = read_file(file);
  if (!content && content.error().kind() == ErrorKind::not_found) return std::optional<KopiaConfig>();
  if (!content) return content.error();
  const auto object = json::parse(*content, nullptr, false);
  if (!object.is_object() || !object.contains("storage") || !object["storage"].is_object()) {
    return Error{ErrorKind::failed, "Kopia's config file " + printable(file) + " is damaged",
                 "remove that file; it is written anew with the next connection"};
  }
  const auto& storage = object["storage"];
  KopiaConfig config;
  config.storage_type = text_at(storage, "type");
  if (storage.contains("config")) config.storage_path = text_at(storage["config"], "path");
  config.hostname = text_at(object, "hostname");
  config.username = text_at(object, "username");
  return std::optional<KopiaConfig>(std::move(config));
}

KopiaRecord KopiaRecord::read(const std::string& file) {
  KopiaRecord record;
  record.file_ = file;
  const auto content = read_file(file);
  const auto object = content ? json::parse(*content, nullptr, false) : json();
  if (!object.is_object()) return record;
  for (const auto& [path, source] : object.items()) {
    if (!source.is_object()) continue;
    KopiaOurs ours;
    if (const auto ignore = source.find("ignore"); ignore != source.end() && ignore->is_array()) {
      for (const auto& pattern : *ignore) {
        if (pattern.is_string()) ours.ignore.push_back(from_hex(pattern.get<std::string>()));
      }
    }
    if (const auto fields = source.find("fields"); fields != source.end() && fields->is_object()) {
      for (const auto& [flag, value] : fields->items()) {
        if (value.is_string()) ours.fields[flag] = value.get<std::string>();
      }
    }
    record.sources_[from_hex(path)] = std::move(ours);
  }
  return record;
}

const KopiaOurs& KopiaRecord::of(const std::string& path) const {
  static const KopiaOurs kNothing;
  const auto it = sources_.find(path);
  return it == sources_.end() ? kNothing : it->second;
}

void KopiaRecord::set(const std::string& path, KopiaOurs ours) {
  if (of(path) == ours) return;
  sources_[path] = std::move(ours);
  changed_ = true;
}

Result<void> KopiaRecord::write() {
  if (!changed_) return {};
  json object = json::object();
  for (const auto& [path, ours] : sources_) {
    auto ignore = json::array();
    for (const auto& pattern : ours.ignore) ignore.push_back(to_hex(pattern));
    object[to_hex(path)] = {{"ignore", ignore}, {"fields", ours.fields}};
  }
  if (auto written = write_file_atomically(file_, object.dump(1)); !written) return written.error();
  changed_ = false;
  return {};
}

}  // namespace kopidocka
