#include "docker/event_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/run_task.hpp"
#include "unit/docker/stub_engine.hpp"

namespace kopidocka {
namespace {
using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string chunk(const std::string& text) {
  char size[20];
  std::snprintf(size, sizeof size, "%zx\r\n", text.size());
  return size + text + "\r\n";
}

std::string event_json(const std::string& id, std::int64_t nano, const std::string& action = "start") {
  return R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + id + R"("},"timeNano":)" +
         std::to_string(nano) + "}\n";
}

const std::string kEventsHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string kDate = "Date: Tue, 14 Nov 2023 22:13:20 GMT\r\n";  // 1700000000

/// An engine whose n-th /events connection says `connections[n]`; the last one stays open, those before are
/// cut.
class EventStreamTest : public ::testing::Test {
 protected:
  void script(std::vector<std::string> connections) {
    script_ = std::move(connections);
    stub_ = std::make_unique<StubEngine>(io_, [this](const std::string& target) { return answer(target); });
    DockerSettings settings;
    settings.endpoint = stub_->endpoint();
    settings.request_limit = Milliseconds(5000);
    client_ = std::make_unique<EngineClient>(io_.get_executor(), settings);
    EventSettings events;
    events.first_pause = Milliseconds(1);
    events.longest_pause = Milliseconds(5);
    events.line_limit = 1u << 20;
    EventCallbacks callbacks;
    callbacks.on_event = [this](const DockerEvent& event) {
      seen_.push_back(event.action + " " + event.actor_id);
      if (seen_.size() == stop_after_) stream_->stop();
    };
    callbacks.on_connected = [this] {
      ++connected_;
      if (connected_ == stop_after_connections_) stream_->stop();
    };
    callbacks.on_disconnected = [this](const Error& error) {
      errors_.push_back(error);
      if (errors_.size() == stop_after_errors_) stream_->stop();
    };
    stream_ = std::make_unique<EventStream>(io_.get_executor(), *client_, events, callbacks);
  }

  StubAnswer answer(const std::string& target) {
    if (target.find("/_ping") != std::string::npos)
      return http_answer(200, "text/plain", "OK", "Api-Version: 1.41\r\n" + kDate);
    if (target.find("/events") == std::string::npos) return json_answer(404, "{}");
    const auto at = std::min(next_++, script_.size() - 1);
    StubAnswer reply{script_[at]};
    reply.hold = at + 1 == script_.size();
    return reply;
  }

  boost::asio::io_context io_;
  std::vector<std::string> script_;
  size_t next_ = 0;
  std::unique_ptr<StubEngine> stub_;
  std::unique_ptr<EngineClient> client_;
  std::unique_ptr<EventStream> stream_;
  std::vector<std::string> seen_;
  std::vector<Error> errors_;
  size_t connected_ = 0;
  size_t stop_after_ = 0;
  size_t stop_after_connections_ = 0;
  size_t stop_after_errors_ = 0;
};

TEST_F(EventStreamTest, DeliversEventsAndAsksOnlyForTheOnesItWants) {
  script({kEventsHead + chunk(event_json("a", 1) + event_json("b", 2))});
  stop_after_ = 2;
  run_task(io_, stream_->run(Cancel()));
  EXPECT_THAT(seen_, ElementsAre("start a", "start b"));
  const auto& request = stub_->requests().back();
  EXPECT_THAT(request, HasSubstr("since=1700000000.000000000"));
  EXPECT_THAT(request, HasSubstr("health_status"));
  EXPECT_THAT(request, ::testing::Not(HasSubstr("exec")));
}

TEST_F(EventStreamTest, GoesOnAfterACutWithoutRepeatingAnything) {
  const std::int64_t base = 1700000000'000000000;
  script({kEventsHead + chunk(event_json("a", base + 1) + event_json("b", base + 2)),
          kEventsHead +
              chunk(event_json("a", base + 1) + event_json("b", base + 2) + event_json("c", base + 3))});
  stop_after_ = 3;
  run_task(io_, stream_->run(Cancel()));
  EXPECT_THAT(seen_, ElementsAre("start a", "start b", "start c"));
  EXPECT_EQ(connected_, 2u);
  EXPECT_EQ(stream_->counters().reconnects, 1u);
  EXPECT_EQ(stream_->counters().duplicates, 2u);
  EXPECT_EQ(stream_->counters().by_action.at("start"), 3u);
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_EQ(errors_[0].kind(), ErrorKind::unreachable);
}

