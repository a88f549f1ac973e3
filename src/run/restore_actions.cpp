#include <exception>

#include "base/text.hpp"
#include "run/actions.hpp"
#include "run/held_data.hpp"

namespace kopidocka {
namespace {

using Type = JournalRecord::Type;

/// A swap is renames (or moves of top-level entries); even on a slow disk this is far beyond what it takes.
constexpr Milliseconds kSwapLimit{600'000};

}  // namespace

Task<> perform_stage_restore(RunState& state, StageRestore step) {
  const auto& target = step.target;
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
  restore.deadline = state.context.limits.snapshot_timeout;
  restore.on_progress = [&state, name = target.name](std::uint64_t bytes) {
    state.emit(RunEvent::Kind::progress, name, {}, 0, bytes);
  };
  co_await state.context.engine.restore(std::move(restore), state.engine_cancel);
  state.report.snapshots.push_back({"restored", target.name, target.snapshot.id, target.snapshot.bytes, target.snapshot.files,
                                    target.snapshot.errors});
}

Task<> perform_swap(RunState& state, SwapData step) {
  const auto& place = state.places.at(step.target.local_path);
  state.journal(Type::swapping, {}, held_data(place));
  state.swapped.push_back(step.target.local_path);
  Cancel never;  // a swap is short; cutting it off would only have to be undone
  (void)co_await state.context.worker.swap_in(place, kSwapLimit, never);
  state.journal(Type::swapped, {}, held_data(place));
}

Task<> perform_revert(RunState& state) {
  if (!state.must_end()) co_return;
  Cancel never;
  for (auto target = state.swapped.rbegin(); target != state.swapped.rend(); ++target) {
    const auto& place = state.places.at(*target);
    std::exception_ptr failure;
    try {
      (void)co_await state.context.worker.swap_back(place, kSwapLimit, never);
      state.journal(Type::restored, {}, held_data(place));
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
