#include "run/container_steps.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "docker/wait.hpp"

namespace kopidocka {
namespace {

constexpr Milliseconds kLookPause(200);
constexpr Milliseconds kHealthSlice(500);

/// One attempt; `asked` tells and learns whether a start request went out.
Task<Decision> try_to_pay(Docker& docker, Payment& payment, bool& asked) {
  auto& member = payment.member;
  const auto now = co_await look_at_container(docker, member.id);
  if (now && now->state.started_at != member.started_at) {
    const auto again = "container " + printable(member.name) + " was started again";
    if (asked && now->running()) co_return Decision{DebtDecision::start, again};
    if (payment.start_asked) co_return Decision{DebtDecision::settled, again};
    // Our own start whose answer was lost, and it has ended since: it is still ours.
    if (asked) member.started_at = now->state.started_at;
  }
  auto decision = decide(member, now, payment.stop_on_its_way);
  if (asked && member.by_pause && decision.action == DebtDecision::settled) {
    // Our own unpause whose answer was lost: it leaves no other trace.
    decision.action = DebtDecision::start;
    co_return decision;
  }
  if (decision.action != DebtDecision::start) co_return decision;
  if (payment.before_start) std::exchange(payment.before_start, nullptr)();
  asked = true;
  if (member.by_pause) {
    (void)co_await docker.unpause_container(member.id);
  } else {
    (void)co_await docker.start_container(member.id);
  }
  co_return decision;
}

}  // namespace

Task<std::optional<Container>> look_at_container(Docker& docker, std::string id) {
  std::exception_ptr failure;
  try {
    co_return co_await docker.inspect_container(id);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) co_return std::nullopt;
    failure = std::current_exception();
  }
  std::rethrow_exception(failure);
}

bool is_passing(const Error& error) { return error.kind() == ErrorKind::unreachable || error.kind() == ErrorKind::timeout; }

Task<LastLook> ended_within(Docker& docker, const Clock& clock, HeldMember member, Milliseconds limit) {
  const auto until = clock.steady() + limit;
  while (true) {
    LastLook look;
    std::exception_ptr failure;
    try {
      look.container = co_await look_at_container(docker, member.id);
      look.ended = !look.container || is_down(member, *look.container);
    } catch (...) {
      failure = std::current_exception();
    }
    const bool over = clock.steady() >= until;
    if (failure && (over || !is_passing(to_error(failure)))) std::rethrow_exception(failure);
    if (!failure && (look.ended || over)) co_return look;
    co_await sleep_for(kLookPause);
  }
}

Task<Decision> pay_debt(Docker& docker, const Clock& clock, Payment payment) {
  const auto until = clock.steady() + payment.limit;
  Milliseconds pause(500);
  bool asked = false;
  while (true) {
    std::exception_ptr failure;
    try {
      co_return co_await try_to_pay(docker, payment, asked);
    } catch (...) {
      failure = std::current_exception();
    }
    if (clock.steady() + pause >= until) std::rethrow_exception(failure);
    co_await sleep_for(pause);
    pause = std::min(pause * 2, Milliseconds(10'000));
  }
}

Task<bool> healthy_unless_cancelled(Docker& docker, const Clock& clock, std::string id, Milliseconds limit, Cancel cancel) {
  const auto until = clock.steady() + limit;
  while (!cancel.requested()) {
    const auto left = std::chrono::ceil<Milliseconds>(until - clock.steady());
    std::exception_ptr failure;
    try {
      if (co_await wait_until_healthy(docker, id, std::clamp(left, Milliseconds(0), kHealthSlice))) co_return true;
    } catch (...) {
      failure = std::current_exception();
    }
    const bool over = clock.steady() >= until;
    if (failure && (over || !is_passing(to_error(failure)))) std::rethrow_exception(failure);
    if (over) co_return false;
  }
  co_return false;
}

}  // namespace kopidocka
