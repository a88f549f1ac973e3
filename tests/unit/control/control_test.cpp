#include <filesystem>
#include <fstream>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include "control/client.hpp"
#include "control/server.hpp"

namespace kopidocka {
namespace {

namespace asio = boost::asio;
using nlohmann::json;
using testing::HasSubstr;
using Socket = asio::local::stream_protocol::socket;

/// A daemon in miniature: "echo" answers its arguments, "wait" works until it is cancelled or released.
class Target : public ControlTarget {
 public:
  explicit Target(asio::any_io_executor executor) : signal_(std::move(executor)) {}

  Task<ControlReply> handle(ControlRequest request, ProgressSink progress, Cancel cancel) override {
    ++started;
    if (request.verb == "echo") co_return ControlReply(request.args, ExitCode::partial);
    if (request.verb == "refuse")
      throw Error(ErrorKind::refused, "the unit is invalid", "see list").in("unit shop");
    if (request.verb == "chatter") {
      for (int i = 0; i < 100'000; ++i) progress(json({{"n", i}}).dump());
      co_return ControlReply();
    }
    if (request.verb == "big") co_return ControlReply(json(std::string(3'000'000, 'x')).dump(), ExitCode::ok);
    if (request.verb == "broken") co_return ControlReply("{not json", ExitCode::ok);
    progress(R"({"phase":"hold"})");
    while (!released && !cancel.requested()) co_await signal_.wait_for(Milliseconds(2));
    cancelled = cancel.grade();
    ++finished;
    co_return ControlReply(R"("done")", cancel.requested() ? ExitCode::interrupted : ExitCode::ok);
  }

  int started = 0, finished = 0;
  bool released = false;
  CancelGrade cancelled = CancelGrade::none;

 private:
  Signal signal_;
};

class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    char name[] = "/tmp/control-test.XXXXXX";
    folder_ = ::mkdtemp(name);
    path_ = folder_ / "state" / "control.sock";
  }
  ~ControlTest() override { std::filesystem::remove_all(folder_); }

  using Scenario = Task<> (*)(ControlTest&);

  /// Runs the server and `scenario` beside each other; the server is stopped when the scenario has ended.
  void with_server(Scenario scenario) {
    ControlServer server(io_.get_executor(), target_, path_, limits_);
    server.open();
    server_ = &server;
    std::exception_ptr server_error, error;
    asio::co_spawn(io_, server.serve(), [&](std::exception_ptr e) { server_error = e; });
    asio::co_spawn(io_, scenario(*this), [&](std::exception_ptr e) {
      error = e;
      server.stop();
    });
    io_.run();
    io_.restart();
    server_ = nullptr;
    if (server_error) std::rethrow_exception(server_error);
    if (error) std::rethrow_exception(error);
  }

 public:
  Task<ControlReply> call(std::string verb, std::string args = "{}") {
    ControlClient client(io_.get_executor(), path_);
    co_return co_await client.call(ControlRequest(std::move(verb), std::move(args)));
  }
  /// Sends raw bytes and returns all the server says until it closes.
  Task<std::string> raw(std::string bytes) {
    Socket socket(io_);
    co_await socket.async_connect(path_.string(), asio::use_awaitable);
    boost::system::error_code code;
    co_await asio::async_write(socket, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, code));
    std::string answer;
    co_await asio::async_read(socket, asio::dynamic_buffer(answer),
                              asio::redirect_error(asio::use_awaitable, code));
    co_return answer;
  }

  asio::io_context io_;
  Target target_{io_.get_executor()};
  ControlLimits limits_;
  ControlServer* server_ = nullptr;
  std::filesystem::path folder_, path_;
};

Task<Error> error_of(Task<ControlReply> task) {
  try {
    co_await std::move(task);
  } catch (const Error& error) {
    co_return error;
  }
  co_return Error(ErrorKind::internal, "no error came");
}

Task<> until(const std::function<bool()>& holds) {
  while (!holds()) co_await sleep_for(Milliseconds(1));
}

Task<> echo(ControlTest& test) {
  const auto reply = co_await test.call("echo", R"({"units":["shop"],"n":1})");
  EXPECT_EQ(json::parse(reply.result), json::parse(R"({"units":["shop"],"n":1})"));
  EXPECT_EQ(reply.exit_code, ExitCode::partial);
  const auto big = co_await test.call("big");
  EXPECT_EQ(big.result.size(), 3'000'002u);
}

Task<> errors(ControlTest& test) {
  const auto refused = co_await error_of(test.call("refuse"));
  EXPECT_EQ(refused.kind(), ErrorKind::refused);
  EXPECT_EQ(refused.text(), "unit shop: the unit is invalid");
  EXPECT_EQ(refused.next_step(), "see list");
  EXPECT_EQ((co_await error_of(test.call("broken"))).kind(), ErrorKind::internal);
}

