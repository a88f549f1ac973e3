#include "daemon/pauses.hpp"

#include <nlohmann/json.hpp>

#include "base/file.hpp"

namespace kopidocka {

using nlohmann::json;

void Pauses::load() {
  until_.clear();
  const auto content = read_file(file_);
  if (!content) return;
  const auto object = json::parse(*content, nullptr, false);
  if (!object.is_object()) return;
  for (const auto& [unit, until] : object.items()) {
    if (until.is_null()) until_[unit] = std::nullopt;
    if (until.is_string()) until_[unit] = from_iso8601(until.get<std::string>());
  }
}

Result<void> Pauses::save() const {
  json object = json::object();
  for (const auto& [unit, until] : until_) object[unit] = until ? json(to_iso8601(*until)) : json(nullptr);
  return write_file_atomically(file_, object.dump(1, ' ', false, json::error_handler_t::replace) + "\n", 0600);
}

Result<void> Pauses::pause(const std::vector<std::string>& units, std::optional<TimePoint> until) {
  const auto before = until_;
  for (const auto& unit : units) until_[unit] = until;
  auto saved = save();
  if (!saved) until_ = before;
  return saved;
}

Result<std::vector<std::string>> Pauses::resume(const std::vector<std::string>& units) {
  const auto before = until_;
  std::vector<std::string> resumed;
  for (const auto& unit : units) {
    if (until_.erase(unit) != 0) resumed.push_back(unit);
  }
  if (resumed.empty()) return resumed;
  if (auto saved = save(); !saved) {
    until_ = before;
    return saved.error();
  }
  return resumed;
}

Result<bool> Pauses::end_what_is_over(TimePoint now) {
  const auto count = std::erase_if(until_, [&](const auto& one) { return one.second && *one.second <= now; });
  if (count == 0) return false;
  if (auto saved = save(); !saved) return saved.error();
  return true;
}

bool Pauses::holds(const std::string& unit, TimePoint now) const {
  for (const auto& name : {unit, std::string(kAll)}) {
    const auto found = until_.find(name);
    if (found != until_.end() && (!found->second || *found->second > now)) return true;
  }
  return false;
}

std::optional<TimePoint> Pauses::next_end() const {
  std::optional<TimePoint> next;
  for (const auto& [unit, until] : until_) {
    if (until && (!next || *until < *next)) next = until;
  }
  return next;
}

}  // namespace kopidocka
