#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace kopidocka {

/// Note of a `reported` record: the old data of the failed restore is still to be put back before anything starts.
inline constexpr std::string_view kDataInDoubt = "data in doubt";
/// Note of a second `stopping` record: Docker took the stop request, and the container still ran when the wait was over.
inline constexpr std::string_view kUnconfirmed = "unconfirmed";
/// Note of a `started` record that recovery wrote.
inline constexpr std::string_view kByRecovery = "recovery";

/// A container that a run is about to stop and therefore owes a start; or, with `by_pause`, to freeze, and then an unpause.
struct HeldMember {
  std::string id;
  std::string name;
  std::string started_at;  ///< Docker's StartedAt before the stop; newer later means that somebody else acted
  std::string project, service;
  int number = 1;
  int grace = 10;  ///< seconds Docker may take between the stop signal and SIGKILL; 0 for a pause
  bool by_pause = false;
  bool operator==(const HeldMember&) const = default;
};

/// Data of the user that a restore is about to move aside: all that the worker needs to put it back.
struct HeldData {
  std::string target;   ///< path as this process sees it
  std::string mode;     ///< how it is swapped, the worker's own word; empty = only announced yet
  std::string staging;  ///< where the new data is
  std::string scratch;
  bool single_file = false;
  bool operator==(const HeldData&) const = default;
};

/// One line of a run's journal. Written and fsynced before the act it announces (intent) or after it (outcome).
struct JournalRecord {
  enum class Type {
    begin,     ///< run, unit, kind, engine_id, trigger, scope, time
    hold,      ///< members, in the order in which they must be started again; a later one renews a member's StartedAt
    stopping,  ///< container: the stop request goes out next; with note kUnconfirmed: it may take effect any time
    stopped,
    starting,
    started,   ///< debt of `container` is paid
    disowned,  ///< debt of `container` is closed without a start: somebody else acted, or it is gone
    staging,   ///< data: new data is being restored beside this target
    swapping,  ///< data: present data goes aside, new data into place, next
    swapped,
    restored,  ///< data: the old data is back in place
    warming,   ///< data: the engine may from now on keep a warm snapshot of this source (target is its path on the host)
    cooled,    ///< data: it keeps none any more
    cloning,   ///< data: a private copy may be made beside this source (target is its path as this process sees it)
    uncloned,  ///< data: there is none any more
    kept,      ///< the restored data stays: containers are started on it next, and nothing is put back any more
    reported,  ///< result, reason: the run has ended with them; note kDataInDoubt when its data was not put back
    end,       ///< nothing is owed any more
  };
  Type type = Type::begin;
  TimePoint time{};
  std::string run, unit, kind, engine_id, trigger, scope, engine;  ///< begin
  std::vector<HeldMember> members;                         ///< hold
  std::string container;                                   ///< stopping .. disowned
  std::optional<HeldData> data;                            ///< staging .. restored
  std::string note;                                        ///< why, for disowned; one of the notes above
  std::string result, reason;                              ///< reported
};

std::string_view to_string(JournalRecord::Type type);

/// One line of JSON without the newline; format version 1.
std::string to_line(const JournalRecord& record);
/// Refuses lines of a newer format version, so that an older program never acts on what it does not understand.
Result<JournalRecord> record_from_line(const std::string& line);

}  // namespace kopidocka
