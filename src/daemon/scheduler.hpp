#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/coordinator.hpp"
#include "daemon/unit_memory.hpp"
#include "schedule/due_queue.hpp"

namespace kopidocka {

/// Runs units when they are due. Never two runs of one unit, whoever began the other; a time that passes meanwhile is
/// missed and counted.
class Scheduler {
 public:
  Scheduler(boost::asio::any_io_executor executor, Coordinator& coordinator, UnitMemory& memory,
            std::function<void(const Missed&)> on_missed);

  /// The present set: new schedules are added, changed ones replaced, vanished ones forgotten.
  void set_units(const std::vector<Unit>& units);
  /// To be called when a pause has begun or ended. A paused unit has no times; what passed meanwhile is one catch-up afterwards.
  void pauses_changed();

  /// Whether runs may be begun: not before there is a repository, not beside a rival. Times that pass meanwhile are missed
  /// and made up for by one run. Not allowed at first.
  void allow(bool allowed);
  bool allowed() const { return allowed_; }

  /// Ends at stop(), when every run it began has ended.
  Task<> run();
  void stop();

  std::optional<TimePoint> next_run(const std::string& unit) const;
 private:
  Task<> run_unit(Due due);
  void begin_due();
  void run_began(const std::string& unit, RunKind kind);
  void run_ended(const std::string& unit);
  void add(const std::string& unit, DueRule rule, TimePoint now);
  void apply_rules();
  void end_pauses();

  Coordinator& coordinator_;
  UnitMemory& memory_;
  std::function<void(const Missed&)> on_missed_;
  DueQueue queue_;
  std::map<std::string, DueRule> rules_;  ///< of all units with a schedule
  std::set<std::string> known_;           ///< those of them that are not paused
  std::map<std::string, TimePoint> begun_;  ///< when a unit's last backup was begun by this process, however it ended
  Signal wake_;
  TaskGroup group_;
  bool allowed_ = false;
  bool stopped_ = false;
};

}  // namespace kopidocka
