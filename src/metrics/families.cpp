#include "metrics/families.hpp"

#include "base/text.hpp"
#include "catalog/report.hpp"

namespace kopidocka {

const std::array<FamilyRow, static_cast<size_t>(Family::count_)>& family_table() {
  static constexpr std::array<FamilyRow, static_cast<size_t>(Family::count_)> table = {{
      {Family::build_info, "kopidocka_build_info", FamilyType::gauge, "version,revision,kopia_version",
       "Always 1; what is running", ""},
      {Family::docker_up, "kopidocka_docker_up", FamilyType::gauge, "",
       "1 when the last request to the Docker Engine was answered", ""},
      {Family::docker_info, "kopidocka_docker_info", FamilyType::gauge, "engine_version,api_version,kind",
       "Always 1; the Docker Engine we talk to", ""},
      {Family::docker_events_connected, "kopidocka_docker_events_connected", FamilyType::gauge, "",
       "1 while the event stream is open", ""},
      {Family::docker_events, "kopidocka_docker_events_total", FamilyType::counter, "action",
       "Events received", ""},
      {Family::docker_events_reconnects, "kopidocka_docker_events_reconnects_total", FamilyType::counter,
       "reason", "Times the event stream had to be opened again", ""},
      {Family::docker_last_event_timestamp_seconds, "kopidocka_docker_last_event_timestamp_seconds",
       FamilyType::gauge, "", "When the last event came", ""},
      {Family::docker_last_reconcile_timestamp_seconds, "kopidocka_docker_last_reconcile_timestamp_seconds",
       FamilyType::gauge, "", "When the full list of containers was last read", ""},
      {Family::docker_reconcile_changes, "kopidocka_docker_reconcile_changes_total", FamilyType::counter, "",
       "Differences a full list showed that no event had told", ""},
      {Family::docker_request_duration_seconds, "kopidocka_docker_request_duration_seconds",
       FamilyType::histogram, "operation", "Time one request to the Docker Engine took",
       "0.01,0.05,0.25,1,5,15,60"},
      {Family::docker_request_errors, "kopidocka_docker_request_errors_total", FamilyType::counter,
       "operation,code", "Requests to the Docker Engine that failed", ""},
      {Family::units, "kopidocka_units", FamilyType::gauge, "", "Known units", ""},
      {Family::unit_info, "kopidocka_unit_info", FamilyType::gauge, "unit,schedule,timezone",
       "Always 1; schedule and zone of a unit", ""},
      {Family::unit_config_valid, "kopidocka_unit_config_valid", FamilyType::gauge, "unit",
       "0 when the unit is not backed up because of its labels or its containers", ""},
      {Family::unit_first_seen_timestamp_seconds, "kopidocka_unit_first_seen_timestamp_seconds",
       FamilyType::gauge, "unit", "When the unit was first known", ""},
      {Family::units_rejected, "kopidocka_units_rejected_total", FamilyType::counter, "reason",
       "Units that are not tracked", ""},
      {Family::schedule_interval_seconds, "kopidocka_schedule_interval_seconds", FamilyType::gauge, "unit",
       "Longest time between two scheduled runs", ""},
      {Family::schedule_next_run_timestamp_seconds, "kopidocka_schedule_next_run_timestamp_seconds",
       FamilyType::gauge, "unit", "When the next scheduled run is due", ""},
      {Family::schedule_missed_runs, "kopidocka_schedule_missed_runs_total", FamilyType::counter,
       "unit,reason", "Scheduled runs that did not start", ""},
      {Family::queue_length, "kopidocka_queue_length", FamilyType::gauge, "",
       "Runs that are due and wait for their turn", ""},
      {Family::runs_limit, "kopidocka_runs_limit", FamilyType::gauge, "",
       "Runs that may go on at the same time", ""},
      {Family::backup_started, "kopidocka_backup_started_total", FamilyType::counter, "unit",
       "Backups begun, also those that were then skipped", ""},
      {Family::backup_runs, "kopidocka_backup_runs_total", FamilyType::counter, "unit,result",
       "Backups ended", ""},
      {Family::backup_failures, "kopidocka_backup_failures_total", FamilyType::counter, "unit,reason",
       "Backups that failed or were skipped", ""},
      {Family::backup_in_progress, "kopidocka_backup_in_progress", FamilyType::gauge, "unit",
       "1 while a backup goes on", ""},
      {Family::backup_last_start_timestamp_seconds, "kopidocka_backup_last_start_timestamp_seconds",
       FamilyType::gauge, "unit", "When the last backup began", ""},
      {Family::backup_last_success_timestamp_seconds, "kopidocka_backup_last_success_timestamp_seconds",
       FamilyType::gauge, "unit", "When the last backup ended with success; 0 = never", ""},
      {Family::backup_last_completion_timestamp_seconds, "kopidocka_backup_last_completion_timestamp_seconds",
       FamilyType::gauge, "unit", "When the last backup ended, however it went", ""},
      {Family::backup_last_run_successful, "kopidocka_backup_last_run_successful", FamilyType::gauge, "unit",
       "1 when the last backup ended with success, else 0; absent before the first", ""},
      {Family::backup_phase_duration_seconds, "kopidocka_backup_phase_duration_seconds",
       FamilyType::histogram, "phase", "Time a phase of a backup took, all units together",
       "0.5,2,10,60,300,1800,7200,43200"},
      {Family::backup_last_duration_seconds, "kopidocka_backup_last_duration_seconds", FamilyType::gauge,
       "unit", "How long the last backup took", ""},
      {Family::backup_last_downtime_seconds, "kopidocka_backup_last_downtime_seconds", FamilyType::gauge,
       "unit", "How long containers were down in the last backup", ""},
      {Family::backup_downtime_seconds, "kopidocka_backup_downtime_seconds_total", FamilyType::counter,
       "unit", "Time containers were down for backups", ""},
      {Family::containers_held_stopped, "kopidocka_containers_held_stopped", FamilyType::gauge, "unit",
       "Containers we stopped and owe a start", ""},
      {Family::container_start_failures, "kopidocka_container_start_failures_total", FamilyType::counter,
       "unit", "Containers we stopped and could not start again in the run", ""},
      {Family::container_stop_timeouts, "kopidocka_container_stop_timeouts_total", FamilyType::counter,
       "unit", "Runs that ended because a container did not stop", ""},
      {Family::recovery_runs, "kopidocka_recovery_runs_total", FamilyType::counter, "result",
       "Passes over the journal of runs that were cut off", ""},
      {Family::recovered_containers, "kopidocka_recovered_containers_total", FamilyType::counter, "",
       "Containers that were started after a run had been cut off", ""},
      {Family::journal_open_runs, "kopidocka_journal_open_runs", FamilyType::gauge, "",
       "Runs whose journal is still open", ""},
      {Family::journal_write_errors, "kopidocka_journal_write_errors_total", FamilyType::counter, "",
       "Records the journal could not keep", ""},
      {Family::hook_runs, "kopidocka_hook_runs_total", FamilyType::counter, "hook,result", "Hooks run", ""},
      {Family::hook_duration_seconds, "kopidocka_hook_duration_seconds", FamilyType::histogram, "hook",
       "Time a hook took", "0.1,1,5,30,120,600"},
      {Family::snapshot_size_bytes, "kopidocka_snapshot_size_bytes", FamilyType::gauge, "unit,volume",
       "Size of the last snapshot", ""},
      {Family::snapshot_files, "kopidocka_snapshot_files", FamilyType::gauge, "unit,volume",
       "Files in the last snapshot", ""},
      {Family::snapshot_errors, "kopidocka_snapshot_errors", FamilyType::gauge, "unit,volume",
       "Files the last snapshot could not read", ""},
      {Family::repository_up, "kopidocka_repository_up", FamilyType::gauge, "",
       "1 when the repository answered last", ""},
      {Family::restore_runs, "kopidocka_restore_runs_total", FamilyType::counter, "kind,result",
       "Restores ended", ""},
      {Family::restore_in_progress, "kopidocka_restore_in_progress", FamilyType::gauge, "unit",
       "1 while a restore goes on", ""},
      {Family::filesystem_free_bytes, "kopidocka_filesystem_free_bytes", FamilyType::gauge, "role",
       "Free space where state, cache and repository are", ""},
      {Family::filesystem_size_bytes, "kopidocka_filesystem_size_bytes", FamilyType::gauge, "role",
       "Size of the file system there", ""},
      {Family::http_requests, "kopidocka_http_requests_total", FamilyType::counter, "code",
       "HTTP requests answered", ""},
      {Family::http_rejected, "kopidocka_http_rejected_total", FamilyType::counter, "reason",
       "HTTP clients that were turned away", ""},
      {Family::log_messages, "kopidocka_log_messages_total", FamilyType::counter, "level", "Messages logged",
       ""},
      {Family::process_cpu_seconds, "process_cpu_seconds_total", FamilyType::counter, "",
       "Processor time used", ""},
      {Family::process_resident_memory_bytes, "process_resident_memory_bytes", FamilyType::gauge, "",
       "Memory in use", ""},
      {Family::process_start_time_seconds, "process_start_time_seconds", FamilyType::gauge, "",
       "When this process began", ""},
      {Family::process_open_fds, "process_open_fds", FamilyType::gauge, "", "Open file descriptors", ""},
      {Family::process_max_fds, "process_max_fds", FamilyType::gauge, "",
       "Most file descriptors that may be open", ""},
  }};
  return table;
}

const FamilyRow& row_of(Family family) { return family_table().at(static_cast<size_t>(family)); }

std::string_view to_string(FamilyType type) {
  switch (type) {
    case FamilyType::counter:
      return "counter";
    case FamilyType::gauge:
      return "gauge";
    case FamilyType::histogram:
      return "histogram";
  }
  return "gauge";
}

const std::vector<std::string>& failure_reasons() {
  static const std::vector<std::string> reasons = [] {
    auto list = run_reasons();
    list.push_back("other");
    return list;
  }();
  return reasons;
}

const std::vector<std::string>& hook_results() {
  static const std::vector<std::string> results = {"success", "failure", "timeout"};
  return results;
}

const std::vector<std::string>& log_levels() {
  static const std::vector<std::string> levels = {"trace", "debug", "info", "warning", "error"};
  return levels;
}

const std::vector<std::string>& missed_reasons() {
  static const std::vector<std::string> reasons = {"down", "overlap", "deadline", "clock"};
  return reasons;
}

const std::vector<std::string>& event_actions() {
  static const std::vector<std::string> actions = {
      "create",  "start",   "stop",   "die",    "kill",          "oom",   "destroy", "pause",
      "unpause", "restart", "rename", "update", "health_status", "mount", "unmount"};
  return actions;
}

std::string metrics_markdown() {
  std::string text =
      "# Metrics\n\nServed on `/metrics` at the address of the setting `KOPI_DOCKA_LISTEN`. `unit` is the "
      "name of a unit; its series "
      "go when the unit goes. `result` is one of success, partial, failed and skipped. In `volume` a bind "
      "mount is shown as "
      "`bind:<last part of its path>-<checksum>`, because paths of the host are nobody's business.\n"
      "This page is generated from `src/metrics/families.cpp`.\n\n"
      "[compose/monitoring.yaml](../compose/monitoring.yaml) adds Prometheus with alert rules and Alertmanager to the "
      "sidecar:\n\n```sh\ndocker compose -f compose/sidecar.yaml -f compose/monitoring.yaml up -d\n```\n\n"
      "When the service stands in a compose file of yours, copy `compose/monitoring.yaml` and the folder "
      "`compose/monitoring` beside it and name your file in place of `compose/sidecar.yaml`.\n\n| Name | Type | Labels | Meaning "
      "|\n|---|---|---|---|\n";
  for (const auto& row : family_table()) {
    text += "| `" + std::string(row.name) + "` | " + std::string(to_string(row.type)) + " | " +
            (row.labels.empty() ? "-" : join(split(row.labels, ','), ", ")) + " | " + std::string(row.help) +
            " |\n";
  }
  text += "\n`reason` of failures: " + join(failure_reasons(), ", ") + ".\n";
  text += "`reason` of missed runs: " + join(missed_reasons(), ", ") + ".\n";
  return text;
}

}  // namespace kopidocka
