#include "catalog/report.hpp"

#include <nlohmann/json.hpp>
#include <optional>

namespace kopidocka {
namespace {

using nlohmann::json;

constexpr int kSchemaVersion = 1;

json snapshot_to_json(const SnapshotReport& snapshot) {
  json object = {{"type", snapshot.type},   {"source", snapshot.source}, {"id", snapshot.id},
                 {"bytes", snapshot.bytes}, {"files", snapshot.files},   {"errors", snapshot.errors}};
  if (!snapshot.warm.empty()) object["warm"] = snapshot.warm;
  if (!snapshot.warm_reason.empty()) object["warm_reason"] = snapshot.warm_reason;
  return object;
}

SnapshotReport snapshot_from_json(const json& object) {
  SnapshotReport snapshot;
  snapshot.type = object.value("type", "");
  snapshot.source = object.value("source", "");
  snapshot.id = object.value("id", "");
  snapshot.bytes = object.value("bytes", std::uint64_t{0});
  snapshot.files = object.value("files", std::uint64_t{0});
  snapshot.errors = object.value("errors", std::uint64_t{0});
  snapshot.warm = object.value("warm", "");
  snapshot.warm_reason = object.value("warm_reason", "");
  return snapshot;
}

json member_to_json(const MemberReport& member) {
  return {{"name", member.name},       {"id", member.id},           {"stopped", member.stopped},
          {"started", member.started}, {"healthy", member.healthy}, {"down_seconds", member.down_seconds},
          {"foreign", member.foreign}};
}

MemberReport member_from_json(const json& object) {
  MemberReport member;
  member.name = object.value("name", "");
  member.id = object.value("id", "");
  member.stopped = object.value("stopped", false);
  member.started = object.value("started", false);
  member.healthy = object.value("healthy", false);
  member.down_seconds = object.value("down_seconds", 0.0);
  member.foreign = object.value("foreign", false);
  return member;
}

Result<RunReport> read_report(const json& object) {
  if (!object.is_object()) return Error{ErrorKind::invalid, "a run report must be a JSON object"};
  const auto version = object.value("schema_version", 0);
  if (version < 1 || version > kSchemaVersion) {
    return Error{ErrorKind::invalid,
                 "the run report has schema version " + std::to_string(version) + ", this program reads " +
                     std::to_string(kSchemaVersion),
                 "use the program version that wrote it"};
  }
  const auto result = run_result_from(object.value("result", ""));
  const auto kind = object.value("kind", "backup");
  if (!result) return Error{ErrorKind::invalid, "the run report has no known result"};
  if (kind != "backup" && kind != "restore") return Error{ErrorKind::invalid, "the run report has no known kind"};
  RunReport report;
  report.unit = object.value("unit", "");
  if (report.unit.empty()) return Error{ErrorKind::invalid, "the run report names no unit"};
  report.kind = kind == "backup" ? RunKind::backup : RunKind::restore;
  report.backup_id = object.value("backup_id", "");
  report.restored_from = object.value("restored_from", "");
  report.result = *result;
  report.reason = object.value("reason", "");
  report.scope = object.value("scope", "");
  report.consistency = object.value("consistency", "");
  report.engine = object.value("engine", "");
  report.trigger = object.value("trigger", "");
  report.started_at = from_iso8601(object.value("started_at", ""));
  report.duration_seconds = object.value("duration_seconds", 0.0);
  report.downtime_seconds = object.value("downtime_seconds", 0.0);
  for (const auto& entry : object.value("snapshots", json::array())) report.snapshots.push_back(snapshot_from_json(entry));
  for (const auto& entry : object.value("members", json::array())) report.members.push_back(member_from_json(entry));
  report.problems = object.value("problems", std::vector<std::string>{});
  return report;
}

}  // namespace

const std::vector<std::string>& run_reasons() {
  static const std::vector<std::string> reasons = {"repository", "source",    "hook",        "recipe", "snapshot", "unreadable", "stop",
                                                   "start",      "tainted",   "health",      "retention", "journal", "restore",
                                                   "cancelled",  "interrupted", "busy",      "invalid", "docker",  "plan",
                                                   "max-downtime"};
  return reasons;
}

std::string_view to_string(RunResult result) {
  switch (result) {
    case RunResult::success: return "success";
    case RunResult::partial: return "partial";
    case RunResult::failed: return "failed";
    case RunResult::skipped: return "skipped";
  }
  return "failed";
}

std::optional<RunResult> run_result_from(std::string_view text) {
  for (const auto result : {RunResult::success, RunResult::partial, RunResult::failed, RunResult::skipped}) {
    if (to_string(result) == text) return result;
  }
  return std::nullopt;
}

std::string_view to_string(RunKind kind) { return kind == RunKind::backup ? "backup" : "restore"; }

json to_json(const RunReport& report) {
  json snapshots = json::array(), members = json::array();
  for (const auto& snapshot : report.snapshots) snapshots.push_back(snapshot_to_json(snapshot));
  for (const auto& member : report.members) members.push_back(member_to_json(member));
  return {{"schema_version", kSchemaVersion},
          {"unit", report.unit},
          {"kind", to_string(report.kind)},
          {"backup_id", report.backup_id},
          {"restored_from", report.restored_from},
          {"result", to_string(report.result)},
          {"reason", report.reason},
          {"scope", report.scope},
          {"consistency", report.consistency},
          {"engine", report.engine},
          {"trigger", report.trigger},
          {"started_at", to_iso8601(report.started_at)},
          {"duration_seconds", report.duration_seconds},
          {"downtime_seconds", report.downtime_seconds},
          {"snapshots", std::move(snapshots)},
          {"members", std::move(members)},
          {"problems", report.problems}};
}

Result<RunReport> report_from_json(const json& object) {
  try {
    return read_report(object);
  } catch (const json::exception& error) {
    return Error{ErrorKind::invalid, std::string("the run report cannot be read: ") + error.what()};
  }
}

}  // namespace kopidocka
