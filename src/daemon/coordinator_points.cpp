#include <algorithm>

#include "base/text.hpp"
#include "daemon/coordinator.hpp"

/// Restore points as the repository holds them, with what this state folder knows of their runs.
namespace kopidocka {

std::map<std::string, std::string> Coordinator::unfinished(const std::set<std::string>& runs) const {
  std::map<std::string, std::string> sentences;
  const auto open = assembly_.journal.open_runs();
  if (!open) throw open.error();
  const auto active = active_ids();
  for (const auto& run : *open) {
    const auto report = assembly_.reports.find(run.run);
    // A run whose data is safe may still owe a start; that takes nothing from its point.
    if (report && (report->result == RunResult::success || report->result == RunResult::partial)) continue;
    sentences[run.run] = active.count(run.run) != 0 ? "the run that makes it is still going on"
                                                    : "its run failed; its snapshots are removed when the repository allows it";
  }
  for (const auto& report : assembly_.reports.of_runs(runs)) {
    if (report.result == RunResult::success || report.result == RunResult::partial) continue;
    sentences.emplace(report.backup_id, "its run " + std::string(report.result == RunResult::failed ? "failed" : "was skipped") +
                                            (report.reason.empty() ? "" : " (" + report.reason + ")"));
  }
  return sentences;
}

Task<std::vector<RestorePoint>> Coordinator::points_of(std::string machine) {
  auto points = co_await restore_points(!machine.empty());
  auto chosen = points_of_machine(std::move(points), machine);
  if (!chosen) throw chosen.error();
  co_return std::move(*chosen);
}

Task<RestorePoint> Coordinator::point_of(std::string unit, std::string at, std::string machine) {
  const auto points = co_await points_of(machine);
  auto point = find_point(points, unit, at, assembly_.clock.now());
  if (point) co_return std::move(*point);
  const bool known = std::any_of(points.begin(), points.end(), [&](const RestorePoint& one) { return one.unit == unit; });
  if (!machine.empty() || known) throw point.error();
  // Restored on a new machine, mostly: its name is not the one that the backups bear.
  std::set<std::string> others;
  for (const auto& one : co_await restore_points(true)) {
    if (one.unit == unit) others.insert(one.host);
  }
  if (others.empty()) throw point.error();
  throw Error(ErrorKind::not_found, "machine " + printable(assembly_.hostname) + " has saved nothing of unit " + printable(unit),
              join(std::vector<std::string>(others.begin(), others.end()), ", ") + " has: add --machine " + *others.begin());
}

Task<std::vector<RestorePoint>> Coordinator::restore_points(bool all_hosts) {
  SnapshotFilter filter;
  filter.all_hosts = all_hosts;
  Cancel never;
  auto points = kopidocka::restore_points(co_await assembly_.engine->list(filter, never));
  std::set<std::string> runs;
  for (const auto& point : points) runs.insert(point.backup_id);
  const auto marks = unfinished(runs);
  std::set<std::string> unreadable;
  for (const auto& report : assembly_.reports.of_runs(runs)) {
    if (report.reason == "unreadable") unreadable.insert(report.backup_id);
  }
  for (auto& point : points) {
    // Restic learns of it when nobody else is at work; until then only our report knows.
    if (unreadable.count(point.backup_id) != 0) point.partial = true;
    const auto found = marks.find(point.backup_id);
    if (found == marks.end()) continue;
    point.complete = false;
    point.problems.insert(point.problems.begin(), found->second);
  }
  co_return points;
}

}  // namespace kopidocka
