#include "schedule/walk.hpp"

#include <algorithm>
#include <utility>

namespace kopidocka {
namespace {

using std::chrono::ceil;
using std::chrono::floor;
using std::chrono::hours;
using std::chrono::minutes;

constexpr LocalMinute kCorrection = 180;  ///< larger differences are corrections of the clock
constexpr LocalMinute kWokeLate = 5;      ///< up to here cronie assumes that it merely overslept

// 29 February on a given weekday comes every 28 years, and 40 across a century without a leap day.
constexpr auto kHorizon = hours(24 * 366 * 41);

}  // namespace

CronWalk::CronWalk(const Cron& cron, const Zone& zone, UtcSeconds after)
    : cron_(&cron), zone_(&zone), after_(after), horizon_(after + kHorizon) {
  // A repeated stretch suppresses fixed jobs for at most 3 hours: what began earlier has no effect any more.
  span_ = zone.at(after - hours(4));
  from_ = local(after - hours(4));
  fixed_done_ = from_ - 1;
  while (span_.end <= after) enter(zone.at(span_.end));
  from_ = std::max(from_, local(after) + 1);
}

LocalMinute CronWalk::local(UtcSeconds time) const {
  return floor<minutes>(time.time_since_epoch() + span_.offset).count();
}

LocalMinute CronWalk::last_of_span() const { return local(std::min(span_.end, horizon_) - Seconds(1)); }

void CronWalk::enter(Zone::Span span) {
  fixed_done_ = std::max(fixed_done_, last_of_span());
  span_ = std::move(span);
  const auto first_minute = ceil<minutes>(span_.begin);
  const auto first = local(first_minute);
  const auto difference = first - fixed_done_;
  from_ = first;
  if (difference > kCorrection || difference < -kCorrection) {
    fixed_done_ = first - 1;
  } else if (difference > 1) {
    const bool runs = difference <= kWokeLate || !cron_->follows_real_time;
    if (runs && first_minute > after_ && cron_->first_match(fixed_done_ + 1, first)) skipped_ = first_minute;
    fixed_done_ = first - 1;
    if (skipped_) from_ = first + 1;
  }
}

std::optional<UtcSeconds> CronWalk::next() {
  while (true) {
    if (skipped_) return std::exchange(skipped_, std::nullopt);
    const auto first = cron_->follows_real_time ? from_ : std::max(from_, fixed_done_ + 1);
    if (const auto match = cron_->first_match(first, last_of_span())) {
      from_ = *match + 1;
      return UtcSeconds(minutes(*match)) - span_.offset;
    }
    if (span_.end >= horizon_) return std::nullopt;
    enter(zone_->at(span_.end));
  }
}

}  // namespace kopidocka
