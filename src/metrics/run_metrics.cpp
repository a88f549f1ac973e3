#include <algorithm>
#include <cstdio>

#include "base/error.hpp"
#include "metrics/metrics.hpp"

namespace kopidocka {
namespace {

double end_of(const RunReport& report) {
  return to_unix_seconds(report.started_at) + report.duration_seconds;
}

bool is_data(const SnapshotReport& snapshot) { return snapshot.type == "volume" || snapshot.type == "bind"; }

std::string known_reason(const std::string& reason) {
  const auto& list = failure_reasons();
  return std::find(list.begin(), list.end(), reason) != list.end() ? reason : "other";
}

}  // namespace

std::string source_label(const SnapshotReport& snapshot) {
  if (snapshot.type != "bind") return snapshot.source;
  std::uint32_t checksum =
      2166136261u;  // FNV-1a: tells /srv/a/data from /srv/b/data, and must not change between versions
  for (const unsigned char byte : snapshot.source) checksum = (checksum ^ byte) * 16777619u;
  char text[16];
  std::snprintf(text, sizeof text, "%08x", checksum);
  return "bind:" + snapshot.source.substr(snapshot.source.rfind('/') + 1) + "-" + text;
}

void Metrics::remember(const RunReport& report) {
  auto& past = past_[report.unit];
  if (end_of(report) < past.last_completion) return;
  past.last_start = to_unix_seconds(report.started_at);
  past.last_completion = end_of(report);
  past.duration = report.duration_seconds;
  past.downtime = report.downtime_seconds;
  past.successful = report.result == RunResult::success;
  if (report.result == RunResult::success || report.result == RunResult::partial)
    past.snapshots = report.snapshots;
}

void Metrics::seed(const std::vector<RunReport>& reports) {
  std::vector<const RunReport*> backups;
  for (const auto& report : reports) {
    if (report.kind == RunKind::backup) backups.push_back(&report);
  }
  std::sort(backups.begin(), backups.end(), [](auto* a, auto* b) { return end_of(*a) < end_of(*b); });
  for (const auto* report : backups) {
    remember(*report);
    auto& success = past_[report->unit].last_success;
    if (report->result == RunResult::success) success = std::max(success, end_of(*report));
  }
  for (const auto& [unit, facts] : units_) show_past(unit);
}

void Metrics::on_run_event(const RunEvent& event) {
  const auto& unit = event.report.unit;
  switch (event.kind) {
    case RunEvent::Kind::started:
      run_started(event.report);
      break;
    case RunEvent::Kind::phase:
      end_phase(unit);
      if (const auto going = going_.find(unit); going != going_.end()) {
        going->second.phase = event.text;
        going->second.since = clock_.steady();
      }
      break;
    case RunEvent::Kind::member_stopped:
      held_[unit].insert(event.text);
      show_held(unit);
      break;
    case RunEvent::Kind::member_started:
      if (const auto held = held_.find(unit); held != held_.end()) {
        held->second.erase(event.text);
        if (held->second.empty()) held_.erase(held);
      }
      show_held(unit);
      break;
    case RunEvent::Kind::finished:
      run_finished(event.report);
      break;
    case RunEvent::Kind::hook_ended:
      end_hook(event);
      break;
    case RunEvent::Kind::step_started:
    case RunEvent::Kind::step_finished:
    case RunEvent::Kind::progress:
      break;
  }
}

void Metrics::run_started(const RunReport& report) {
  auto& going = going_[report.unit];
  going.kind = report.kind;
  if (report.kind == RunKind::backup) count(Family::backup_started, report.unit);
  if (!known(report.unit)) return;
  if (report.kind == RunKind::restore) return store_.set(Family::restore_in_progress, {report.unit}, 1);
  store_.set(Family::backup_in_progress, {report.unit}, 1);
  store_.set(Family::backup_last_start_timestamp_seconds, {report.unit}, to_unix_seconds(report.started_at));
}

void Metrics::end_phase(const std::string& unit) {
  const auto going = going_.find(unit);
  if (going == going_.end() || going->second.kind != RunKind::backup || going->second.phase.empty()) return;
  const std::chrono::duration<double> took = clock_.steady() - going->second.since;
  store_.observe(Family::backup_phase_duration_seconds, {going->second.phase}, took.count());
  going->second.phase.clear();
}

void Metrics::run_finished(const RunReport& report) {
  end_phase(report.unit);
  going_.erase(report.unit);
  if (known(report.unit)) {
    const auto family =
        report.kind == RunKind::restore ? Family::restore_in_progress : Family::backup_in_progress;
    store_.set(family, {report.unit}, 0);
  }
  count_result(report);
}

void Metrics::end_hook(const RunEvent& event) {
  const auto& kind = event.error;
  hook_ran(event.text.substr(0, event.text.find('_')), kind.empty() ? "success" : kind == to_string(ErrorKind::timeout) ? "timeout" : "failure",
           event.seconds);
}

void Metrics::count(Family family, const std::string& unit, std::vector<std::string> more, double amount) {
  more.insert(more.begin(), unit);
  if (known(unit)) return store_.add(family, more, amount);
  if (amount <= 0 || (waiting_.count(unit) == 0 && waiting_.size() >= kMostUnits)) return;
  waiting_[unit][{family, more}] += amount;
}

void Metrics::count_result(const RunReport& report) {
  const std::string result(to_string(report.result));
  if (report.kind == RunKind::restore) {
    store_.add(Family::restore_runs, {"user", result});
  } else {
    remember(report);
    if (report.result == RunResult::success) past_[report.unit].last_success = end_of(report);
    show_past(report.unit);
  }
  const auto left_down = std::count_if(report.members.begin(), report.members.end(),
                                       [](const auto& m) { return m.stopped && !m.started; });
  // In a tainted run it was somebody else who started it.
  if (report.reason != "tainted")
    count(Family::container_start_failures, report.unit, {}, static_cast<double>(left_down));
  if (report.reason == "stop") count(Family::container_stop_timeouts, report.unit);
  if (report.kind == RunKind::restore) return;
  count(Family::backup_runs, report.unit, {result});
  count(Family::backup_downtime_seconds, report.unit, {}, report.downtime_seconds);
  if (report.result == RunResult::failed || report.result == RunResult::skipped) {
    count(Family::backup_failures, report.unit, {known_reason(report.reason)});
  }
}

void Metrics::show_snapshots(const std::string& unit, const std::vector<SnapshotReport>& snapshots) {
  for (const auto family : {Family::snapshot_size_bytes, Family::snapshot_files, Family::snapshot_errors}) {
    store_.remove_label(family, "unit", unit);
  }
  size_t shown = 0;
  for (const auto& snapshot : snapshots) {
    if (!is_data(snapshot) || ++shown > kMostSourcesPerUnit) continue;
    const auto volume = source_label(snapshot);
    store_.set(Family::snapshot_size_bytes, {unit, volume}, static_cast<double>(snapshot.bytes));
    store_.set(Family::snapshot_files, {unit, volume}, static_cast<double>(snapshot.files));
    store_.set(Family::snapshot_errors, {unit, volume}, static_cast<double>(snapshot.errors));
  }
}

}  // namespace kopidocka
