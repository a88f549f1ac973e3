#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "catalog/report.hpp"

namespace kopidocka {

struct ReportFilter {
  std::string unit;  ///< empty = any
  std::optional<RunKind> kind;
  std::optional<RunResult> result;
  size_t limit = 20;
};

/// What a look into the store found; files that cannot be read are named, never fatal.
struct ReportList {
  std::vector<RunReport> reports;  ///< newest first
  std::vector<std::string> problems;
};

/// The reports of past runs, one JSON file each in <state>/reports, named by time, a hash of the unit and the run's id.
/// Names from outside never become part of a path.
class ReportStore {
 public:
  explicit ReportStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  Result<void> open();
  /// Writes the report (replacing one of the same run) and removes the oldest beyond 400 of a unit and 5,000 in
  /// all, but never the newest successful backup of a unit: its age must stay known however long a unit fails.
  Result<void> save(const RunReport& report);

  ReportList list(const ReportFilter& filter) const;
  std::optional<RunReport> find(const std::string& backup_id) const;
  /// The reports of these runs, as far as there are any: the folder is read once.
  std::vector<RunReport> of_runs(const std::set<std::string>& backup_ids) const;
  /// When the last successful backup of the unit began.
  std::optional<TimePoint> last_success(const std::string& unit) const;

 private:
  std::vector<std::filesystem::path> files() const;
  bool is_last_success(const std::filesystem::path& file) const;
  void prune() const;

  std::filesystem::path folder_;
};

}  // namespace kopidocka
