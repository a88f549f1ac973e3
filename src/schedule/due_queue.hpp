#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/duration.hpp"
#include "schedule/schedule.hpp"

namespace kopidocka {

/// When one unit is to run by itself.
struct DueRule {
  Schedule schedule;
  Milliseconds jitter{0};  ///< a run begins up to this much later, at most half way to the following one
  bool catch_up = true;    ///< one run for all that were missed
  int priority = 0;        ///< of those due at once, higher ones come first
};

/// A unit whose time has come.
struct Due {
  std::string unit;
  TimePoint scheduled;    ///< the time of the schedule that is served, without jitter
  bool catch_up = false;  ///< for missed times, not on time
  int priority = 0;
};

enum class MissReason {
  down,     ///< nobody was there to run it: the daemon or the host was off
  overlap,  ///< the unit's previous run was still going on
  clock,    ///< the clock leapt over it, or the machine slept
};

std::string_view to_string(MissReason reason);

/// Times of the schedule at which the unit did not run. A catch-up does not make them good, it is a run of
/// its own.
struct Missed {
  std::string unit;
  MissReason reason = MissReason::down;
  std::uint64_t count = 0;  ///< counted up to 1000, then it stays there
};

/// Decides which units are due. Pure: time comes in as an argument, may stand still, leap and run backwards,
/// and the only memory is this value. The coordinator calls take() at every next_wake() and after every clock
/// change.
///
/// - Each unit is handed out once, however many of its times have passed, and not again until finished().
/// - On time is up to 5 minutes late. Later than that it was missed: one catch-up, spread by the unit's
/// jitter.
///   None when the next regular run is nearer than 30 minutes, which then serves as well.
/// - A clock set back by up to 3 hours does not repeat what has run; set back by more, everything counts from
///   the new time. Thus a trip to 2036 costs one catch-up per unit and no sleep.
/// - While the clock is before `floor` nothing is due and nothing is judged: without a battery it shows 1970
///   at boot.
class DueQueue {
 public:
  /// `floor`: no present moment can be earlier, say the time of the build or of the last journal record.
  explicit DueQueue(TimePoint floor = TimePoint{}) : floor_(floor) {}

  /// Adds a unit or replaces its rule. `last_run` is when it ran last or, when never, was first seen; what
  /// the schedule asked for since then was missed. Without it counting begins now. For a unit already here
  /// `last_run` is not used, and a changed schedule begins now: it never makes a run due for a time before
  /// the change. Times up to `told` count as missed no more, only for the catch-up: they were refused and reported.
  void put(const std::string& unit, DueRule rule, std::optional<TimePoint> last_run, TimePoint now,
           std::optional<TimePoint> told = std::nullopt);

  /// Forgets the unit. One that is running is kept silently until finished(), so that it cannot come back and
  /// run twice.
  void remove(const std::string& unit);

  struct Taken {
    std::vector<Due> due;  ///< highest priority first, then the earliest; they count as running from now on
    std::vector<Missed> missed;
  };
  Taken take(TimePoint now);
  /// Nobody will call take() for a while: what passes meanwhile is MissReason::down, not a leap of the clock.
  void rest() { last_take_.reset(); }

  /// The unit began a run that take() did not ask for (by hand, by an event). It serves as the catch-up, if
  /// one waits.
  void started(const std::string& unit, TimePoint now);
  /// Something goes on that keeps the unit from being backed up (a restore) and is no backup.
  void occupied(const std::string& unit);
  /// The run is over, whatever its result.
  void finished(const std::string& unit);

  /// When to call take() again: never before `now`, never later than a minute after it, since only short
  /// sleeps notice a clock that was set.
  TimePoint next_wake(TimePoint now) const;

  /// When the unit will be due, jitter and a waiting catch-up included. Nothing for units not here.
  std::optional<TimePoint> next_run(const std::string& unit, TimePoint now) const;

 private:
  struct Entry {
    DueRule rule;
    std::optional<TimePoint> last_run;
    std::optional<TimePoint> seen;  ///< times up to here are settled; unset until the clock is plausible
    std::optional<TimePoint> catch_up_at;
    TimePoint missed_tick;  ///< what the waiting catch-up is for
    std::optional<TimePoint> told;
    bool running = false;
    bool gone = false;
  };
  struct Tick {
    TimePoint scheduled;
    TimePoint due;  ///< scheduled plus jitter
  };
  struct Passed {
    std::uint64_t count = 0;
    std::uint64_t untold = 0;
    Tick last;
  };

  static std::optional<Tick> tick_after(const std::string& unit, const Entry& entry, TimePoint after);
  static Passed passed_ticks(const std::string& unit, const Entry& entry, TimePoint now);
  static void adjust(Entry& entry, TimePoint now);
  static std::optional<TimePoint> next_due(const std::string& unit, Entry entry, TimePoint now);
  static void hand_out(Entry& entry, Due due, TimePoint now, Taken& taken);
  static void judge(const std::string& unit, Entry& entry, TimePoint now, MissReason reason, Taken& taken);

  TimePoint floor_;
  std::optional<TimePoint> last_take_;
  std::map<std::string, Entry> entries_;
};

}  // namespace kopidocka
