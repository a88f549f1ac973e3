#include "run/downtime_limit.hpp"

namespace kopidocka {
namespace {

/// So long as nobody was asked to stop, the limit does not run; the first stop wakes the watch before that.
constexpr Milliseconds kIdle{3'600'000};

}  // namespace

Task<> DowntimeLimit::watch() {
  const auto limit = state_.plan.max_downtime;
  if (!limit) co_return;
  while (!ended_ && !state_.over_limit()) {
    const auto left = state_.within_limit(kIdle);
    // It passed while everything was up: only another stop would count.
    (void)co_await state_.hold_changed.wait_for(left > Milliseconds(0) ? left : kIdle);
  }
  // Also when the last start and the end of the time came together: the report would show more than was allowed.
  if (!state_.over_limit()) co_return;
  state_.abort(Error(ErrorKind::timeout, "containers were down for longer than the " + format_duration(*limit) + " of max-downtime",
                     "everything is started now; give it more time with the label kopi-docka.max-downtime"),
               "max-downtime");
}

void DowntimeLimit::hold_ended() {
  ended_ = true;
  state_.hold_changed.notify();
}

}  // namespace kopidocka
