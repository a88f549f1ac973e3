#include "daemon/views.hpp"

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "catalog/report.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

json container_json(const Member& member) {
  return {{"name", member.container.name},
          {"id", member.container.id},
          {"service", member.service},
          {"image", member.container.image},
          {"state", member.container.state.status},
          {"health", member.container.state.health},
          {"database", member.database}};
}

json source_json(const DataSource& source) {
  json value = {{"name", source.name},
                {"path", source.path},
                {"local_path", source.local_path},
                {"destination", source.destination},
                {"read_only", source.read_only}};
  if (source.kind == SourceKind::volume) {
    value["driver"] = source.driver;
    value["mountpoint"] = source.path;
  }
  return value;
}

/// What is listed of a run in the words of its report: half a run was a failed one.
RunResult result_of(const RestorePoint& point) {
  if (!point.complete) return RunResult::failed;
  return point.partial ? RunResult::partial : RunResult::success;
}

}  // namespace

json problem_json(const Problem& problem) {
  return {{"severity", problem.severity == Problem::Severity::error ? "error" : "warning"},
          {"where", problem.where},
          {"message", problem.message}};
}

json unit_json(const Unit& unit, std::optional<TimePoint> next_run) {
  json value = {{"unit", unit.name},
                {"kind", to_string(unit.kind)},
                {"enabled", unit.policy.enabled},
                {"valid", unit.valid()},
                {"scope", to_string(unit.policy.scope)},
                {"consistency", to_string(unit.policy.consistency)},
                {"containers", json::array()},
                {"held_with_it", json::array()},
                {"volumes", json::array()},
                {"binds", json::array()},
                {"networks", unit.networks},
                {"problems", json::array()},
                {"next_run", nullptr}};
  for (const auto& member : unit.members) value["containers"].push_back(container_json(member));
  for (const auto& foreign : unit.foreign) value["held_with_it"].push_back(foreign.container.name);
  for (const auto& source : unit.sources) value[source.kind == SourceKind::volume ? "volumes" : "binds"].push_back(source_json(source));
  for (const auto& problem : unit.problems) value["problems"].push_back(problem_json(problem));
  if (unit.policy.schedule) {
    value["schedule"] = unit.policy.schedule->text();
    value["timezone"] = unit.policy.schedule->zone();
    if (next_run) {
      value["next_run"] = to_iso8601(*next_run);
      value["next_run_local"] = unit.policy.schedule->local(*next_run);
    }
  }
  return value;
}

json point_json(const RestorePoint& point) {
  json value = {{"unit", point.unit},
                {"backup_id", point.backup_id},
                {"host", point.host},
                {"time", to_iso8601(point.time)},
                {"started_at", to_iso8601(point.time)},
                {"result", to_string(result_of(point))},
                {"scope", to_string(point.scope)},
                {"consistency", to_string(point.consistency)},
                {"complete", point.complete},
                {"partial", point.partial},
                {"pinned", point.pinned},
                {"bytes", point.bytes},
                {"files", point.files},
                {"problems", point.problems},
                {"snapshots", json::array()}};
  for (const auto& member : point.members) {
    value["snapshots"].push_back({{"type", to_string(member.type)},
                                  {"source", member.name},
                                  {"id", member.snapshot.id},
                                  {"bytes", member.snapshot.bytes},
                                  {"files", member.snapshot.files},
                                  {"errors", member.snapshot.errors + member.snapshot.ignored_errors}});
  }
  return value;
}

}  // namespace kopidocka
