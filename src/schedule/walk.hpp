#pragma once

#include <optional>

#include "schedule/cron.hpp"
#include "schedule/zone.hpp"

namespace kopidocka {

/// Walks through the due times of one cron expression in one zone, in order. Refers to both, so they must
/// outlive it.
///
/// Carries out cronie's rule for changes of local time. cronie keeps a virtual time, the last local minute
/// whose fixed jobs it has run, and compares it with the wall clock every minute; difference 1 is the normal
/// case:
///   2 to 5      every job of the skipped minutes runs now
///   6 to 180    fixed jobs of the skipped minutes run now, wildcard jobs go by the wall clock
///   0 to -180   only wildcard jobs run until the wall clock has passed the virtual time
///   otherwise   the clock was corrected: what was skipped is lost, what is repeated runs again
class CronWalk {
 public:
  CronWalk(const Cron& cron, const Zone& zone, UtcSeconds after);

  /// The next due time, nothing when there is none within the horizon (no valid expression is silent for so
  /// long).
  std::optional<UtcSeconds> next();

 private:
  void enter(Zone::Span span);
  LocalMinute local(UtcSeconds time) const;
  LocalMinute last_of_span() const;

  const Cron* cron_;
  const Zone* zone_;
  UtcSeconds after_;
  UtcSeconds horizon_;
  Zone::Span span_;
  LocalMinute fixed_done_ = 0;         ///< cronie's virtual time
  LocalMinute from_ = 0;               ///< local minutes before this one have been looked at
  std::optional<UtcSeconds> skipped_;  ///< when a match in a skipped stretch is to run
};

}  // namespace kopidocka
