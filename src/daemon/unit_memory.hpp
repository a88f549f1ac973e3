#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace kopidocka {

/// When each unit was first seen, kept in the state folder: a unit that never ran is overdue from then on, also when the
/// daemon is restarted every night.
class UnitMemory {
 public:
  explicit UnitMemory(std::filesystem::path file) : file_(std::move(file)) {}

  /// A missing or damaged file is an empty memory.
  void load();
  /// Notes units not seen before and writes the file when that changed something.
  Result<void> note(const std::vector<std::string>& units, TimePoint now);
  TimePoint first_seen(const std::string& unit, TimePoint otherwise) const;

 private:
  std::filesystem::path file_;
  std::map<std::string, TimePoint> first_seen_;
};

}  // namespace kopidocka
