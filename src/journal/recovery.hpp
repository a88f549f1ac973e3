#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/duration.hpp"
#include "docker/types.hpp"
#include "journal/record.hpp"

namespace kopidocka {

/// What a cut-off run still owes, read from its records alone. Pure.
struct Debts {
  std::string run, unit, kind, engine_id, trigger, scope, engine;
  TimePoint started_at{};
  /// Asked to stop and not yet started again, in start order. A member whose stop was never announced is none: if it is
  /// down, somebody else stopped it.
  std::vector<HeldMember> members;
  std::vector<std::string> stopping;  ///< ids of those whose stop request may still be on its way
  std::map<std::string, TimePoint> stop_asked;  ///< by id: when the newest `stopping` record of it was written
  std::set<std::string> unconfirmed;            ///< ids of those that Docker was asked to stop and has not stopped
  std::set<std::string> starting;               ///< ids whose start was announced
  std::optional<TimePoint> first_stop, last_start;
  std::vector<std::string> restarted;  ///< names of those that recovery has started already
  std::vector<std::string> reasons;    ///< why debts were closed without a start, in plain sentences
  std::vector<HeldData> swaps;        ///< data that must be put back before anything starts
  std::vector<HeldData> replaced;     ///< data that was exchanged for good; what it replaced may still lie beside it
  std::vector<HeldData> staged;       ///< new data lying about beside its target
  std::vector<HeldData> warm;         ///< sources of which a warm snapshot may be in the repository
  std::vector<HeldData> clones;       ///< sources beside which a private copy may lie
  bool reported = false;
  std::string result, reason;  ///< of the run, when it is reported
  TimePoint reported_at{};
  bool ended = false;
  std::string problem;  ///< not empty: what follows in the file cannot be read, so this is what was owed up to there

  const HeldMember* member(const std::string& id) const;
};

/// Beyond a container's grace time, until a stop request without an answer is taken for one that never arrived.
inline constexpr Seconds kStopMargin{30};
/// So long a container is watched that Docker was asked to stop and did not: its process may hang in the kernel.
inline constexpr Seconds kUnconfirmedLimit{3'600};

/// Until when our stop request may still end this member; nothing when none is on its way.
std::optional<TimePoint> stop_may_come_until(const Debts& debts, const HeldMember& member, Milliseconds margin = kStopMargin);

Debts debts_of(const std::vector<JournalRecord>& records);

enum class DebtDecision {
  start,     ///< same container, same StartedAt, not running (or frozen by us): ours to start (or to unpause)
  wait,      ///< still running, but our stop request may end it yet
  settled,   ///< it runs as before; nothing is owed
  disowned,  ///< somebody else started, stopped or re-created it meanwhile: not ours any more
};

struct Decision {
  DebtDecision action;
  std::string reason;
};

/// Whether a held member is as the run wanted it: not running, or frozen where it is held by a pause.
bool is_down(const HeldMember& member, const Container& now);

/// What to do about one held member. `now` is what the engine says of it (absent = no such container any more);
/// `stop_requested` whether the journal has a `stopping` record for it. Pure.
Decision decide(const HeldMember& member, const std::optional<Container>& now, bool stop_requested);

}  // namespace kopidocka
