#include <map>

#include "catalog/tags.hpp"
#include "run/actions.hpp"

/// An engine does not read a file again whose size and time are those of the newest snapshot of its source. That is sound when
/// that one was read from stopped containers: a store through a shared mapping to a page that is dirty already, and the rest of
/// one long write, change no time. What was read from running or paused ones may have an old content of such a file, and every
/// later snapshot would keep it.
namespace kopidocka {
namespace {

/// The newest complete one, and what newer ones that were cut off would add to it.
struct Newest {
  TimePoint start{};
  bool complete = false, cold = true;
};

}  // namespace

Task<> note_untrusted(RunState& state) {
  if (state.plan.kind != RunKind::backup) co_return;
  std::map<std::string, Newest> newest;
  SnapshotFilter own;
  for (const auto& snapshot : co_await state.context.engine.list(own, state.engine_cancel)) {
    auto& one = newest[snapshot.path];
    if (one.complete && snapshot.start_time < one.start) continue;
    const bool cold = read_from_stopped(snapshot.tags);
    one.cold = snapshot.usable() ? cold : one.cold && cold;
    one.complete = one.complete || snapshot.usable();
    if (snapshot.usable()) one.start = snapshot.start_time;
  }
  for (const auto& source : state.plan.unit.sources) {
    const auto found = newest.find(source.path);
    if (found != newest.end() && !found->second.cold) state.untrusted.insert(source.path);
  }
}

}  // namespace kopidocka
