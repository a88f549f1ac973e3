#include "daemon/unit_memory.hpp"

#include <nlohmann/json.hpp>

#include "base/file.hpp"

namespace kopidocka {
namespace {

/// A host where units come and go all day must not grow the file for ever.
constexpr size_t kMostUnits = 10'000;

}  // namespace

void UnitMemory::load() {
  const auto content = read_file(file_);
  if (!content) return;
  const auto json = nlohmann::json::parse(*content, nullptr, false);
  if (!json.is_object()) return;
  for (const auto& [unit, time] : json.items()) {
    if (time.is_string()) first_seen_[unit] = from_iso8601(time.get<std::string>());
  }
}

Result<void> UnitMemory::note(const std::vector<std::string>& units, TimePoint now) {
  bool changed = false;
  for (const auto& unit : units) {
    if (first_seen_.size() < kMostUnits) changed = first_seen_.emplace(unit, now).second || changed;
  }
  if (!changed) return {};
  nlohmann::json json = nlohmann::json::object();
  for (const auto& [unit, time] : first_seen_) json[unit] = to_iso8601(time);
  return write_file_atomically(file_, json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n", 0600);
}

TimePoint UnitMemory::first_seen(const std::string& unit, TimePoint otherwise) const {
  const auto found = first_seen_.find(unit);
  return found == first_seen_.end() ? otherwise : found->second;
}

}  // namespace kopidocka
