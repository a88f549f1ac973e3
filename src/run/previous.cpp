#include <map>

#include "base/text.hpp"
#include "catalog/tags.hpp"
#include "run/actions.hpp"

/// An engine does not read a file again whose size and time are those of the newest snapshot of its source. That is sound when
/// that one was read from stopped containers: a store through a shared mapping to a page that is dirty already, and the rest of
/// one long write, change no time. What was read from running or paused ones may have an old content of such a file, and every
/// later snapshot would keep it.
namespace kopidocka {
namespace {

constexpr int kLooks = 4;

/// The newest complete one, and what newer ones that were cut off would add to it.
struct Newest {
  TimePoint start{};
  bool complete = false, cold = true;
};

bool of_this_run(const RunState& state, const Snapshot& snapshot) {
  const auto tag = snapshot.tags.find("backup_id");
  return tag != snapshot.tags.end() && tag->second == state.plan.run;
}

/// The sources whose newest snapshot must not be built on, and which snapshots there are of each.
Task<std::set<std::string>> look(RunState& state) {
  std::map<std::string, Newest> newest;
  const SnapshotFilter own;
  state.seen_snapshots.clear();
  for (const auto& snapshot : co_await state.context.engine.list(own, state.engine_cancel)) {
    if (of_this_run(state, snapshot)) continue;
    state.seen_snapshots[snapshot.path].insert(snapshot.id);
    auto& one = newest[snapshot.path];
    if (one.complete && snapshot.start_time < one.start) continue;
    const bool cold = read_from_stopped(snapshot.tags);
    one.cold = snapshot.usable() ? cold : one.cold && cold;
    one.complete = one.complete || snapshot.usable();
    if (snapshot.usable()) one.start = snapshot.start_time;
  }
  std::set<std::string> untrusted;
  for (const auto& source : state.plan.unit.sources) {
    const auto found = newest.find(source.path);
    if (found != newest.end() && !found->second.cold) untrusted.insert(source.path);
  }
  co_return untrusted;
}

}  // namespace

Task<> note_untrusted(RunState& state) {
  if (state.plan.kind != RunKind::backup) co_return;
  auto untrusted = co_await look(state);
  state.untrusted = std::move(untrusted);
}

Task<> look_for_other_programs(RunState& state) {
  if (state.plan.kind != RunKind::backup) co_return;
  for (int i = 0; i < kLooks; ++i) {
    const auto untrusted = co_await look(state);
    std::set<std::string> fresh;
    for (const auto& path : untrusted) {
      if (state.untrusted.insert(path).second) fresh.insert(path);
    }
    for (const auto& path : fresh) co_await open_anew(state, path);
    if (!fresh.empty()) continue;
    for (const auto& source : state.plan.unit.sources) {
      if (state.open_snapshots.is_open(source.path)) state.opened_in_time.insert(source.path);
    }
    co_return;
  }
  throw Error(ErrorKind::busy, "another program goes on making snapshots of the same sources", "let only one program back them up at a time");
}

Task<> require_known_base(RunState& state, std::string path) {
  if (state.opened_in_time.count(path) != 0 || state.untrusted.count(path) != 0) co_return;
  SnapshotFilter filter;
  filter.path = path;
  const auto& seen = state.seen_snapshots[path];
  for (const auto& snapshot : co_await state.context.engine.list(filter, state.engine_cancel)) {
    if (of_this_run(state, snapshot) || seen.count(snapshot.id) != 0 || read_from_stopped(snapshot.tags)) continue;
    throw tainted("another program made snapshot " + printable(snapshot.id, 100) + " of " + printable(path) +
                  " during this run, which may be built on it");
  }
}

Task<> remove_strays(RunState& state) {
  std::set<std::string> reported;
  for (const auto& snapshot : state.report.snapshots) reported.insert(snapshot.id);
  SnapshotFilter filter;
  filter.tags = {{"backup_id", state.plan.run}};
  std::vector<std::string> strays;
  for (const auto& snapshot : co_await state.context.engine.list(filter, Cancel())) {
    if (reported.count(snapshot.id) == 0) strays.push_back(snapshot.id);
  }
  if (!strays.empty()) co_await state.context.engine.remove(strays, Cancel());
}

}  // namespace kopidocka
