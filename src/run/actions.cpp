#include "run/actions.hpp"

namespace kopidocka {
namespace {

/// Gives every alternative of Action the function that carries it out.
struct Performer {
  RunState& state;

  Task<> operator()(const ProbeRepository&) { return perform_probe_repository(state); }
  Task<> operator()(const ProbeSources& step) { return perform_probe_sources(state, step); }
  Task<> operator()(const RunHook& step) { return perform_hook(state, step); }
  Task<> operator()(const PreparePolicies& step) { return prepare(state, step); }
  Task<> operator()(const StageFolder& step) { return perform_stage_folder(state, step); }
  Task<> operator()(const TakeSnapshot& step) { return perform_snapshot(state, step); }
  Task<> operator()(const WarmUp& step) { return perform_warm_up(state, step); }
  Task<> operator()(const OpenSnapshot& step) { return perform_open(state, step); }
  Task<> operator()(const ReadSource& step) { return perform_read(state, step); }
  Task<> operator()(const SaveSnapshot& step) { return perform_save(state, step); }
  Task<> operator()(const StopMember& step) { return perform_stop(state, step); }
  Task<> operator()(const StartMember& step) { return perform_start(state, step); }
  Task<> operator()(const CheckTaint& step) { return perform_check_taint(state, step); }
  Task<> operator()(const AwaitHealth& step) { return perform_await_health(state, step); }
  Task<> operator()(const ApplyRetention& step) { return expire(state, step); }
  Task<> operator()(const StageRestore& step) { return perform_stage_restore(state, step); }
  Task<> operator()(const SwapData& step) { return perform_swap(state, step); }
  Task<> operator()(const RevertOnAbort&) { return perform_revert(state); }
  Task<> operator()(const DropAside& step) { return perform_drop_aside(state, step); }

  static Task<> prepare(RunState& state, PreparePolicies step) {
    co_await state.context.engine.prepare(std::move(step.policies), state.engine_cancel);
    co_await note_untrusted(state);
  }
  static Task<> expire(RunState& state, ApplyRetention step) {
    (void)co_await state.context.engine.expire(std::move(step.policies), state.engine_cancel);
  }
};

}  // namespace

Task<> perform(RunState& state, const Action& action) { return std::visit(Performer{state}, action); }

}  // namespace kopidocka
