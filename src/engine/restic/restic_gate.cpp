#include "engine/restic/restic_gate.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>

#include "base/error.hpp"

namespace kopidocka {
namespace {

/// From the last preparations to the first byte; a unit that takes longer to stop meets a short wait at most.
constexpr std::chrono::seconds kExpectedWithin{30};
constexpr Milliseconds kLookForCancel{500};

}  // namespace

void ResticGate::announce(const std::vector<std::string>& paths) {
  for (const auto& path : paths) announced_[path] = Clock::now() + kExpectedWithin;
  if (give_way_) give_way_();
}

void ResticGate::retract(const std::vector<std::string>& paths) {
  for (const auto& path : paths) announced_.erase(path);
}

bool ResticGate::expects_backups() {
  std::erase_if(announced_, [now = Clock::now()](const auto& entry) { return entry.second < now; });
  return !announced_.empty();
}

Task<bool> ResticGate::wait(Clock::time_point until, Cancel cancel) {
  if (cancel.grade() == CancelGrade::abort_step) throw Error(ErrorKind::cancelled, "wait for the repository: asked to stop");
  const auto left = std::chrono::duration_cast<Milliseconds>(until - Clock::now());
  if (left.count() <= 0) co_return false;
  if (!left_) left_ = std::make_unique<Signal>(co_await boost::asio::this_coro::executor);
  (void)co_await left_->wait_for(std::min(left, kLookForCancel));
  co_return true;
}

Task<std::unique_ptr<ResticGate::Pass>> ResticGate::enter(std::string path, Milliseconds limit, Cancel cancel) {
  const auto until = Clock::now() + limit;
  while (alone_) {
    if (!co_await wait(until, cancel)) {
      throw Error(ErrorKind::busy, "the repository is being cleaned up and cannot be used within " + format_duration(limit),
                  "try again later");
    }
  }
  announced_.erase(path);
  ++inside_;
  co_return std::make_unique<Pass>(*this, false);
}

Task<std::unique_ptr<ResticGate::Pass>> ResticGate::enter_alone(Milliseconds limit, Cancel cancel) {
  const auto until = Clock::now() + limit;
  while (alone_ || inside_ > 0 || (limit.count() > 0 && expects_backups())) {
    if (!co_await wait(until, cancel)) co_return nullptr;
  }
  alone_ = true;
  co_return std::make_unique<Pass>(*this, true);
}

void ResticGate::leave(bool alone) {
  if (alone) {
    alone_ = false;
  } else {
    --inside_;
  }
  if (left_) left_->notify();
}

}  // namespace kopidocka
