#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace kopidocka {

/// Units that are not backed up by schedule for a while, and whether nothing is; kept in the state folder, so that a restart in
/// the middle of a maintenance window ends no pause. Backups that are asked for are made all the same.
class Pauses {
 public:
  explicit Pauses(std::filesystem::path file) : file_(std::move(file)) {}

  /// The name that means every unit.
  static constexpr const char* kAll = "*";

  /// A missing or damaged file is no pause.
  void load();
  /// From now until `until`, or until resume() when there is none. A later call for the same unit replaces the earlier one.
  Result<void> pause(const std::vector<std::string>& units, std::optional<TimePoint> until);
  /// The names that were paused among these.
  Result<std::vector<std::string>> resume(const std::vector<std::string>& units);
  /// Ends what is over; true when something was.
  Result<bool> end_what_is_over(TimePoint now);

  bool holds(const std::string& unit, TimePoint now) const;
  /// By unit, kAll among them.
  const std::map<std::string, std::optional<TimePoint>>& all() const { return until_; }
  /// When the next one ends by itself.
  std::optional<TimePoint> next_end() const;

 private:
  Result<void> save() const;

  std::filesystem::path file_;
  std::map<std::string, std::optional<TimePoint>> until_;
};

}  // namespace kopidocka
