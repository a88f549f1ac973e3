#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "docker/docker.hpp"
#include "journal/recovery.hpp"

namespace kopidocka {

/// The container as the engine has it now; nothing when it is gone. Other errors are thrown.
Task<std::optional<Container>> look_at_container(Docker& docker, std::string id);

/// Whether an engine that threw this may be asked again in a moment.
bool is_passing(const Error& error);

struct LastLook {
  bool ended = false;  ///< or is frozen, when that was asked for
  std::optional<Container> container;  ///< as it was then; nothing when it is gone
};

/// Looks until the member is down (is_down, or it is gone), at most `limit`, at least once. Docker goes on stopping after a
/// lost answer. An engine that is away for a moment is asked again until `limit` is over; then its error is thrown.
Task<LastLook> ended_within(Docker& docker, const Clock& clock, HeldMember member, Milliseconds limit);

/// One debt to pay.
struct Payment {
  HeldMember member;
  bool stop_on_its_way = false;  ///< our own stop request may still end it
  bool start_asked = false;      ///< somebody of us asked for its start before: a newer StartedAt is no stranger's
  Milliseconds limit{60'000};    ///< how long it is tried again
  std::function<void()> before_start;  ///< called once, before the first start request
};

/// Looks at the container, decides, and starts (unpauses) it when it is ours to start; the whole of it again while the engine fails,
/// at most `limit`, then the last error is thrown. Returns what was decided and is done; `wait` means that it still runs
/// although our stop request may yet end it: nothing was done.
Task<Decision> pay_debt(Docker& docker, const Clock& clock, Payment payment);

/// As wait_until_healthy, but gives up within a moment (false) once an end is requested.
Task<bool> healthy_unless_cancelled(Docker& docker, const Clock& clock, std::string id, Milliseconds limit, Cancel cancel);

}  // namespace kopidocka
