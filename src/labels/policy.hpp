#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.hpp"
#include "schedule/schedule.hpp"

namespace kopidocka {

/// What a user got wrong (or must know), in one sentence, and where. An error makes the unit invalid: it is shown
/// everywhere and never backed up; a warning is shown in list, log and report.
struct Problem {
  enum class Severity { warning, error };
  Severity severity = Severity::error;
  std::string where;    ///< "container shop-db-1, label kopi-docka.schedule"
  std::string message;  ///< what is wrong, what was expected, the nearest known name
  bool operator==(const Problem&) const = default;
};

enum class Scope { minimal, standard, full };
enum class Consistency { stop, pause, none };
enum class NotifyLevel { failure, always, never };
enum class OnError { abort_run, continue_run };

std::string_view to_string(Scope scope);
std::string_view to_string(Consistency consistency);
std::optional<Scope> scope_from(std::string_view text);

struct RetentionPolicy {
  int latest = 10, hourly = 0, daily = 7, weekly = 4, monthly = 12, annual = 3;
};

/// Everything the unit labels of one unit say, defaults filled in.
struct UnitPolicy {
  bool enabled = false;               ///< opted in: by `enable`, by a schedule or trigger, or by the watch mode; and ours
  std::optional<Schedule> schedule;   ///< none = only on request
  Milliseconds jitter{0};
  bool catch_up = true;
  std::vector<std::string> triggers;
  Milliseconds trigger_min_interval{3'600'000};
  Scope scope = Scope::standard;
  Consistency consistency = Consistency::stop;
  std::string warm = "auto";
  std::optional<Milliseconds> max_downtime;
  Milliseconds start_timeout{60'000};
  std::vector<std::string> volumes, volumes_exclude, binds, binds_exclude;  ///< globs; volumes/binds {"none"} = none; empty = default
  std::vector<std::string> exclude;
  std::vector<std::string> repositories{"default"};
  RetentionPolicy retention;
  std::string compression = "zstd";
  std::vector<std::string> restore_test_check;
  std::string verify, restore_test;
  NotifyLevel notify = NotifyLevel::failure;
  int priority = 0;
  std::string instance;
};

struct HookSpec {
  std::string name;
  std::vector<std::string> when;
  std::vector<std::string> exec;  ///< argv, empty when script or preset is used
  std::string script;
  std::string preset;
  std::string user, workdir;
  std::vector<std::string> env;
  Milliseconds timeout{300'000};
  OnError on_error = OnError::abort_run;
  Milliseconds debounce{0};
  int rate_per_hour = 12;
  std::vector<std::string> undo;
};

/// What the labels of one container say about that container.
struct MemberPolicy {
  bool stop = true;
  std::optional<Milliseconds> stop_timeout;
  std::vector<std::string> depends_on;
  std::vector<HookSpec> hooks;
};

/// What holds where a label is absent, from the daemon's settings.
struct PolicyDefaults {
  std::string prefix = "kopi-docka.";
  std::string schedule;   ///< KOPI_DOCKA_SCHEDULE, empty = none
  std::string timezone = "UTC";
  bool watch_all = false;  ///< KOPI_DOCKA_WATCH=all
  std::string instance;    ///< KOPI_DOCKA_INSTANCE, empty = this sidecar has no name
};

/// The labels of one container of a unit.
struct LabelSet {
  std::string container;  ///< name, for messages
  std::map<std::string, std::string> labels;
};

struct ParsedPolicies {
  UnitPolicy unit;
  std::vector<MemberPolicy> members;  ///< one per LabelSet, same order
  std::vector<Problem> problems;      ///< all of them, not just the first
};

/// Reads and checks all labels of a unit against the contract (labels/labels.json). Pure.
ParsedPolicies parse_labels(const std::vector<LabelSet>& containers, const PolicyDefaults& defaults);

/// Whether a Docker volume is kept out by its own labels.
bool volume_excluded(const std::map<std::string, std::string>& volume_labels, const PolicyDefaults& defaults);

/// What is wrong with a volume's own labels: an unknown name, a value that is neither true nor false.
std::vector<Problem> check_volume_labels(const std::string& volume, const std::map<std::string, std::string>& volume_labels,
                                         const PolicyDefaults& defaults);

}  // namespace kopidocka
