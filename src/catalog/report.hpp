#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace kopidocka {

/// The four words for how a run ended, used everywhere: reports, tables, metrics, notifications.
enum class RunResult { success, partial, failed, skipped };
enum class RunKind { backup, restore };

std::string_view to_string(RunResult result);
std::string_view to_string(RunKind kind);
std::optional<RunResult> run_result_from(std::string_view text);

/// The words of RunReport::reason, all there are.
const std::vector<std::string>& run_reasons();

struct SnapshotReport {
  std::string type;    ///< recipe, networks, docker_config, volume, bind
  std::string source;  ///< volume name, bind path, or unit
  std::string id;
  std::uint64_t bytes = 0, files = 0, errors = 0;
  std::string warm;         ///< how it was read: cold, safe, exact, clone; empty where there is no choice
  std::string warm_reason;  ///< why not better
};

struct MemberReport {
  std::string name, id;
  bool stopped = false, started = false, healthy = false;
  double down_seconds = 0;
  bool foreign = false;  ///< of another unit, held as it writes to data of this one
};

/// What happened in one run, kept as JSON in the state folder and printed by `--json`. Schema version 1.
struct RunReport {
  std::string unit;
  RunKind kind = RunKind::backup;
  std::string backup_id;  ///< of the run; for a restore the run's own id
  std::string restored_from;  ///< backup_id that was restored
  RunResult result = RunResult::failed;
  std::string reason;  ///< one of run_reasons(); empty on success
  std::string scope;
  std::string consistency;  ///< of a backup: stop (a cold copy), pause, none; empty when it is not known
  std::string engine;
  std::string trigger;  ///< schedule, request, catch-up, recovery
  TimePoint started_at{};
  double duration_seconds = 0;
  double downtime_seconds = 0;  ///< first stop to last start
  std::vector<SnapshotReport> snapshots;
  std::vector<MemberReport> members;
  std::vector<std::string> problems;  ///< plain sentences, most important first
};

nlohmann::json to_json(const RunReport& report);
/// Tolerates fields it does not know; refuses a newer schema version.
Result<RunReport> report_from_json(const nlohmann::json& json);

}  // namespace kopidocka
