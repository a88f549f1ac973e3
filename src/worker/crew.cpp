#include "worker/crew.hpp"

#include <system_error>
#include <thread>
#include <utility>

namespace kopidocka {

void Crew::add(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void Crew::work(unsigned threads) {
  std::vector<std::jthread> others;
  try {
    while (others.size() + 1 < threads) others.emplace_back([this] { take_part(); });
  } catch (const std::system_error&) {
    // A container may be allowed no more threads: those that are there do it all.
  }
  take_part();
  others.clear();
  if (failure_) std::rethrow_exception(failure_);
}

void Crew::take_part() {
  for (Job job; next(job); job = nullptr) carry_out(job);
}

bool Crew::next(Job& job) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !jobs_.empty() || busy_ == 0 || failure_; });
  if (jobs_.empty() || failure_) return false;
  job = std::move(jobs_.back());
  jobs_.pop_back();
  ++busy_;
  return true;
}

void Crew::carry_out(Job& job) {
  std::exception_ptr failed;
  try {
    job();
  } catch (...) {
    failed = std::current_exception();
  }
  const std::lock_guard lock(mutex_);
  if (failed && !failure_) failure_ = failed;
  if (--busy_ == 0 || failure_) changed_.notify_all();
}

}  // namespace kopidocka
