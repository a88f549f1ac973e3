#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "catalog/report.hpp"
#include "engine/engine.hpp"
#include "journal/record.hpp"
#include "unit/unit.hpp"

namespace kopidocka {

/// A container is down in `hold` only; everything that can be done before or after it is.
enum class Phase { prepare, hold, settle };

/// What a failed step means for the run.
enum class OnFailure {
  abort,    ///< nothing more is begun; what was stopped is started; the run has failed (or was skipped before the hold)
  degrade,  ///< the run goes on and is partial
};

// The things a plan can ask for. Each is a value with all it needs; run/ has one place that carries each of them out.

/// The repository answers, is the one we know, and has room.
struct ProbeRepository {};
/// Every source is there, is what it should be, and (for a restore) there is room beside it.
struct ProbeSources {
  std::vector<DataSource> sources;
};
/// The global script of that name in the hooks folder, when there is one.
struct RunHook {
  std::string hook;  ///< pre_backup, post_backup, pre_restore, post_restore
};
struct PreparePolicies {
  std::vector<SourcePolicy> policies;
};
/// Builds the staging folder of recipe, networks or docker_config.
struct StageFolder {
  std::string type;
};
struct TakeSnapshot {
  std::string type;  ///< recipe, networks, docker_config: secondary parts, whose absence makes the run partial
  std::string name;  ///< of the unit
  SnapshotRequest request;
};
/// Reads a source while everything is up, so that little is left to read in the hold, or prepares a copy by reference.
struct WarmUp {
  std::string type, name;
  SnapshotSource source;
  std::string wanted;      ///< the label: auto, safe, exact
  bool may_clone = false;  ///< a copy beside the source lies in no other source
};
/// Has the engine open the repository for a source and wait before the first byte, while everything is up.
struct OpenSnapshot {
  std::string type, name;  ///< as TakeSnapshot, always data
  SnapshotRequest request;
  bool room_for_two = false;  ///< one that reads ahead may be open beside it
};
/// Lets it read; ends when the last byte is read. What was not opened before is opened now, as places become free.
struct ReadSource {
  std::string type, name;
  SnapshotRequest request;
  bool opened = false;  ///< a step before has opened it
};
/// Waits until what was read is saved.
struct SaveSnapshot {
  std::string type, name;
  SnapshotRequest request;
};
struct StopMember {
  HeldMember member;
  bool foreign = false;  ///< of another unit, as it writes to data of this one
};
struct StartMember {
  HeldMember member;
  std::vector<std::string> healthy_first;  ///< ids that must be healthy before
  Milliseconds limit{60'000};
  bool foreign = false;
};
/// Nobody else started or re-created a writer of these places while they were read.
struct CheckTaint {
  std::vector<DataSource> sources;
};
struct AwaitHealth {
  HeldMember member;
  Milliseconds limit{60'000};
};
struct ApplyRetention {
  std::vector<SourcePolicy> policies;
};
/// Where a restored source goes.
struct RestoreTarget {
  Snapshot snapshot;
  std::string name;        ///< volume name or bind path
  std::string local_path;  ///< final place as this process sees it
  std::string host_path;   ///< the same on the Docker host; empty when it is not known there
  bool in_place = true;    ///< false: a fresh folder of the user's choice
  bool single_file = false;
};
/// Restores new data beside its final place while everything is up.
struct StageRestore {
  RestoreTarget target;
};
/// Puts staged data into place; the present data is kept aside until the run has succeeded.
struct SwapData {
  RestoreTarget target;
};
/// When the run has failed: puts the old data back before anything is started.
struct RevertOnAbort {};
/// Removes the data that was kept aside.
struct DropAside {
  RestoreTarget target;
};

using Action = std::variant<ProbeRepository, ProbeSources, RunHook, PreparePolicies, StageFolder, TakeSnapshot, WarmUp, OpenSnapshot, ReadSource, SaveSnapshot, StopMember,
                            StartMember, CheckTaint, AwaitHealth, ApplyRetention, StageRestore, SwapData,
                            RevertOnAbort, DropAside>;

using StepId = size_t;

struct Step {
  Phase phase = Phase::prepare;
  Action action;
  std::vector<StepId> after;  ///< begins when these have ended, well or not; earlier phases have always ended
  OnFailure on_failure = OnFailure::abort;
  bool always = false;  ///< runs also after an abort (starting what was stopped)
};

/// A whole run as a value: what a dry run prints is what a run does.
struct Plan {
  RunKind kind = RunKind::backup;
  Unit unit;             ///< as it was inspected when the plan was made
  std::string run;       ///< id of the run; a backup's backup_id
  std::string scope;
  std::string trigger;
  std::string restored_from;
  std::optional<Milliseconds> max_downtime;  ///< from the first stop; then everything is started and the run has failed
  size_t gate_width = 1;  ///< snapshots that may be open at a time
  std::vector<Step> steps;

  StepId add(Step step);
};

/// One line in plain words: "stop container shop-db-1 (within 30s)".
std::string describe(const Action& action);
std::string_view to_string(Phase phase);

/// The plan for people, three blocks, and for programs.
std::string plan_text(const Plan& plan);
nlohmann::json plan_json(const Plan& plan);

}  // namespace kopidocka