TEST_F(EventStreamTest, SkipsRecordsItCannotReadAndCountsStrangeActionsTogether) {
  script({kEventsHead + chunk("garbage\n" + event_json("x", 1, "invented") + "\x1e" + event_json("a", 2))});
  stop_after_ = 2;
  run_task(io_, stream_->run(Cancel()));
  EXPECT_EQ(stream_->counters().unreadable, 1u);
  EXPECT_EQ(stream_->counters().by_action.at("other"), 1u);
  EXPECT_EQ(stream_->counters().by_action.count("invented"), 0u);
}

TEST_F(EventStreamTest, DropsAConnectionWhoseEventNeverEndsAndStartsAnew) {
  script({kEventsHead + chunk(event_json("a", 5)) + chunk(std::string((1u << 20) + 1, 'x')),
          kEventsHead + chunk(event_json("b", 6))});
  stop_after_ = 2;
  run_task(io_, stream_->run(Cancel()));
  EXPECT_THAT(seen_, ElementsAre("start a", "start b"));
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_EQ(errors_[0].kind(), ErrorKind::failed);
  EXPECT_EQ(stub_->count("/_ping"), 3u)
      << "asks the engine's time again instead of replaying the same event for ever";
}

TEST_F(EventStreamTest, CountsAttemptsThatFindNobody) {
  script({""});
  stub_.reset();
  stop_after_errors_ = 4;
  run_task(io_, stream_->run(Cancel()));
  EXPECT_EQ(stream_->counters().connect_failures_in_row, 4u);
  EXPECT_EQ(errors_.back().kind(), ErrorKind::unreachable);
  EXPECT_EQ(connected_, 0u);
}

TEST_F(EventStreamTest, KeepsTryingWhenAProxyDeniesEvents) {
  script({http_answer(403, "text/html", "<html>Forbidden</html>").bytes,
          kEventsHead + chunk(event_json("a", 1))});
  stop_after_ = 1;
  run_task(io_, stream_->run(Cancel()));
  ASSERT_EQ(errors_.size(), 1u);
  EXPECT_EQ(errors_[0].kind(), ErrorKind::denied);
  EXPECT_THAT(errors_[0].text(), HasSubstr("GET /events"));
  EXPECT_EQ(stream_->counters().connect_failures_in_row, 0u);
}

TEST_F(EventStreamTest, EndsWhenStoppedWhileTheEngineIsSilent) {
  script({kEventsHead});
  stop_after_connections_ = 1;
  run_task(io_, stream_->run(Cancel()));
  EXPECT_TRUE(errors_.empty());
  EXPECT_FALSE(stream_->counters().connected);
}

Task<> abort_after(Cancel cancel, Milliseconds delay) {
  co_await sleep_for(delay);
  cancel.request(CancelGrade::abort_step);
}

Task<> run_and_abort(EventStream& stream, Milliseconds delay) {
  Cancel cancel;
  TaskGroup group(co_await boost::asio::this_coro::executor);
  group.spawn(stream.run(cancel));
  group.spawn(abort_after(cancel, delay));
  co_await group.join();
}

TEST_F(EventStreamTest, EndsWhenAbortedInAnyStage) {
  script({kEventsHead});
  run_task(io_, run_and_abort(*stream_, Milliseconds(30)));  // connected, silent
  EXPECT_EQ(connected_, 1u);
  script({""});  // accepts and holds: waits for the headers
  run_task(io_, run_and_abort(*stream_, Milliseconds(30)));
  EXPECT_TRUE(errors_.empty());
  script({""});
  stub_.reset();  // waits between attempts
  run_task(io_, run_and_abort(*stream_, Milliseconds(30)));
  EXPECT_FALSE(errors_.empty());
}

TEST_F(EventStreamTest, DoesNotBeginAfterAStop) {
  script({kEventsHead});
  stream_->stop();
  run_task(io_, stream_->run(Cancel()));
  EXPECT_TRUE(stub_->requests().empty());
}

TEST_F(EventStreamTest, IsEndedByATimeLimitAroundIt) {
  script({kEventsHead});
  EXPECT_THROW(run_task(io_, with_timeout(stream_->run(Cancel()), Milliseconds(30), "following events")),
               Error);
}

}  // namespace
}  // namespace kopidocka
