#include "docker/wait.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/fake_docker.hpp"
#include "support/run_task.hpp"

namespace kopidocka {
namespace {
using namespace testing;
using ::testing::HasSubstr;

class WaitTest : public ::testing::Test {
 protected:
  template <class T>
  ErrorKind kind_of(Task<T> task) {
    try {
      run_task(io_, std::move(task));
    } catch (const Error& error) {
      text_ = error.text();
      return error.kind();
    }
    return ErrorKind::internal;
  }

  boost::asio::io_context io_;
  FakeDocker docker_;
  std::string text_;
};

Container with_healthcheck() {
  Container container;
  container.name = "db";
  container.has_healthcheck = true;
  container.state.status = "exited";
  return container;
}

TEST_F(WaitTest, RunningWithoutAHealthCheckIsHealthy) {
  const auto id = docker_.add_running("web");
  EXPECT_TRUE(run_task(io_, wait_until_healthy(docker_, id, Milliseconds(0))));
}

TEST_F(WaitTest, WaitsUntilTheHealthCheckHasPassed) {
  const auto id = docker_.add(with_healthcheck());
  docker_.trouble("db").healthy_after = Milliseconds(300);
  run_task(io_, docker_.start_container(id));
  EXPECT_TRUE(run_task(io_, wait_until_healthy(docker_, id, Milliseconds(20'000))));
}

TEST_F(WaitTest, AnUnhealthyContainerIsGivenTheWholeTime) {
  const auto id = docker_.add(with_healthcheck());
  docker_.trouble("db").never_healthy = true;
  run_task(io_, docker_.start_container(id));
  docker_.container("db").state.health = "unhealthy";
  EXPECT_FALSE(run_task(io_, wait_until_healthy(docker_, id, Milliseconds(300))));
}

TEST_F(WaitTest, AContainerThatEndsIsAFailureWithItsExitCode) {
  const auto id = docker_.add(with_healthcheck());
  docker_.trouble("db").exits_after_start = 3;
  run_task(io_, docker_.start_container(id));
  EXPECT_EQ(kind_of(wait_until_healthy(docker_, id, Milliseconds(20'000))), ErrorKind::failed);
  EXPECT_THAT(text_, HasSubstr("container db has ended with exit code 3"));
}

TEST_F(WaitTest, AStopThatTimedOutIsSeenWhenItHappens) {
  const auto id = docker_.add_running("db");
  docker_.trouble("db").stops_later = Milliseconds(300);
  EXPECT_EQ(kind_of(docker_.stop_container(id, 1)), ErrorKind::timeout);
  EXPECT_TRUE(docker_.running("db"));
  EXPECT_EQ(run_task(io_, wait_until_stopped(docker_, id, Milliseconds(20'000))).state.status, "exited");
}

TEST_F(WaitTest, AContainerThatNeverStopsIsATimeout) {
  const auto id = docker_.add_running("db");
  EXPECT_EQ(kind_of(wait_until_stopped(docker_, id, Milliseconds(10))), ErrorKind::timeout);
}

TEST_F(WaitTest, APausedOrRestartingContainerIsNotStopped) {
  for (const auto* status : {"paused", "restarting"}) {
    const auto id = docker_.add_running(status);
    docker_.container(status).state.status = status;
    EXPECT_EQ(kind_of(wait_until_stopped(docker_, id, Milliseconds(10))), ErrorKind::timeout);
  }
}

TEST_F(WaitTest, AnEngineThatIsAwayForAMomentIsAskedAgain) {
  const auto id = docker_.add_running("db");
  docker_.trouble("db").inspect_failures = 2;
  docker_.trouble("db").failure = ErrorKind::unreachable;
  EXPECT_TRUE(run_task(io_, wait_until_healthy(docker_, id, Milliseconds(20'000))));
}

TEST_F(WaitTest, AnEngineThatStaysAwayIsTheErrorInTheEnd) {
  const auto id = docker_.add_running("db");
  docker_.away = ErrorKind::unreachable;
  EXPECT_EQ(kind_of(wait_until_stopped(docker_, id, Milliseconds(10))), ErrorKind::unreachable);
}

TEST_F(WaitTest, AContainerThatIsGoneIsSaidAtOnce) {
  EXPECT_EQ(kind_of(wait_until_stopped(docker_, "nobody", Milliseconds(60'000))), ErrorKind::not_found);
}

}  // namespace
}  // namespace kopidocka
