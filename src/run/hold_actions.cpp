#include <algorithm>
#include <exception>

#include "base/text.hpp"
#include "docker/wait.hpp"
#include "journal/recovery.hpp"
#include "run/actions.hpp"
#include "run/container_steps.hpp"
#include "unit/host_paths.hpp"

namespace kopidocka {
namespace {

using Type = JournalRecord::Type;

Error tainted(const std::string& why) {
  return {ErrorKind::failed, why, "nothing was kept of this run; run it again when nobody else works on the unit"};
}

}  // namespace

Task<> perform_stop(RunState& state, StopMember step) {
  auto& context = state.context;
  const auto& member = step.member;
  state.journal(Type::stopping, member.id);
  state.stop_requested.insert(member.id);
  state.member_down(member.id);
  std::exception_ptr failure;
  StateChange change = StateChange::changed;
  try {
    change = co_await context.docker.stop_container(member.id, member.grace);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure && to_error(failure).kind() == ErrorKind::not_found) std::rethrow_exception(failure);
  const bool ended = co_await ended_within(context.docker, context.clock, member.id, failure ? context.limits.stop_margin + Seconds(member.grace) : Milliseconds(5'000));
  if (!ended) {
    if (failure) std::rethrow_exception(failure);
    throw Error(ErrorKind::timeout, "Docker says it is stopped, but it still runs", "look at the container's processes");
  }
  const auto now = co_await look_at_container(context.docker, member.id);
  if (change == StateChange::already && !failure) {
    // It ended between our look and our request: not ours to start.
    state.journal(Type::disowned, member.id, {}, "it had ended before the stop request");
    state.owed.erase(member.id);
    throw tainted("container " + printable(member.name) + " ended by itself just before it was to be stopped");
  }
  state.journal(Type::stopped, member.id);
  state.member(member.id).stopped = true;
  if (now && now->state.exit_code == 137) {
    state.note("container " + printable(member.name) + " did not stop within " + std::to_string(member.grace) +
               "s and was killed; give it more time with the label kopi-docka.stop-timeout");
  }
  state.emit(RunEvent::Kind::member_stopped, member.name);
}

Task<> perform_start(RunState& state, StartMember step) {
  auto& context = state.context;
  const auto& member = step.member;
  if (state.owed.count(member.id) == 0) co_return;
  if (state.data_in_doubt) {
    throw Error(ErrorKind::refused, "container " + printable(member.name) + " stays down: its data could not be put back",
                "run 'kopi-docka recover' when the cause is mended");
  }
  for (const auto& provider : step.healthy_first) {
    if (state.owed.count(provider) != 0) continue;  // it could not be started; waiting for it helps nobody
    std::exception_ptr failure;
    try {
      (void)co_await wait_until_healthy(context.docker, provider, step.limit);
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) state.note(to_error(failure).text());
  }
  auto now = co_await look_at_container(context.docker, member.id);
  auto decision = decide(member, now, true);
  if (decision.action == DebtDecision::wait) {
    // Our stop request is still on its way; starting now would be undone by it.
    (void)co_await ended_within(context.docker, context.clock, member.id, context.limits.stop_margin + Seconds(member.grace));
    now = co_await look_at_container(context.docker, member.id);
    decision = decide(member, now, false);
  }
  if (decision.action == DebtDecision::disowned) {
    state.journal(Type::disowned, member.id, {}, decision.reason);
    state.member_up(member.id);
    state.abort(tainted(decision.reason), "tainted");
    co_return;
  }
  if (decision.action == DebtDecision::start) {
    state.journal(Type::starting, member.id);
    co_await start_with_retry(context.docker, context.clock, member.id, context.limits.start_retry);
  }
  state.member_up(member.id);
  state.member(member.id).started = true;
  state.emit(RunEvent::Kind::member_started, member.name);
  state.journal(Type::started, member.id);
}

Task<> perform_check_taint(RunState& state, CheckTaint step) {
  auto& context = state.context;
  const auto containers = co_await inspect_all(context.docker, co_await context.docker.list_containers(), 8);
  const auto began = state.hold_began.value_or(state.report.started_at);
  const auto ended = state.read_ended.value_or(context.clock.now());
  for (const auto& container : containers) {
    // The held ones were looked at by their own StartedAt just before they were started again.
    if (container.id == context.own_container_id || state.stop_requested.count(container.id) != 0) continue;
    const auto started = from_iso8601(container.state.started_at);
    if (started < began || started > ended) continue;
    for (const auto& source : step.sources) {
      const bool writes = std::any_of(container.mounts.begin(), container.mounts.end(), [&](const Mount& mount) {
        return mount.writable && !mount.source.empty() && (is_within(mount.source, source.path) || is_within(source.path, mount.source));
      });
      if (writes) {
        throw tainted("container " + printable(container.name) + " was started while " + printable(source.name) + " was being read");
      }
    }
  }
}

Task<> perform_await_health(RunState& state, AwaitHealth step) {
  if (state.stop_requested.count(step.member.id) == 0 || state.owed.count(step.member.id) != 0) co_return;
  auto& report = state.member(step.member.id);
  if (!report.started) co_return;
  const bool healthy = co_await wait_until_healthy(state.context.docker, step.member.id, step.limit);
  state.member(step.member.id).healthy = healthy;
  if (!healthy) {
    throw Error(ErrorKind::timeout, "container " + printable(step.member.name) + " is not healthy after " + format_duration(step.limit),
                "look at 'docker logs " + printable(step.member.name) + "'");
  }
}

}  // namespace kopidocka
