#include "base/task.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <gtest/gtest.h>

namespace kopidocka {
namespace {

void run(Task<> task) {
  boost::asio::io_context io;
  std::exception_ptr error;
  boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr e) { error = e; });
  io.run();
  if (error) std::rethrow_exception(error);
}

Task<> count_after(int& counter, Milliseconds delay) {
  co_await sleep_for(delay);
  ++counter;
}

Task<> fail_after(Milliseconds delay) {
  co_await sleep_for(delay);
  throw Error(ErrorKind::failed, "as asked");
}

Task<> group_of_three(int& counter) {
  TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(count_after(counter, Milliseconds(5)));
  group.spawn(fail_after(Milliseconds(1)));
  group.spawn(count_after(counter, Milliseconds(10)));
  co_await group.join();
}

Task<> guarded(Semaphore& semaphore, int& inside, int& most) {
  co_await semaphore.acquire();
  most = std::max(most, ++inside);
  co_await sleep_for(Milliseconds(2));
  --inside;
  semaphore.release();
}

Task<> six_guarded(int& most) {
  const auto executor = co_await boost::asio::this_coro::executor;
  Semaphore semaphore(executor, 2);
  TaskGroup group(executor);
  int inside = 0;
  for (int i = 0; i < 6; ++i) group.spawn(guarded(semaphore, inside, most));
  co_await group.join();
}

Task<> wait_twice(bool& first, bool& second) {
  Signal signal(co_await boost::asio::this_coro::executor);
  first = co_await signal.wait_for(Milliseconds(2));
  TaskGroup group(co_await boost::asio::this_coro::executor);
  second = false;
  auto notify = [](Signal& target) -> Task<> {
    co_await sleep_for(Milliseconds(2));
    target.notify();
  };
  group.spawn(notify(signal));
  second = co_await signal.wait_for(Milliseconds(5000));
  co_await group.join();
}

}  // namespace

TEST(TaskGroup, JoinWaitsForAllAndThenThrowsTheFirstError) {
  int counter = 0;
  EXPECT_THROW(run(group_of_three(counter)), Error);
  EXPECT_EQ(counter, 2);
}

TEST(Semaphore, LetsNoMoreInThanItsLimit) {
  int most = 0;
  run(six_guarded(most));
  EXPECT_EQ(most, 2);
}

TEST(Signal, WaitForTellsNotifiedFromTimedOut) {
  bool first = true, second = false;
  run(wait_twice(first, second));
  EXPECT_FALSE(first);
  EXPECT_TRUE(second);
}

TEST(WithTimeout, EndsWhatTakesTooLongAndPassesErrorsOn) {
  int counter = 0;
  try {
    run(with_timeout(count_after(counter, Milliseconds(60'000)), Milliseconds(5), "waiting"));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::timeout);
  }
  run(with_timeout(count_after(counter, Milliseconds(1)), Milliseconds(5000), "waiting"));
  EXPECT_EQ(counter, 1);
  EXPECT_THROW(run(with_timeout(fail_after(Milliseconds(1)), Milliseconds(5000), "waiting")), Error);
}

}  // namespace kopidocka
