#pragma once

#include "base/task.hpp"
#include "run/run_state.hpp"

namespace kopidocka {

/// Ends a hold that lasts longer than the plan allows: the run has failed, engines are ended, and what is down is started.
/// Starting is never cut. The runner drives it beside the hold phase, on the run's own thread.
class DowntimeLimit {
 public:
  explicit DowntimeLimit(RunState& state) : state_(state) {}

  /// Returns when the limit is over or the hold has ended; at once when there is none.
  Task<> watch();
  void hold_ended();

 private:
  RunState& state_;
  bool ended_ = false;
};

}  // namespace kopidocka