Task<> bad_requests(ControlTest& test) {
  for (const auto* line : {"hello\n", "{}\n", "[]\n",
                           R"({"v":1})"
                           "\n",
                           R"({"v":1,"verb":"echo","args":[]})"
                           "\n",
                           R"({"v":1,"verb":"echo","more":1})"
                           "\n",
                           "\xff\xfe\n", "\n"}) {
    EXPECT_THAT(co_await test.raw(line), HasSubstr("\"error\"")) << line;
  }
  EXPECT_THAT(co_await test.raw("{\"v\":2,\"verb\":\"echo\"}\n"), HasSubstr("different versions"));
  EXPECT_THAT(co_await test.raw(std::string(2u << 20, 'x')), HasSubstr("longer than 1048576 bytes"));
  EXPECT_EQ(test.target_.started, 0);
  EXPECT_EQ((co_await test.call("echo")).exit_code, ExitCode::partial);
}

Task<> silent_client(ControlTest& test) {
  EXPECT_THAT(co_await test.raw(R"({"v":1,)"), HasSubstr("timeout"));
}

Task<> vanish(ControlTest& test) {
  {
    Socket socket(test.io_);
    co_await socket.async_connect(test.path_.string(), asio::use_awaitable);
    co_await asio::async_write(socket, asio::buffer(encode_request(ControlRequest("wait"))),
                               asio::use_awaitable);
    co_await until([&] { return test.target_.started == 1; });
  }
  co_await sleep_for(Milliseconds(20));
  EXPECT_EQ(test.target_.finished, 0);
  test.target_.released = true;
  co_await until([&] { return test.target_.finished == 1; });
  EXPECT_EQ(test.target_.cancelled, CancelGrade::none);
}

Task<> cancel_line(ControlTest& test) {
  ControlClient client(test.io_.get_executor(), test.path_);
  std::string progress;
  const auto reply = co_await client.call(ControlRequest("wait"), [&](const std::string& json) {
    progress = json;
    client.cancel(CancelGrade::abort_step);
  });
  EXPECT_EQ(progress, R"({"phase":"hold"})");
  EXPECT_EQ(reply.exit_code, ExitCode::interrupted);
  EXPECT_EQ(test.target_.cancelled, CancelGrade::abort_step);
}

Task<> early_cancel(ControlTest& test) {
  ControlClient client(test.io_.get_executor(), test.path_);
  client.cancel(CancelGrade::finish_step);
  const auto reply = co_await client.call(ControlRequest("wait"));
  EXPECT_EQ(reply.exit_code, ExitCode::interrupted);
}

Task<> deaf_client(ControlTest& test) {
  Socket socket(test.io_);
  co_await socket.async_connect(test.path_.string(), asio::use_awaitable);
  co_await asio::async_write(socket, asio::buffer(encode_request(ControlRequest("chatter"))),
                             asio::use_awaitable);
  co_await until([&] { return test.target_.started == 1; });
  Socket second(test.io_);
  co_await second.async_connect(test.path_.string(), asio::use_awaitable);
  co_await asio::async_write(second, asio::buffer(encode_request(ControlRequest("big"))),
                             asio::use_awaitable);
  EXPECT_EQ((co_await test.call("echo")).exit_code, ExitCode::partial);
}

Task<> crowd(ControlTest& test) {
  std::vector<Socket> sockets;
  for (size_t i = 0; i < test.limits_.connections; ++i) {
    sockets.emplace_back(test.io_);
    co_await sockets.back().async_connect(test.path_.string(), asio::use_awaitable);
    co_await asio::async_write(sockets.back(), asio::buffer(encode_request(ControlRequest("wait"))),
                               asio::use_awaitable);
  }
  co_await until([&] { return test.target_.started == static_cast<int>(test.limits_.connections); });
  EXPECT_EQ((co_await error_of(test.call("echo"))).kind(), ErrorKind::busy);
  test.target_.released = true;
  co_await until([&] { return test.target_.finished == static_cast<int>(test.limits_.connections); });
  sockets.clear();
  bool served = false;
  while (!served) {
    try {
      served = (co_await test.call("echo")).exit_code == ExitCode::partial;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::busy) throw;
    }
  }
}

Task<> stop_while_working(ControlTest& test) {
  TaskGroup group(test.io_.get_executor());
  auto stop_later = [](ControlTest& t) -> Task<> {
    co_await until([&] { return t.target_.started == 1; });
    t.server_->stop();
  };
  group.spawn(stop_later(test));
  const auto reply = co_await test.call("wait");
  EXPECT_EQ(reply.exit_code, ExitCode::interrupted);
  EXPECT_EQ(test.target_.cancelled, CancelGrade::finish_step);
  EXPECT_FALSE(std::filesystem::exists(test.path_));
  co_await group.join();
}

Task<> nothing(ControlTest&) { co_return; }

