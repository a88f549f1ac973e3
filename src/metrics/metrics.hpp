#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "metrics/store.hpp"
#include "run/event.hpp"

namespace kopidocka {

/// A unit as far as metrics tell about it.
struct UnitMetrics {
  std::string name;
  bool valid = true;
  std::string schedule;  ///< empty = only on request
  std::string time_zone;
  std::optional<Seconds> interval;  ///< longest gap of the schedule
  std::optional<TimePoint> next_run;
  TimePoint first_seen{};
};

/// Turns what happens into metrics. Called from the one thread; nothing here blocks or throws for what it is
/// told. Only units named by set_units() get series, at most 1000 of them; a unit's series go when it goes.
/// What is known from before (seed, set_held, runs that recovery reports) waits for its unit to appear.
class Metrics : public RunObserver {
 public:
  static constexpr size_t kMostUnits = 1000;
  static constexpr size_t kMostSourcesPerUnit = 200;

  explicit Metrics(const Clock& clock);

  void set_build(const std::string& version, const std::string& revision, const std::string& kopia_version);

  // Units and schedule. set_units takes the whole set, as after every change.
  void set_units(const std::vector<UnitMetrics>& units);
  void set_next_run(const std::string& unit, std::optional<TimePoint> next);
  void unit_rejected(const std::string& reason);
  void schedule_missed(const std::string& unit, const std::string& reason, unsigned runs = 1);
  void set_queue(size_t waiting, size_t limit);

  // Runs. seed() takes saved reports in any order; it sets the last times, never the counters.
  void seed(const std::vector<RunReport>& reports);
  void on_run_event(const RunEvent& event) override;

  // Debts and recovery. set_held takes, for every unit that owes something, the names of its containers.
  void set_held(const std::map<std::string, std::set<std::string>>& held);
  void recovery_ended(bool all_paid, size_t containers_started);
  void set_open_journals(size_t runs);
  void journal_write_failed();

  // Docker Engine.
  void set_docker_up(bool up);
  void set_docker_info(const std::string& engine_version, const std::string& api_version,
                       const std::string& kind);
  void docker_request(const std::string& operation, double seconds, const std::string& error_code = {});
  void set_events_connected(bool connected);
  void events_reconnected(const std::string& reason);
  void event_received(const std::string& action);
  void reconciled(size_t changes_events_had_not_told);

  // Repository, places, hooks, web, log.
  void set_repository_up(bool up);
  void set_filesystem(const std::string& role, std::uint64_t free_bytes, std::uint64_t size_bytes);
  /// `hook` is pre or post, `result` one of hook_results().
  void hook_ran(const std::string& hook, const std::string& result, double seconds);
  void http_answered(unsigned code);
  void http_rejected(std::string_view reason);
  void message_logged(std::string_view level);

  /// Prometheus text format, with the process's own numbers read now.
  std::string exposition();

 private:
  /// What the last backups of a unit left behind.
  struct Past {
    double last_start = 0, last_success = 0, last_completion = 0;
    double duration = 0, downtime = 0;
    std::optional<bool> successful;
    std::vector<SnapshotReport> snapshots;
  };
  struct Going {
    RunKind kind = RunKind::backup;
    std::string phase;
    std::chrono::steady_clock::time_point since{};
  };

  /// Adds to a counter whose first label is the unit. Of a unit that is not known yet (debts are paid before units are
  /// looked for) the number waits for it.
  void count(Family family, const std::string& unit, std::vector<std::string> more = {}, double amount = 1);
  void end_hook(const RunEvent& event);

  bool known(const std::string& unit) const { return units_.count(unit) > 0; }
  void add_unit(const UnitMetrics& unit);
  void forget_old_units();
  void show_past(const std::string& unit);
  void show_snapshots(const std::string& unit, const std::vector<SnapshotReport>& snapshots);
  void show_held(const std::string& unit);
  void remember(const RunReport& report);
  void end_phase(const std::string& unit);
  void run_started(const RunReport& report);
  void run_finished(const RunReport& report);
  void count_result(const RunReport& report);

  const Clock& clock_;
  MetricStore store_;
  std::map<std::string, UnitMetrics> units_;
  size_t rejected_ = 0;
  std::map<std::string, Past> past_;
  std::map<std::string, Going> going_;
  /// By unit, at most kMostUnits of them: what is to be added when it appears.
  std::map<std::string, std::map<std::pair<Family, std::vector<std::string>>, double>> waiting_;
  std::map<std::string, std::set<std::string>> held_;
};

/// How a source is named in the `volume` label: a volume by its name, a bind mount without its path on the
/// host.
std::string source_label(const SnapshotReport& snapshot);

}  // namespace kopidocka
