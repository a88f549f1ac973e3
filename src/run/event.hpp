#pragma once

#include <string>

#include "catalog/report.hpp"

namespace kopidocka {

/// What the runner tells the world while it works. Observers get facts, in order, and must not throw or block.
struct RunEvent {
  enum class Kind {
    started,          ///< report has unit, kind, backup_id, started_at
    phase,            ///< text = prepare, hold, settle
    step_started,     ///< text = the step in words
    step_finished,    ///< seconds, text, error (empty = well)
    progress,         ///< text = source, bytes = read so far
    member_stopped,   ///< text = container name
    member_started,
    hook_ended,       ///< text = pre_backup, post_restore, ...: a script ran; seconds, error in one word (empty = well)
    finished,         ///< report is complete
  };
  Kind kind;
  std::string text;
  std::string error;
  double seconds = 0;
  std::uint64_t bytes = 0;
  std::string phase;         ///< the phase this happened in
  const RunReport& report;   ///< as far as it is known now
};

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  virtual void on_run_event(const RunEvent& event) = 0;
};

}  // namespace kopidocka
