#pragma once

#include <optional>
#include <string>
#include <vector>

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
  std::vector<HeldData> swaps;        ///< data that must be put back before anything starts
  std::vector<HeldData> staged;       ///< new data lying about beside its target
  bool reported = false;
  bool ended = false;
};

Debts debts_of(const std::vector<JournalRecord>& records);

enum class DebtDecision {
  start,     ///< same container, same StartedAt, not running: ours to start
  wait,      ///< still running, but our stop request may end it yet
  settled,   ///< it runs as before; nothing is owed
  disowned,  ///< somebody else started, stopped or re-created it meanwhile: not ours any more
};

struct Decision {
  DebtDecision action;
  std::string reason;
};

/// What to do about one held member. `now` is what the engine says of it (absent = no such container any more);
/// `stop_requested` whether the journal has a `stopping` record for it. Pure.
Decision decide(const HeldMember& member, const std::optional<Container>& now, bool stop_requested);

}  // namespace kopidocka
