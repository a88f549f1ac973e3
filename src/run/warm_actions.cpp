#include <exception>
#include <utility>

#include "base/text.hpp"
#include "run/actions.hpp"
#include "run/runner.hpp"

/// What is done while everything is up so that little is left for the hold, and what makes sure that it can be trusted.
namespace kopidocka {
namespace {

using Type = JournalRecord::Type;
using Mode = Reading::Mode;

/// As many names as the engine can be told of; more files than that are hashed as fast in the hold.
constexpr size_t kMostTouched = 40'000;
/// In the hold nobody is told of them; more than this are not kept in memory.
constexpr size_t kMostTouchedInHold = 400'000;
/// What is in doubt is read in the hold: a few seconds of writes more or less. Above that another pass may leave less.
constexpr std::uint64_t kWorthAnotherPass = 64u << 20;
constexpr int kMostPasses = 3;

HeldData about(const std::string& target) {
  HeldData data;
  data.target = target;
  return data;
}

Task<bool> try_clone(RunState& state, const WarmUp& step, Reading& reading) {
  CloneFacts facts;
  std::exception_ptr failure;
  try {
    facts = co_await state.context.worker.can_clone(step.source.local_path, state.plan.run, state.engine_cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) state.engine_cancel.throw_if_requested();
  if (!facts.possible) {
    reading.reason = "no clone: " + (failure ? to_error(failure).message() : facts.reason);
    co_return false;
  }
  state.journal(Type::cloning, {}, about(step.source.local_path));
  reading.clone_left = true;
  reading.mode = Mode::clone;
  reading.reason.clear();
  co_return true;
}

/// Never throws but for a cancel: where a source cannot be settled, that is a reason for another way.
Task<Settled> settle(RunState& state, const WarmUp& step) {
  Settled settled;
  std::exception_ptr failure;
  try {
    settled = co_await state.context.worker.settle(step.source.local_path, state.context.limits.snapshot_timeout, state.engine_cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    state.engine_cancel.throw_if_requested();
    settled.exact = false;
    settled.reason = to_error(failure).message();
  }
  co_return settled;
}

/// One pass; the bytes that are still in doubt after it. Throws when nothing of it can be trusted; `uploaded` then tells
/// whether it was of use all the same.
Task<std::uint64_t> pass_exactly(RunState& state, const WarmUp& step, Reading& reading, bool& uploaded) {
  auto& context = state.context;
  WarmRequest request;
  request.source = step.source;
  request.run = state.plan.run;
  request.deadline = context.limits.snapshot_timeout;
  const auto warm = co_await context.engine.warm(std::move(request), state.engine_cancel);
  uploaded = true;
  const auto touched = co_await context.worker.touched(reading.settled, Looked::beforehand, kMostTouched, context.limits.snapshot_timeout, state.engine_cancel);
  if (!touched.exact) throw Error(ErrorKind::refused, touched.reason);
  reading.still = touched.still;
  std::vector<std::string> paths;
  for (const auto& file : touched.files) paths.push_back(file.path);
  auto doubt = co_await context.engine.distrust(warm.id, step.source.path, reading.settled.since(), std::move(paths), state.engine_cancel);
  reading.trust = std::move(doubt.trust);
  co_return doubt.bytes;
}

Task<> warm_exactly(RunState& state, const WarmUp& step, Reading& reading, bool& uploaded) {
  std::uint64_t before = 0;
  for (int pass = 1; pass <= kMostPasses; ++pass) {
    if (pass > 1) reading.settled = co_await settle(state, step);
    if (!reading.settled.exact) throw Error(ErrorKind::refused, reading.settled.reason);
    const auto in_doubt = co_await pass_exactly(state, step, reading, uploaded);
    if (in_doubt < kWorthAnotherPass || (before > 0 && in_doubt > before / 2)) break;
    before = in_doubt;
  }
  reading.mode = Mode::exact;
  reading.reason.clear();
}

/// The data is uploaded; the record of it is removed, so that the held snapshot looks at everything itself.
Task<> warm_safely(RunState& state, const WarmUp& step, Reading& reading, bool& uploaded) {
  WarmRequest request;
  request.source = step.source;
  request.run = state.plan.run;
  request.deadline = state.context.limits.snapshot_timeout;
  (void)co_await state.context.engine.warm(std::move(request), state.engine_cancel);
  uploaded = true;
  (void)co_await state.context.engine.drop_warm(state.plan.run, step.source.path, Cancel());
  reading.mode = Mode::safe;
}

Task<> warm(RunState& state, const WarmUp& step, Reading& reading) {
  const bool untrusted = state.untrusted.count(step.source.path) != 0;
  const bool wants_exact = step.wanted != "safe" && !untrusted;
  if (untrusted) reading.reason = "not exact: its newest snapshot was not read from stopped containers, so that all of it is read anew";
  if (wants_exact) {
    reading.settled = co_await settle(state, step);
    if (!reading.settled.exact) reading.reason = "not exact: " + reading.settled.reason;
  }
  state.journal(Type::warming, {}, about(step.source.path));
  reading.warm_left = true;
  bool uploaded = false;
  std::exception_ptr failure;
  try {
    if (wants_exact && reading.settled.exact) {
      co_await warm_exactly(state, step, reading, uploaded);
    } else {
      co_await warm_safely(state, step, reading, uploaded);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  // A failed pass costs a longer hold, not the backup; but nothing of it may stay that the held snapshot would trust.
  reading.mode = uploaded ? Mode::safe : Mode::cold;
  reading.trust = WarmTrust();
  reading.reason = to_error(failure).message();
  (void)co_await state.context.engine.drop_warm(state.plan.run, step.source.path, Cancel());
  state.engine_cancel.throw_if_requested();
}

}  // namespace

std::string_view to_string(Reading::Mode mode) {
  switch (mode) {
    case Mode::cold: return "cold";
    case Mode::safe: return "safe";
    case Mode::ahead: return "ahead";
    case Mode::exact: return "exact";
    case Mode::clone: return "clone";
  }
  return "cold";
}

Task<> perform_warm_up(RunState& state, WarmUp step) {
  auto& reading = state.readings[step.source.path];
  const bool single_file = state.single_files.count(step.source.path) != 0;
  if (step.may_clone) {
    const bool cloned = co_await try_clone(state, step, reading);
    if (cloned) {
      // What is not on the disk yet would have to be written first, one file after the other, while containers are down.
      if (!single_file) (void)co_await settle(state, step);
      co_return;
    }
  }
  if (!state.context.engine.can_warm()) {
    reading.reason = state.context.engine.name() + " has no warm pass here";
  } else if (single_file) {
    reading.reason = "it is a single file";
  } else {
    co_await warm(state, step, reading);
  }
}

Task<SecondLook> look_again(RunState& state, std::string path, Cancel cancel) {
  auto& reading = state.readings.at(path);
  SecondLook look;
  std::string reason;
  std::exception_ptr failure;
  try {
    const auto touched = co_await state.context.worker.touched(reading.settled, Looked::held, kMostTouchedInHold, state.context.limits.snapshot_timeout, cancel);
    if (!touched.exact) reason = touched.reason;
    look.still = touched.still;
    for (const auto& file : touched.files) {
      if (reading.trust.vouches_for(file.path, file.size, file.mtime_second)) reason = printable(file.path) + " was changed since and looks as before";
    }
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) reason = to_error(failure).text();
  if (!reason.empty()) reading.reason = "the warm pass could not be trusted: " + reason;
  look.well = reason.empty();
  co_return look;
}

namespace {

/// The first failure, when all have been tried.
Task<> drop_clones(RunState& state) {
  std::exception_ptr first;
  for (const auto& source : state.plan.unit.sources) {
    const auto reading = state.readings.find(source.path);
    if (reading == state.readings.end() || !reading->second.clone_left) continue;
    CloneRequest request;
    request.source = source.local_path;
    request.run_id = state.plan.run;
    std::exception_ptr failure;
    try {
      co_await state.context.worker.drop_clone(std::move(request), state.context.limits.snapshot_timeout, Cancel());
    } catch (...) {
      failure = std::current_exception();
    }
    if (!first) first = failure;
    if (failure) continue;
    reading->second.clone_left = false;
    state.journal_if_possible(Type::uncloned, {}, {}, about(source.local_path));
  }
  if (first) std::rethrow_exception(first);
}

Task<> drop_warm(RunState& state) {
  bool any = false;
  for (const auto& [path, reading] : state.readings) any = any || reading.warm_left;
  if (!any) co_return;
  const std::string every_source;
  if (state.aborted()) {
    co_await drop_warm_snapshots(state.context.engine, state.plan.run, every_source);
  } else {
    (void)co_await state.context.engine.drop_warm(state.plan.run, every_source, Cancel());
  }
  for (auto& [path, reading] : state.readings) {
    if (std::exchange(reading.warm_left, false)) state.journal_if_possible(Type::cooled, {}, {}, about(path));
  }
}

}  // namespace

Task<std::string> tidy_up(RunState& state) {
  std::exception_ptr clones, warm;
  try {
    co_await drop_clones(state);
  } catch (...) {
    clones = std::current_exception();
  }
  try {
    co_await drop_warm(state);
  } catch (...) {
    warm = std::current_exception();
  }
  std::string problem;
  for (const auto& failure : {clones, warm}) {
    if (!failure) continue;
    problem += (problem.empty() ? "what was made to keep the hold short is not removed yet, which is tried again: " : "; ") + to_error(failure).text();
  }
  co_return problem;
}

}  // namespace kopidocka