/// The kernel takes the connection and the request of a daemon that hangs: nobody reads them.
Task<> hung_daemon(ControlTest& test) {
  std::filesystem::create_directory(test.path_.parent_path());
  asio::local::stream_protocol::acceptor hung(test.io_, test.path_.string());
  ControlClient client(test.io_.get_executor(), test.path_);
  const std::function<void(const std::string&)> no_progress;
  const auto error = co_await error_of(client.call(ControlRequest("echo"), no_progress, Milliseconds(20)));
  EXPECT_EQ(error.kind(), ErrorKind::unreachable);
  EXPECT_THAT(error.text(), HasSubstr("does not answer"));
}

/// Taken at once, worked on for longer than the client's patience.
Task<> long_work(ControlTest& test) {
  TaskGroup group(test.io_.get_executor());
  auto release_later = [](ControlTest& t) -> Task<> {
    co_await until([&] { return t.target_.started == 1; });
    co_await sleep_for(Milliseconds(300));
    t.target_.released = true;
  };
  group.spawn(release_later(test));
  ControlClient client(test.io_.get_executor(), test.path_);
  const std::function<void(const std::string&)> no_progress;
  const auto reply = co_await client.call(ControlRequest("wait"), no_progress, Milliseconds(200));
  EXPECT_EQ(reply.exit_code, ExitCode::ok);
  co_await group.join();
}

Task<> second_daemon(ControlTest& test) {
  ControlServer second(test.io_.get_executor(), test.target_, test.path_);
  try {
    second.open();
    ADD_FAILURE() << "two daemons on one socket";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::busy);
  }
  EXPECT_EQ((co_await test.call("echo")).exit_code, ExitCode::partial);
}

}  // namespace

TEST_F(ControlTest, ARequestGetsItsResultAndExitCode) { with_server(echo); }
TEST_F(ControlTest, AnErrorOfTheDaemonArrivesAsItIs) { with_server(errors); }
TEST_F(ControlTest, WhatIsNotARequestIsRefusedAndTheServerGoesOn) { with_server(bad_requests); }
TEST_F(ControlTest, AClientThatNeverEndsItsRequestIsLetGo) {
  limits_.request_deadline = Milliseconds(20);
  with_server(silent_client);
}
TEST_F(ControlTest, AClientThatGoesAwayDoesNotCancelTheWork) { with_server(vanish); }
TEST_F(ControlTest, ACancelLineCancelsTheWorkAndTheAnswerStillComes) { with_server(cancel_line); }
TEST_F(ControlTest, ACancelBeforeTheRequestIsNotLost) { with_server(early_cancel); }
TEST_F(ControlTest, AClientThatDoesNotReadHoldsUpNobody) {
  limits_.write_deadline = Milliseconds(200);
  with_server(deaf_client);
}
TEST_F(ControlTest, MoreClientsThanTheLimitAreToldSo) { with_server(crowd); }
TEST_F(ControlTest, StopLetsRunningRequestsFinishTheirStepAndRemovesTheSocket) {
  with_server(stop_while_working);
}
TEST_F(ControlTest, ALiveDaemonKeepsItsSocket) { with_server(second_daemon); }

TEST_F(ControlTest, TheSocketIsOursAlone) {
  ControlServer server(io_.get_executor(), target_, path_);
  server.open();
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(path_.parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(ControlTest, ASocketLeftByADeadDaemonIsReplaced) {
  std::filesystem::create_directory(path_.parent_path());
  { asio::local::stream_protocol::acceptor dead(io_, path_.string()); }
  ASSERT_TRUE(std::filesystem::exists(path_));
  with_server(echo);
}

TEST_F(ControlTest, AFileOrALongPathInTheWayIsRefused) {
  std::filesystem::create_directory(path_.parent_path());
  std::ofstream(path_) << "keep me";
  EXPECT_THROW(ControlServer(io_.get_executor(), target_, path_).open(), Error);
  EXPECT_EQ(std::filesystem::file_size(path_), 7u);
  EXPECT_THROW(ControlServer(io_.get_executor(), target_, folder_ / std::string(120, 'x')).open(), Error);
}

TEST_F(ControlTest, WithoutADaemonTheClientAsksWhetherItRuns) {
  Error error(ErrorKind::internal, "");
  asio::co_spawn(io_, error_of(call("echo")), [&](std::exception_ptr, Error e) { error = e; });
  io_.run();
  EXPECT_EQ(error.kind(), ErrorKind::unreachable);
  EXPECT_THAT(error.next_step(), HasSubstr("is the daemon running?"));
}

TEST_F(ControlTest, ADaemonThatHangsIsUnreachable) {
  std::exception_ptr error;
  asio::co_spawn(io_, hung_daemon(*this), [&](std::exception_ptr e) { error = e; });
  io_.run();
  if (error) std::rethrow_exception(error);
}

TEST_F(ControlTest, WorkThatTakesLongIsNoHang) { with_server(long_work); }

TEST_F(ControlTest, AServerNobodyCallsStops) { with_server(nothing); }

}  // namespace kopidocka
