#include "run/downtime_limit.hpp"

namespace kopidocka {
namespace {

/// So long as nobody was asked to stop, the limit does not run; the first stop wakes the watch before that.
constexpr Milliseconds kIdle{3'600'000};

}  // namespace

Task<> DowntimeLimit::watch() {
  const auto limit = state_.plan.max_downtime;
  if (!limit) co_return;
  while (!ended_) {
    const auto left = state_.within_limit(kIdle);
    if (left <= Milliseconds(0)) break;
    (void)co_await state_.hold_changed.wait_for(left);
  }
  if (ended_ || state_.owed.empty()) co_return;
  state_.abort(Error(ErrorKind::timeout, "containers were down for longer than the " + format_duration(*limit) + " of max-downtime",
                     "everything is started now; give it more time with the label kopi-docka.max-downtime"),
               "max-downtime");
}

void DowntimeLimit::hold_ended() {
  ended_ = true;
  state_.hold_changed.notify();
}

}  // namespace kopidocka
