#include <algorithm>
#include <exception>
#include <map>

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

namespace {

/// A container in a crash loop restarted once more just before our stop: what it owes is a start from there.
void renew_debt(RunState& state, HeldMember member, const std::string& started_at) {
  member.started_at = started_at;
  JournalRecord record;
  record.type = Type::hold;
  record.run = state.plan.run;
  record.members = {member};
  if (auto written = state.context.journal.append(state.plan.run, std::move(record)); !written) throw written.error();
  for (auto& step : state.plan.steps) {
    auto* start = std::get_if<StartMember>(&step.action);
    if (start != nullptr && start->member.id == member.id) start->member.started_at = started_at;
  }
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
  if (now && now->state.started_at != member.started_at) renew_debt(state, member, now->state.started_at);
  state.journal(Type::stopped, member.id);
  state.member(member.id).stopped = true;
  if (now && now->state.exit_code == 137) {
    state.note("container " + printable(member.name) + " did not stop within " + std::to_string(member.grace) +
               "s and was killed; give it more time with the label kopi-docka.stop-timeout");
  }
  state.emit(RunEvent::Kind::member_stopped, member.name);
}

Task<> renew_members(RunState& state) {
  std::map<std::string, std::string> started_at;
  for (auto& step : state.plan.steps) {
    auto* stop = std::get_if<StopMember>(&step.action);
    if (stop == nullptr) continue;
    const auto now = co_await look_at_container(state.context.docker, stop->member.id);
    if (!now || !now->running() || now->state.status == "paused") {
      throw Error(ErrorKind::refused,
                  "container " + printable(stop->member.name) + " is " + (now ? now->state.status : "gone") + ", it ran when the run began",
                  "run it again when the unit is settled");
    }
    stop->member.started_at = now->state.started_at;
    started_at[stop->member.id] = now->state.started_at;
  }
  for (auto& step : state.plan.steps) {
    auto* start = std::get_if<StartMember>(&step.action);
    if (start != nullptr && started_at.count(start->member.id) != 0) start->member.started_at = started_at[start->member.id];
  }
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
    state.journal_if_possible(Type::disowned, member.id, decision.reason);
    state.member_up(member.id);
    // Restored data is in place by now; that somebody else started the container on it is worth a word, not a failure.
    if (state.swapped.empty()) {
      state.abort(tainted(decision.reason), "tainted");
    } else {
      state.degrade(Error(ErrorKind::failed, decision.reason), "tainted");
    }
    co_return;
  }
  if (decision.action == DebtDecision::start) {
    state.journal_if_possible(Type::starting, member.id);
    co_await start_with_retry(context.docker, context.clock, member.id, context.limits.start_retry);
  }
  state.member_up(member.id);
  state.member(member.id).started = true;
  state.emit(RunEvent::Kind::member_started, member.name);
  state.journal_if_possible(Type::started, member.id);
}

Task<> perform_check_taint(RunState& state, CheckTaint step) {
  auto& context = state.context;
  if (!state.hold_began) co_return;
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
