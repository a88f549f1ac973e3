#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace kopidocka {

/// Every metric family there is. The table in families.cpp gives each its name, type, labels and meaning;
/// code, the documentation and the check of the alert rules use nothing else.
enum class Family {
  build_info,
  docker_up,
  docker_info,
  docker_events_connected,
  docker_events,
  docker_events_reconnects,
  docker_last_event_timestamp_seconds,
  docker_last_reconcile_timestamp_seconds,
  docker_reconcile_changes,
  docker_request_duration_seconds,
  docker_request_errors,
  units,
  unit_info,
  unit_config_valid,
  unit_first_seen_timestamp_seconds,
  units_rejected,
  schedule_interval_seconds,
  schedule_next_run_timestamp_seconds,
  schedule_missed_runs,
  queue_length,
  runs_limit,
  backup_started,
  backup_runs,
  backup_failures,
  backup_in_progress,
  backup_last_start_timestamp_seconds,
  backup_last_success_timestamp_seconds,
  backup_last_completion_timestamp_seconds,
  backup_last_run_successful,
  backup_phase_duration_seconds,
  backup_last_duration_seconds,
  backup_last_downtime_seconds,
  backup_downtime_seconds,
  containers_held_stopped,
  container_start_failures,
  container_stop_timeouts,
  recovery_runs,
  recovered_containers,
  journal_open_runs,
  journal_write_errors,
  hook_runs,
  hook_duration_seconds,
  snapshot_size_bytes,
  snapshot_files,
  snapshot_errors,
  repository_up,
  restore_runs,
  restore_in_progress,
  filesystem_free_bytes,
  filesystem_size_bytes,
  http_requests,
  http_rejected,
  log_messages,
  process_cpu_seconds,
  process_resident_memory_bytes,
  process_start_time_seconds,
  process_open_fds,
  process_max_fds,
  count_,
};

enum class FamilyType { counter, gauge, histogram };

struct FamilyRow {
  Family family;
  std::string_view name;
  FamilyType type;
  std::string_view labels;  ///< names, separated by commas
  std::string_view help;
  std::string_view buckets;  ///< of a histogram: upper bounds in seconds, separated by commas
};

const std::array<FamilyRow, static_cast<size_t>(Family::count_)>& family_table();
const FamilyRow& row_of(Family family);
std::string_view to_string(FamilyType type);

// Closed lists of label values; what is not in a list is counted as "other".
/// run_reasons() and "other".
const std::vector<std::string>& failure_reasons();
const std::vector<std::string>& hook_results();
/// What the log calls its levels.
const std::vector<std::string>& log_levels();
const std::vector<std::string>& missed_reasons();
const std::vector<std::string>& event_actions();

/// docs/metrics.md.
std::string metrics_markdown();

}  // namespace kopidocka
