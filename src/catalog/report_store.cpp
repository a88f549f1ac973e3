#include "catalog/report_store.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kMostReports = 5'000;
constexpr size_t kMostPerUnit = 400;

/// FNV-1a: stable between versions, which std::hash is not.
std::string hash_of(const std::string& text) {
  std::uint64_t hash = 14695981039346656037ull;
  for (const unsigned char byte : text) hash = (hash ^ byte) * 1099511628211ull;
  char hex[24];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
  return hex;
}

bool is_plain_id(const std::string& id) {
  return !id.empty() && id.size() <= 64 &&
         id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == std::string::npos;
}

/// 20261122T030000.123456: sorts by time.
std::string time_name(TimePoint time) {
  std::string name;
  for (const char c : to_iso8601(time).substr(0, 26)) {
    if (c != '-' && c != ':') name += c;
  }
  return name;
}

/// <time>_<unit hash>_<run id>.json
struct FileName {
  std::string time, unit, run;
};

FileName parts_of(const std::filesystem::path& path) {
  const auto parts = split(path.stem().string(), '_');
  if (parts.size() != 3) return {};
  return {parts[0], parts[1], parts[2]};
}

Result<RunReport> read_report(const std::filesystem::path& path) {
  const auto content = read_file(path);
  if (!content) return content.error();
  const auto json = nlohmann::json::parse(*content, nullptr, false);
  if (json.is_discarded()) return Error{ErrorKind::invalid, path.string() + " is not JSON"};
  return report_from_json(json);
}

}  // namespace

Result<void> ReportStore::open() { return make_private_folder(folder_); }

std::vector<std::filesystem::path> ReportStore::files() const {
  std::vector<std::filesystem::path> files;
  std::error_code code;
  for (std::filesystem::directory_iterator at(folder_, code), end; !code && at != end; at.increment(code)) {
    if (at->path().extension() == ".json") files.push_back(at->path());
  }
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.filename() > b.filename(); });
  return files;
}

Result<void> ReportStore::save(const RunReport& report) {
  if (!is_plain_id(report.backup_id)) return Error{ErrorKind::internal, "a run's id must be a plain word"};
  const auto name = time_name(report.started_at) + "_" + hash_of(report.unit) + "_" + report.backup_id + ".json";
  for (const auto& file : files()) {
    std::error_code ignored;
    if (parts_of(file).run == report.backup_id && file.filename() != name) std::filesystem::remove(file, ignored);
  }
  const auto text = to_json(report).dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (auto written = write_file_atomically(folder_ / name, text + "\n"); !written) return written.error();
  prune();
  return {};
}

bool ReportStore::is_last_success(const std::filesystem::path& file) const {
  const auto report = read_report(file);
  if (!report || report->kind != RunKind::backup || report->result != RunResult::success) return false;
  return last_success(report->unit) == report->started_at;
}

void ReportStore::prune() const {
  std::map<std::string, size_t> of_unit;
  size_t all = 0;
  for (const auto& file : files()) {
    const bool fits = ++all <= kMostReports && ++of_unit[parts_of(file).unit] <= kMostPerUnit;
    if (fits || is_last_success(file)) continue;
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
  }
}

ReportList ReportStore::list(const ReportFilter& filter) const {
  ReportList found;
  const auto unit = filter.unit.empty() ? std::string() : hash_of(filter.unit);
  for (const auto& file : files()) {
    if (found.reports.size() >= filter.limit) break;
    if (!unit.empty() && parts_of(file).unit != unit) continue;
    auto report = read_report(file);
    if (!report) {
      found.problems.push_back(report.error().text());
      continue;
    }
    if (!filter.unit.empty() && report->unit != filter.unit) continue;
    if (filter.kind && report->kind != *filter.kind) continue;
    if (filter.result && report->result != *filter.result) continue;
    found.reports.push_back(std::move(*report));
  }
  return found;
}

std::optional<RunReport> ReportStore::find(const std::string& backup_id) const {
  for (const auto& file : files()) {
    if (parts_of(file).run != backup_id) continue;
    auto report = read_report(file);
    if (report) return std::move(*report);
  }
  return std::nullopt;
}

std::vector<RunReport> ReportStore::of_runs(const std::set<std::string>& backup_ids) const {
  std::vector<RunReport> found;
  for (const auto& file : files()) {
    if (backup_ids.count(parts_of(file).run) == 0) continue;
    if (auto report = read_report(file)) found.push_back(std::move(*report));
  }
  return found;
}

std::optional<TimePoint> ReportStore::last_success(const std::string& unit) const {
  ReportFilter filter;
  filter.unit = unit;
  filter.kind = RunKind::backup;
  filter.result = RunResult::success;
  filter.limit = 1;
  const auto found = list(filter);
  if (found.reports.empty()) return std::nullopt;
  return found.reports.front().started_at;
}

}  // namespace kopidocka
