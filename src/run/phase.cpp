#include "run/phase.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>

#include "run/actions.hpp"

namespace kopidocka {
namespace {

/// The steps of one phase and which of them have ended.
struct PhaseRun {
  PhaseRun(RunState& run_state, const boost::asio::any_io_executor& executor)
      : state(run_state),
        ended(run_state.plan.steps.size(), false),
        failed(run_state.plan.steps.size(), false),
        changed(executor), readers(executor, run_state.context.limits.workers) {}

  RunState& state;
  std::vector<bool> ended;
  std::vector<bool> failed;
  Signal changed;
  Semaphore readers;
};

/// A word of the fixed list for reports and metrics, from what was being done.
std::string reason_of(const Action& action, const Error& error) {
  struct Reasons {
    ErrorKind kind;
    std::string operator()(const ProbeRepository&) const { return "repository"; }
    std::string operator()(const ProbeSources&) const { return "source"; }
    std::string operator()(const RunHook&) const { return "hook"; }
    std::string operator()(const PreparePolicies&) const { return "repository"; }
    std::string operator()(const StageFolder&) const { return "recipe"; }
    std::string operator()(const TakeSnapshot&) const { return "recipe"; }
    std::string operator()(const WarmUp&) const { return "snapshot"; }
    std::string operator()(const OpenSnapshot&) const { return "snapshot"; }
    std::string operator()(const ReadSource&) const { return "snapshot"; }
    std::string operator()(const SaveSnapshot&) const { return "snapshot"; }
    std::string operator()(const StopMember&) const { return "stop"; }
    std::string operator()(const StartMember&) const { return "start"; }
    std::string operator()(const CheckTaint&) const { return kind == ErrorKind::failed ? "tainted" : "docker"; }
    std::string operator()(const AwaitHealth&) const { return "health"; }
    std::string operator()(const ApplyRetention&) const { return "retention"; }
    std::string operator()(const StageRestore&) const { return "restore"; }
    std::string operator()(const SwapData&) const { return "restore"; }
    std::string operator()(const RevertOnAbort&) const { return "restore"; }
    std::string operator()(const DropAside&) const { return "restore"; }
  };
  if (error.kind() == ErrorKind::cancelled) return "cancelled";
  return std::visit(Reasons{error.kind()}, action);
}

void record_failure(RunState& state, const Step& step, Error error) {
  const auto reason = reason_of(step.action, error);
  error.in(describe(step.action));
  if (step.on_failure == OnFailure::abort) {
    state.abort(error, reason);
  } else {
    state.degrade(error, reason);
  }
}

/// A turn among the readers; given back however the step ends.
struct Turn {
  explicit Turn(Semaphore* taken) : readers(taken) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (readers != nullptr) readers->release();
  }
  Semaphore* readers;
};

Task<> perform_step(PhaseRun& phase, StepId id) {
  auto& state = phase.state;
  const auto& step = state.plan.steps[id];
  const auto began = state.context.clock.steady();
  const bool reads = std::holds_alternative<TakeSnapshot>(step.action) || std::holds_alternative<WarmUp>(step.action) ||
                     std::holds_alternative<StageRestore>(step.action);
  if (reads) co_await phase.readers.acquire();
  const Turn turn(reads ? &phase.readers : nullptr);
  std::exception_ptr failure;
  if (!step.always && state.must_end()) {  // the wait for a turn may have been long
    state.cut_short = true;
  } else {
    state.emit(RunEvent::Kind::step_started, describe(step.action));
    try {
      co_await perform(state, step.action);
    } catch (...) {
      failure = std::current_exception();
    }
    const double seconds = std::chrono::duration<double>(state.context.clock.steady() - began).count();
    std::string text;
    if (failure) {
      auto error = to_error(failure);
      text = error.text();
      phase.failed[id] = true;
      record_failure(state, step, std::move(error));
    }
    state.emit(RunEvent::Kind::step_finished, describe(step.action), text, seconds);
  }
}

/// A staging folder that could not be filled still holds the last run's content: nothing may be made of it.
bool lacks_its_folder(const PhaseRun& phase, const Step& step) {
  const auto* take = std::get_if<TakeSnapshot>(&step.action);
  if (take == nullptr) return false;
  return std::any_of(step.after.begin(), step.after.end(), [&](StepId before) { return bool(phase.failed[before]); });
}

Task<> run_step(PhaseRun& phase, StepId id) {
  const auto& step = phase.state.plan.steps[id];
  for (const auto before : step.after) {
    while (phase.state.plan.steps[before].phase == step.phase && !phase.ended[before]) co_await phase.changed.wait();
  }
  std::exception_ptr failure;
  try {
    if (step.always || !phase.state.must_end()) {
      if (!lacks_its_folder(phase, step)) co_await perform_step(phase, id);
    } else if (step.phase != Phase::settle) {
      phase.state.cut_short = true;
    }
  } catch (...) {
    failure = std::current_exception();
  }
  // Whatever happened: steps behind this one wait for nothing else.
  phase.ended[id] = true;
  phase.changed.notify();
  if (failure) {
    phase.failed[id] = true;
    record_failure(phase.state, step, to_error(failure));
  }
}

}  // namespace

Task<> run_phase(RunState& state, Phase phase) {
  const auto executor = co_await boost::asio::this_coro::executor;
  state.phase = phase;
  state.emit(RunEvent::Kind::phase, std::string(to_string(phase)));
  PhaseRun run(state, executor);
  TaskGroup group(executor);
  for (StepId id = 0; id < state.plan.steps.size(); ++id) {
    if (state.plan.steps[id].phase == phase) group.spawn(run_step(run, id));
  }
  co_await group.join();
}

}  // namespace kopidocka
