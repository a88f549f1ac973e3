#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <exception>
#include <memory>
#include <string>

#include "base/duration.hpp"

namespace kopidocka {

/// A coroutine of the one io_context. Tasks are named functions with by-value parameters (or parameters that outlive
/// them); lambda coroutines with captures are not used: g++ 12 frees the captures too early.
template <class T = void>
using Task = boost::asio::awaitable<T>;

Task<> sleep_for(Milliseconds duration);

/// Children that run beside their parent. Every spawned task is awaited by join(), which rethrows the first error after
/// all have ended: nothing is ever left running behind its owner, and nothing is detached.
class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  void spawn(Task<> task);
  Task<> join();
  size_t running() const;

 private:
  struct State;
  boost::asio::any_io_executor executor_;
  std::shared_ptr<State> state_;
};

/// A one-shot or repeated wake-up between coroutines of the same thread.
class Signal {
 public:
  explicit Signal(const boost::asio::any_io_executor& executor);
  void notify();
  /// Returns at the next notify() after this call began.
  Task<> wait();
  /// Same, but at most `limit`; true when notified.
  Task<bool> wait_for(Milliseconds limit);

 private:
  boost::asio::steady_timer timer_;
};

/// At most `limit` coroutines inside at once.
class Semaphore {
 public:
  Semaphore(const boost::asio::any_io_executor& executor, size_t limit);
  Task<> acquire();
  void release();

 private:
  size_t free_;
  Signal signal_;
};

/// Runs `task`; when it takes longer than `limit` it is cancelled and ErrorKind::timeout with `what` is thrown.
/// The task must react to asio's cancellation (all asio and Beast operations do).
Task<> with_timeout(Task<> task, Milliseconds limit, std::string what);

}  // namespace kopidocka
