#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/coordinator.hpp"
#include "daemon/unit_memory.hpp"
#include "schedule/due_queue.hpp"

namespace kopidocka {

/// Runs units when they are due. Never two runs of one unit; a time that passes meanwhile is missed and counted.
class Scheduler {
 public:
  Scheduler(boost::asio::any_io_executor executor, Coordinator& coordinator, UnitMemory& memory,
            std::function<void(const Missed&)> on_missed);

  /// The present set: new schedules are added, changed ones replaced, vanished ones forgotten.
  void set_units(const std::vector<Unit>& units);

  /// Ends at stop(), when every run it began has ended.
  Task<> run();
  void stop();

  std::optional<TimePoint> next_run(const std::string& unit) const;
  size_t queued() const { return group_.running(); }

 private:
  Task<> run_unit(Due due);
  std::optional<TimePoint> last_run(const std::string& unit) const;

  Coordinator& coordinator_;
  UnitMemory& memory_;
  std::function<void(const Missed&)> on_missed_;
  DueQueue queue_;
  std::set<std::string> known_;
  Signal wake_;
  TaskGroup group_;
  bool stopped_ = false;
};

}  // namespace kopidocka
