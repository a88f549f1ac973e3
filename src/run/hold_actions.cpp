#include <algorithm>
#include <exception>
#include <optional>

#include "base/text.hpp"
#include "run/actions.hpp"
#include "run/container_steps.hpp"

namespace kopidocka {
namespace {

using Type = JournalRecord::Type;

/// A container in a crash loop restarted once more just before our stop: what it owes is a start from there.
void renew_debt(RunState& state, HeldMember member, const std::string& started_at) {
  member.started_at = started_at;
  JournalRecord record;
  record.type = Type::hold;
  record.run = state.plan.run;
  record.members = {member};
  // Before the record: on a full disk, too, it has to be known as ours when it is started.
  for (auto& step : state.plan.steps) {
    auto* start = std::get_if<StartMember>(&step.action);
    if (start != nullptr && start->member.id == member.id) start->member.started_at = started_at;
  }
  if (auto written = state.context.journal.append(state.plan.run, std::move(record)); !written) throw written.error();
}

/// What Docker said to a stop request.
struct StopAnswer {
  StateChange change = StateChange::changed;
  std::optional<Error> failure;
  Milliseconds wait{5'000};  ///< how long the container may still need
  bool on_its_way = true;    ///< the request may take effect later
  Milliseconds took{0};      ///< until Docker answered
};

Task<StopAnswer> ask_to_stop(RunState& state, HeldMember member) {
  const auto& clock = state.context.clock;
  const auto began = clock.steady();
  StopAnswer answer;
  std::exception_ptr failure;
  auto& docker = state.context.docker;
  try {
    if (member.by_pause) {
      answer.change = co_await docker.pause_container(member.id);
    } else {
      answer.change = co_await docker.stop_container(member.id, member.grace);
    }
  } catch (...) {
    failure = std::current_exception();
  }
  answer.took = std::chrono::duration_cast<Milliseconds>(clock.steady() - began);
  if (!failure) co_return answer;
  answer.failure = to_error(failure);
  const bool lost = is_passing(*answer.failure);
  answer.wait = lost ? Milliseconds(state.context.limits.stop_margin + Seconds(member.grace)) : Milliseconds(0);
  // An error after the grace time is a kill that did not take, before it (or of a pause) a request that was turned down.
  answer.on_its_way = lost || (!member.by_pause && clock.steady() - began >= Seconds(member.grace));
  co_return answer;
}

/// Throws when it still runs; then it is known whether the request may take effect later.
Task<std::optional<Container>> await_stop(RunState& state, HeldMember member, StopAnswer answer) {
  LastLook look;
  std::exception_ptr failure;
  try {
    look = co_await ended_within(state.context.docker, state.context.clock, member, answer.wait);
  } catch (...) {
    failure = std::current_exception();
  }
  if (look.ended) co_return std::move(look.container);
  if (answer.on_its_way) {
    state.unconfirmed.insert(member.id);
    state.journal_if_possible(Type::stopping, member.id, std::string(kUnconfirmed));
  }
  if (answer.failure) throw *answer.failure;
  if (failure) std::rethrow_exception(failure);
  throw Error(ErrorKind::timeout, std::string("Docker says it is ") + (member.by_pause ? "paused" : "stopped") + ", but it still runs",
              "look at the container's processes");
}

Task<> await_providers(RunState& state, StartMember step) {
  for (const auto& provider : step.healthy_first) {
    if (state.owed.count(provider) != 0) continue;  // it could not be started; waiting for it helps nobody
    std::exception_ptr failure;
    try {
      (void)co_await healthy_unless_cancelled(state.context.docker, state.context.clock, provider, state.within_limit(step.limit), state.cancel);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) state.note(to_error(failure).text());
  }
}

/// Why a member that we asked to stop is not ours to start; empty when it is.
std::string ended_by_another(const HeldMember& member, const StopAnswer& answer, const std::optional<Container>& now) {
  const auto name = "container " + printable(member.name);
  if (answer.change == StateChange::already && !answer.failure) {
    return name + (member.by_pause ? " was paused by somebody else" : " ended by itself") + " just before it was to be " +
           (member.by_pause ? "paused" : "stopped");
  }
  if (member.by_pause && now && now->state.status != "paused") return name + " ended by itself while it was to be paused";
  return {};
}

/// Not ours any more: somebody else started or removed it.
void give_up_debt(RunState& state, const HeldMember& member, const std::string& reason) {
  state.journal_if_possible(Type::disowned, member.id, reason);
  state.member_up(member.id);
  // Restored data is in place by now; that somebody else started the container on it is worth a word, not a failure.
  if (state.swapped.empty()) {
    state.abort(tainted(reason), "tainted");
  } else {
    state.degrade(Error(ErrorKind::failed, reason), "tainted");
  }
}

Error may_still_stop(const HeldMember& member) {
  return {ErrorKind::timeout,
          "container " + printable(member.name) + " was asked to " + (member.by_pause ? "pause" : "stop") + " and still runs: when that "
          "comes yet, Docker leaves it so and kopi-docka starts it",
          "look at the container's processes"};
}

}  // namespace

Task<> perform_stop(RunState& state, StopMember step) {
  const auto& member = step.member;
  state.journal(Type::stopping, member.id);
  state.stop_requested.insert(member.id);
  state.member_down(member.id);
  const auto answer = co_await ask_to_stop(state, member);
  if (answer.failure && answer.failure->kind() == ErrorKind::not_found) throw *answer.failure;
  const auto now = co_await await_stop(state, member, answer);
  if (const auto reason = ended_by_another(member, answer, now); !reason.empty()) {
    state.journal(Type::disowned, member.id, {}, reason);
    state.owed.erase(member.id);
    throw tainted(reason);
  }
  if (now && now->state.started_at != member.started_at) renew_debt(state, member, now->state.started_at);
  state.journal(Type::stopped, member.id);
  state.member(member.id).stopped = true;
  if (now && now->state.exit_code == 137 && !member.by_pause && answer.took >= Seconds(member.grace)) {
    state.note("container " + printable(member.name) + " did not stop within " + std::to_string(member.grace) +
               "s and was killed; give it more time with the label kopi-docka.stop-timeout");
  }
  state.emit(RunEvent::Kind::member_stopped, member.name);
}

Task<> perform_start(RunState& state, StartMember step) {
  const auto& member = step.member;
  if (state.owed.count(member.id) == 0) co_return;
  if (state.data_in_doubt) {
    throw Error(ErrorKind::refused, "container " + printable(member.name) + " stays down: its data could not be put back",
                "run 'kopi-docka recover' when the cause is mended");
  }
  co_await await_providers(state, step);
  Payment payment;
  payment.member = member;
  payment.stop_on_its_way = state.unconfirmed.count(member.id) != 0;
  payment.limit = state.context.limits.start_retry;
  payment.before_start = [&state, id = member.id] { state.journal_if_possible(Type::starting, id); };
  auto decision = co_await pay_debt(state.context.docker, state.context.clock, std::move(payment));
  // Still owed, also after this run: starting it now would be undone by the stop.
  if (decision.action == DebtDecision::wait) throw may_still_stop(member);
  if (decision.action == DebtDecision::settled && member.by_pause && state.member(member.id).stopped) {
    decision.action = DebtDecision::disowned;
    decision.reason = "container " + printable(member.name) + " was unpaused by somebody else meanwhile";
  }
  if (decision.action == DebtDecision::disowned) {
    give_up_debt(state, member, decision.reason);
    co_return;
  }
  if (decision.action == DebtDecision::start) state.started_by_us.insert(member.id);
  state.member_up(member.id);
  state.member(member.id).started = true;
  state.emit(RunEvent::Kind::member_started, member.name);
  state.journal_if_possible(Type::started, member.id);
}

Task<> perform_await_health(RunState& state, AwaitHealth step) {
  if (state.stop_requested.count(step.member.id) == 0 || state.owed.count(step.member.id) != 0) co_return;
  if (!state.member(step.member.id).started) co_return;
  const auto& context = state.context;
  const bool healthy = co_await healthy_unless_cancelled(context.docker, context.clock, step.member.id, step.limit, state.cancel);
  state.member(step.member.id).healthy = healthy;
  if (healthy) co_return;
  const auto name = printable(step.member.name);
  if (state.cancel.requested()) {
    if (state.aborted()) co_return;
    throw Error(ErrorKind::cancelled, "nobody waited until container " + name + " is healthy: the run was asked to end");
  }
  throw Error(ErrorKind::timeout, "container " + name + " is not healthy after " + format_duration(step.limit),
              "look at 'docker logs " + name + "'");
}

}  // namespace kopidocka
