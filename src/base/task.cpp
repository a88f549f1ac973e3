#include "base/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <utility>

namespace kopidocka {
namespace asio = boost::asio;

Task<> sleep_for(Milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

struct TaskGroup::State {
  explicit State(const asio::any_io_executor& executor) : idle(executor) { idle.expires_at(asio::steady_timer::time_point::max()); }
  asio::steady_timer idle;
  size_t running = 0;
  std::exception_ptr first_error;
};

TaskGroup::TaskGroup(asio::any_io_executor executor) : executor_(std::move(executor)), state_(std::make_shared<State>(executor_)) {}

void TaskGroup::spawn(Task<> task) {
  ++state_->running;
  asio::co_spawn(executor_, std::move(task), [state = state_](const std::exception_ptr& error) {
    if (error && !state->first_error) state->first_error = error;
    if (--state->running == 0) state->idle.cancel();
  });
}

Task<> TaskGroup::join() {
  const auto state = state_;
  while (state->running > 0) {
    boost::system::error_code ignored;
    co_await state->idle.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (state->first_error) std::rethrow_exception(std::exchange(state->first_error, nullptr));
}

size_t TaskGroup::running() const { return state_->running; }

Signal::Signal(const asio::any_io_executor& executor) : timer_(executor) { timer_.expires_at(asio::steady_timer::time_point::max()); }

void Signal::notify() { timer_.cancel(); }

Task<> Signal::wait() {
  boost::system::error_code ignored;
  co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
}

Task<bool> Signal::wait_for(Milliseconds limit) {
  auto [order, notified, timed_out] =
      co_await asio::experimental::make_parallel_group(timer_.async_wait(asio::deferred),
                                                       asio::steady_timer(timer_.get_executor(), limit).async_wait(asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  co_return order[0] == 0;
}

Semaphore::Semaphore(const asio::any_io_executor& executor, size_t limit) : free_(limit), signal_(executor) {}

Task<> Semaphore::acquire() {
  while (free_ == 0) co_await signal_.wait();
  --free_;
}

void Semaphore::release() {
  ++free_;
  signal_.notify();
}

Task<> with_timeout(Task<> task, Milliseconds limit, std::string what) {
  const auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, limit);
  auto [order, error, timer_error] =
      co_await asio::experimental::make_parallel_group(asio::co_spawn(executor, std::move(task), asio::deferred),
                                                       timer.async_wait(asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (order[0] == 1) throw Error(ErrorKind::timeout, what + " took longer than " + format_duration(limit));
  if (error) std::rethrow_exception(error);
}

}  // namespace kopidocka
