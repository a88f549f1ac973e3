#include <algorithm>
#include <exception>
#include <filesystem>
#include <map>

#include "base/text.hpp"
#include "run/actions.hpp"
#include "run/held_data.hpp"

namespace kopidocka {
namespace {

using Type = JournalRecord::Type;

/// A swap is renames (or moves of top-level entries); even on a slow disk this is far beyond what it takes.
constexpr Milliseconds kSwapLimit{600'000};
/// Counting the holes of the present data, done only when the room seems too small.
constexpr Milliseconds kMeasureLimit{60'000};
/// Left free beside the new data, for whatever runs meanwhile: a fiftieth of the file system, at most this.
constexpr std::uint64_t kMostMargin = 1u << 30;

std::vector<RestoreTarget> targets_of(const Plan& plan) {
  std::vector<RestoreTarget> targets;
  for (const auto& step : plan.steps) {
    if (const auto* stage = std::get_if<StageRestore>(&step.action)) targets.push_back(stage->target);
  }
  return targets;
}

/// A folder of the user's choice takes nothing away from anybody: what is there already stays, whatever it is.
void require_vacant(const RestoreTarget& target, const PathFacts& facts) {
  const bool empty_folder = facts.kind == PathKind::folder && facts.empty && !target.single_file;
  if (facts.problem.empty() && (facts.kind == PathKind::missing || empty_folder)) return;
  throw Error(ErrorKind::refused,
              printable(target.local_path) + (facts.problem.empty() ? " holds data already" : ": " + facts.problem),
              "name an empty folder with --to");
}

Task<> require_vacant(RunState& state, RestoreTarget target) {
  const auto facts = co_await state.context.worker.probe(std::vector<std::string>(1, target.local_path), state.engine_cancel);
  require_vacant(target, facts.at(0));
}

/// What is going to be written to one file system.
struct Landing {
  std::uint64_t wanted = 0, free = 0, margin = 0;
  std::vector<std::string> names, present;  ///< `present`: data there now

  bool too_small() const { return free < wanted || free - wanted < margin; }
};

/// The path and all folders above it: what is missing will be made in the first that is there.
std::vector<std::string> upwards(const std::string& path) {
  std::vector<std::string> paths;
  for (std::filesystem::path at(path); at.has_relative_path(); at = at.parent_path()) paths.push_back(at.string());
  return paths;
}

/// A new folder above a place in use would perhaps be made below the mount point of a disk that is missing.
void require_folder_of(const RestoreTarget& target, const std::vector<PathFacts>& upwards) {
  const bool lost = target.in_place && upwards.size() > 1 && upwards[0].kind == PathKind::missing && upwards[1].kind == PathKind::missing;
  if (!lost) return;
  throw Error(ErrorKind::refused, "the folder of " + printable(target.local_path) + " does not exist",
              "is its disk mounted? If it is new, create the folder first");
}

Task<std::map<std::uint64_t, Landing>> landings(RunState& state, std::vector<RestoreTarget> targets) {
  std::map<std::uint64_t, Landing> result;
  for (const auto& target : targets) {
    const auto facts = co_await state.context.worker.probe(upwards(target.local_path), state.engine_cancel);
    require_folder_of(target, facts);
    const auto ground = std::find_if(facts.begin(), facts.end(), [](const PathFacts& one) { return one.kind != PathKind::missing; });
    if (ground == facts.end() || ground->bytes_total == 0) continue;
    auto& landing = result[ground->device];
    landing.wanted += target.snapshot.bytes;
    landing.free = ground->bytes_free;
    landing.margin = std::min(ground->bytes_total / 50, kMostMargin);
    landing.names.push_back(printable(target.name));
    if (ground == facts.begin()) landing.present.push_back(target.local_path);
  }
  co_return result;
}

/// Snapshots count a hole as bytes. What the present data has of them, the new data will have as well.
Task<std::uint64_t> holes_in(RunState& state, std::vector<std::string> paths) {
  std::uint64_t holes = 0;
  if (paths.empty()) co_return holes;
  for (const auto& usage : co_await state.context.worker.usage(std::move(paths), kMeasureLimit, state.engine_cancel)) {
    if (usage.bytes > usage.allocated) holes += usage.bytes - usage.allocated;
  }
  co_return holes;
}

}  // namespace

Task<> perform_probe_targets(RunState& state) {
  const auto targets = targets_of(state.plan);
  for (const auto& target : targets) {
    if (!target.in_place) co_await require_vacant(state, target);
  }
  for (auto& [device, landing] : co_await landings(state, targets)) {
    if (!landing.too_small()) continue;
    landing.wanted -= std::min(landing.wanted, co_await holes_in(state, landing.present));
    if (!landing.too_small()) continue;
    throw Error(ErrorKind::no_space,
                "no room for the new data of " + join(landing.names, ", ") + ": " + format_bytes(landing.wanted) + " are to be written, " +
                    format_bytes(landing.free) + " are free, and the present data stays until the new is in place",
                "free some space there, restore less at once with --volume, or to another disk with --to");
  }
}

Task<> perform_stage_restore(RunState& state, StageRestore step) {
  const auto& target = step.target;
  if (!target.in_place) co_await require_vacant(state, target);
  PlaceRequest request;
  request.target = target.local_path;
  request.host_path = target.host_path;
  request.run_id = state.plan.run;
  request.single_file = target.single_file;
  request.scratch = (state.context.cache_folder / "restore").string();
  request.make_parents = !target.in_place;
  // Announced before anything is made there; the mode is known only afterwards.
  HeldData announced;
  announced.target = request.target;
  announced.scratch = request.scratch;
  announced.single_file = request.single_file;
  state.journal(Type::staging, {}, announced);
  const auto place = co_await state.context.worker.prepare_place(request, state.engine_cancel);
  state.places[target.local_path] = place;
  state.journal(Type::staging, {}, held_data(place));

  RestoreRequest restore;
  restore.id = target.snapshot.id;
  restore.target = place.staging;
  restore.source_path = target.snapshot.path;
  restore.single_file = target.single_file;
  restore.files = target.snapshot.files;
  restore.on_warning = [&state, name = target.name](const std::string& warning) {
    state.degrade(Error(ErrorKind::failed, "restore " + printable(name) + ": " + warning), "restore");
  };
  restore.deadline = state.context.limits.snapshot_timeout;
  restore.on_progress = [&state, name = target.name](std::uint64_t bytes) {
    state.emit(RunEvent::Kind::progress, name, {}, 0, bytes);
  };
  co_await state.context.engine.restore(std::move(restore), state.engine_cancel);
  state.report.snapshots.push_back({"restored", target.name, target.snapshot.id, target.snapshot.bytes, target.snapshot.files,
                                    target.snapshot.errors, {}, {}});
}

Task<> perform_swap(RunState& state, SwapData step) {
  // Restoring may have taken hours, and what came there meanwhile would go aside and then be dropped.
  if (!step.target.in_place) co_await require_vacant(state, step.target);
  const auto& place = state.places.at(step.target.local_path);
  state.journal(Type::swapping, {}, held_data(place));
  state.swapped.push_back(step.target.local_path);
  Cancel never;  // a swap is short; cutting it off would only have to be undone
  (void)co_await state.context.worker.swap_in(place, kSwapLimit, never);
  state.journal(Type::swapped, {}, held_data(place));
}

namespace {

/// From here on containers write to the new data, so nothing may put the old back: not even a recovery after a crash. When
/// that cannot be made durable, the old data is put back now, while all are down.
void keep_restored(RunState& state) {
  if (state.must_end() || state.swapped.empty()) return;
  try {
    state.journal(Type::kept);
  } catch (const Error& error) {
    state.abort(error, "journal");
  }
}

/// A full disk must not keep the containers down: putting back what is back already changes nothing.
void note_restored(RunState& state, const Place& place) {
  try {
    state.journal(Type::restored, {}, held_data(place));
  } catch (const Error& error) {
    state.note(error.text());
  }
}

}  // namespace

Task<> perform_revert(RunState& state) {
  // Data that was put back is no success, even when the wish to end came after the last step that could be left out.
  if (!state.aborted() && state.cancel.requested()) {
    state.abort(Error(ErrorKind::cancelled, "the restore was asked to stop; the old data is put back"), "cancelled");
  }
  keep_restored(state);
  if (!state.must_end()) co_return;
  Cancel never;
  for (auto target = state.swapped.rbegin(); target != state.swapped.rend(); ++target) {
    const auto& place = state.places.at(*target);
    std::exception_ptr failure;
    try {
      (void)co_await state.context.worker.swap_back(place, kSwapLimit, never);
      note_restored(state, place);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) {
      state.data_in_doubt = true;
      throw to_error(failure).in("put the old data of " + printable(*target) + " back");
    }
  }
  state.swapped.clear();
}

Task<> perform_drop_aside(RunState& state, DropAside step) {
  const auto found = state.places.find(step.target.local_path);
  if (found == state.places.end() || state.data_in_doubt) co_return;
  Cancel never;
  if (state.aborted()) {
    (void)co_await state.context.worker.discard(found->second, Discard::staged, kSwapLimit, never);
    co_return;
  }
  const bool all_up = state.owed.empty();
  if (!all_up || state.degraded()) {
    state.note("the data from before the restore of " + printable(step.target.name) + " is kept beside " +
               printable(found->second.target) + " because not everything came up well");
    co_return;
  }
  (void)co_await state.context.worker.discard(found->second, Discard::both, kSwapLimit, never);
}

}  // namespace kopidocka
