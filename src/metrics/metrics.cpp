#include "metrics/metrics.hpp"

#include <algorithm>
#include <array>

#include "metrics/process_stats.hpp"

namespace kopidocka {
namespace {

constexpr std::array kResults = {RunResult::success, RunResult::partial, RunResult::failed,
                                 RunResult::skipped};
constexpr std::array kHooks = {"pre", "post"};

/// `value` when the closed list holds it: a label whose values others choose would grow without end.
std::string one_of(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end() ? value : "other";
}

}  // namespace

Metrics::Metrics(const Clock& clock) : clock_(clock) {
  for (const auto family :
       {Family::docker_reconcile_changes, Family::recovered_containers, Family::journal_write_errors})
    store_.add(family, {}, 0);
  for (const auto family : {Family::docker_up, Family::docker_events_connected, Family::units,
                            Family::queue_length, Family::journal_open_runs}) {
    store_.set(family, {}, 0);
  }
  for (const auto* result : {"success", "failed"}) store_.add(Family::recovery_runs, {result}, 0);
  for (const auto* hook : kHooks) {
    for (const auto& result : hook_results()) store_.add(Family::hook_runs, {hook, result}, 0);
  }
  for (const auto* reason : {"timeout", "too_large", "malformed", "too_many"})
    store_.add(Family::http_rejected, {reason}, 0);
  for (const auto& level : log_levels()) store_.add(Family::log_messages, {level}, 0);
  for (const auto result : kResults)
    store_.add(Family::restore_runs, {"user", std::string(to_string(result))}, 0);
  store_.add(Family::units_rejected, {"cap"}, 0);
}

void Metrics::set_build(const std::string& version, const std::string& revision,
                        const std::string& kopia_version) {
  store_.remove(Family::build_info);
  store_.set(Family::build_info, {version, revision, kopia_version}, 1);
}

void Metrics::set_units(const std::vector<UnitMetrics>& units) {
  std::set<std::string> present;
  size_t rejected = 0;
  for (const auto& unit : units) {
    // Who was there first keeps its series, so that a flood of new units cannot push out the old.
    if (known(unit.name)) present.insert(unit.name);
  }
  for (const auto& unit : units) {
    if (present.count(unit.name) > 0) continue;
    if (present.size() < kMostUnits)
      present.insert(unit.name);
    else
      ++rejected;
  }
  if (rejected > rejected_)
    store_.add(Family::units_rejected, {"cap"}, static_cast<double>(rejected - rejected_));
  rejected_ = rejected;

  for (auto it = units_.begin(); it != units_.end();) {
    if (present.count(it->first) > 0) {
      ++it;
      continue;
    }
    store_.remove_label("unit", it->first);
    const auto gone = it->first;
    it = units_.erase(it);
    show_held(gone);
  }
  for (const auto& unit : units) {
    if (present.count(unit.name) > 0) add_unit(unit);
  }
  store_.set(Family::units, {}, static_cast<double>(units.size()));
  forget_old_units();
}

void Metrics::add_unit(const UnitMetrics& unit) {
  const auto before = units_.find(unit.name);
  if (before == units_.end()) {
    store_.add(Family::backup_started, {unit.name}, 0);
    for (const auto result : kResults)
      store_.add(Family::backup_runs, {unit.name, std::string(to_string(result))}, 0);
    for (const auto& reason : failure_reasons()) store_.add(Family::backup_failures, {unit.name, reason}, 0);
    for (const auto& reason : missed_reasons())
      store_.add(Family::schedule_missed_runs, {unit.name, reason}, 0);
    for (const auto family : {Family::backup_downtime_seconds, Family::container_start_failures,
                              Family::container_stop_timeouts}) {
      store_.add(family, {unit.name}, 0);
    }
    for (const auto& [series, amount] : waiting_[unit.name]) store_.add(series.first, series.second, amount);
    waiting_.erase(unit.name);
    const auto going = going_.find(unit.name);
    const auto goes_on = [&](RunKind kind) {
      return going != going_.end() && going->second.kind == kind ? 1.0 : 0.0;
    };
    store_.set(Family::backup_in_progress, {unit.name}, goes_on(RunKind::backup));
    store_.set(Family::restore_in_progress, {unit.name}, goes_on(RunKind::restore));
  } else {
    store_.remove(Family::unit_info, {unit.name, before->second.schedule, before->second.time_zone});
  }
  const bool is_new = before == units_.end();
  units_[unit.name] = unit;
  store_.set(Family::unit_info, {unit.name, unit.schedule, unit.time_zone}, 1);
  store_.set(Family::unit_config_valid, {unit.name}, unit.valid ? 1 : 0);
  store_.set(Family::unit_first_seen_timestamp_seconds, {unit.name}, to_unix_seconds(unit.first_seen));
  set_next_run(unit.name, unit.next_run);
  if (unit.interval)
    store_.set(Family::schedule_interval_seconds, {unit.name}, static_cast<double>(unit.interval->count()));
  else
    store_.remove(Family::schedule_interval_seconds, {unit.name});
  if (is_new) {
    show_past(unit.name);
    show_held(unit.name);
  }
}

void Metrics::forget_old_units() {
  // A unit that comes back shall find its past; units that never come back shall not fill the memory.
  for (auto it = past_.begin(); it != past_.end() && past_.size() > 2 * kMostUnits;) {
    it = known(it->first) ? std::next(it) : past_.erase(it);
  }
}

void Metrics::show_past(const std::string& unit) {
  if (!known(unit)) return;
  const auto& past = past_[unit];
  store_.set(Family::backup_last_success_timestamp_seconds, {unit}, past.last_success);
  if (!past.successful) return;
  store_.set(Family::backup_last_start_timestamp_seconds, {unit}, past.last_start);
  store_.set(Family::backup_last_completion_timestamp_seconds, {unit}, past.last_completion);
  store_.set(Family::backup_last_run_successful, {unit}, *past.successful ? 1 : 0);
  store_.set(Family::backup_last_duration_seconds, {unit}, past.duration);
  store_.set(Family::backup_last_downtime_seconds, {unit}, past.downtime);
  show_snapshots(unit, past.snapshots);
}

void Metrics::set_next_run(const std::string& unit, std::optional<TimePoint> next) {
  const auto it = units_.find(unit);
  if (it == units_.end()) return;
  it->second.next_run = next;
  if (next)
    store_.set(Family::schedule_next_run_timestamp_seconds, {unit}, to_unix_seconds(*next));
  else
    store_.remove(Family::schedule_next_run_timestamp_seconds, {unit});
}

void Metrics::unit_rejected(const std::string& reason) { store_.add(Family::units_rejected, {reason}); }

void Metrics::schedule_missed(const std::string& unit, const std::string& reason, unsigned runs) {
  if (known(unit)) store_.add(Family::schedule_missed_runs, {unit, one_of(missed_reasons(), reason)}, runs);
}

void Metrics::set_queue(size_t waiting, size_t limit) {
  store_.set(Family::queue_length, {}, static_cast<double>(waiting));
  store_.set(Family::runs_limit, {}, static_cast<double>(limit));
}

void Metrics::show_held(const std::string& unit) {
  const auto held = held_.find(unit);
  const size_t count = held == held_.end() ? 0 : held->second.size();
  // A unit that is gone but owes us a start is exactly what the alert is for.
  if (known(unit) || count > 0)
    store_.set(Family::containers_held_stopped, {unit}, static_cast<double>(count));
  else
    store_.remove_label("unit", unit);
}

void Metrics::set_held(const std::map<std::string, std::set<std::string>>& held) {
  std::set<std::string> changed;
  for (const auto& [unit, names] : held_) changed.insert(unit);
  for (const auto& [unit, names] : held) changed.insert(unit);
  held_ = held;
  for (const auto& unit : changed) show_held(unit);
}

void Metrics::recovery_ended(bool all_paid, size_t containers_started) {
  store_.add(Family::recovery_runs, {all_paid ? "success" : "failed"});
  store_.add(Family::recovered_containers, {}, static_cast<double>(containers_started));
}

void Metrics::set_open_journals(size_t runs) {
  store_.set(Family::journal_open_runs, {}, static_cast<double>(runs));
}
void Metrics::journal_write_failed() { store_.add(Family::journal_write_errors, {}); }

void Metrics::set_docker_up(bool up) { store_.set(Family::docker_up, {}, up ? 1 : 0); }

void Metrics::set_docker_info(const std::string& engine_version, const std::string& api_version,
                              const std::string& kind) {
  store_.remove(Family::docker_info);
  store_.set(Family::docker_info, {engine_version, api_version, kind}, 1);
}

void Metrics::docker_request(const std::string& operation, double seconds, const std::string& error_code) {
  store_.observe(Family::docker_request_duration_seconds, {operation}, seconds);
  if (!error_code.empty()) store_.add(Family::docker_request_errors, {operation, error_code});
}

void Metrics::set_events_connected(bool connected) {
  store_.set(Family::docker_events_connected, {}, connected ? 1 : 0);
}
void Metrics::events_reconnected(const std::string& reason) {
  store_.add(Family::docker_events_reconnects, {reason});
}

void Metrics::event_received(const std::string& action) {
  // Docker writes the command of an exec and the outcome of a health check behind a colon.
  store_.add(Family::docker_events, {one_of(event_actions(), action.substr(0, action.find(':')))});
  store_.set(Family::docker_last_event_timestamp_seconds, {}, to_unix_seconds(clock_.now()));
}

void Metrics::reconciled(size_t changes_events_had_not_told) {
  store_.add(Family::docker_reconcile_changes, {}, static_cast<double>(changes_events_had_not_told));
  store_.set(Family::docker_last_reconcile_timestamp_seconds, {}, to_unix_seconds(clock_.now()));
}

void Metrics::set_repository_up(bool up) { store_.set(Family::repository_up, {}, up ? 1 : 0); }

void Metrics::set_filesystem(const std::string& role, std::uint64_t free_bytes, std::uint64_t size_bytes) {
  store_.set(Family::filesystem_free_bytes, {role}, static_cast<double>(free_bytes));
  store_.set(Family::filesystem_size_bytes, {role}, static_cast<double>(size_bytes));
}

void Metrics::hook_ran(const std::string& hook, const std::string& result, double seconds) {
  store_.add(Family::hook_runs, {hook, result});
  store_.observe(Family::hook_duration_seconds, {hook}, seconds);
}

void Metrics::http_answered(unsigned code) { store_.add(Family::http_requests, {std::to_string(code)}); }
void Metrics::http_rejected(std::string_view reason) {
  store_.add(Family::http_rejected, {std::string(reason)});
}
void Metrics::message_logged(std::string_view level) {
  store_.add(Family::log_messages, {one_of(log_levels(), std::string(level))});
}

std::string Metrics::exposition() {
  const auto stats = read_process_stats();
  store_.raise_to(Family::process_cpu_seconds, {}, stats.cpu_seconds);
  store_.set(Family::process_resident_memory_bytes, {}, static_cast<double>(stats.resident_bytes));
  store_.set(Family::process_start_time_seconds, {}, stats.start_time_seconds);
  store_.set(Family::process_open_fds, {}, static_cast<double>(stats.open_fds));
  store_.set(Family::process_max_fds, {}, static_cast<double>(stats.max_fds));
  return store_.exposition();
}

}  // namespace kopidocka
