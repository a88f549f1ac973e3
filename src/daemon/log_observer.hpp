#pragma once

#include "run/event.hpp"

namespace kopidocka {

/// Writes what happens in runs to the log, one line a fact; names from outside are escaped.
class LogObserver : public RunObserver {
 public:
  void on_run_event(const RunEvent& event) override;
};

}  // namespace kopidocka
