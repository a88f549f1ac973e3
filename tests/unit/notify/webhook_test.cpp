#include "notify/webhook.hpp"

#include <condition_variable>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <nlohmann/json.hpp>

#include "notify/http.hpp"

namespace kopidocka {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;

/// A web server that answers each request with the next status of its script and then with 200.
class Receiver {
 public:
  explicit Receiver(std::vector<int> script = {})
      : script_(std::move(script)), acceptor_(io_, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0)) {
    thread_ = std::thread([this] { serve(); });
  }
  ~Receiver() {
    stopping_ = true;
    boost::system::error_code ignored;
    tcp::socket(io_).connect(acceptor_.local_endpoint(), ignored);
    thread_.join();
  }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()) + "/hooks/canary-token";
  }

  std::vector<std::string> wait_for(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(20), [&] { return requests_.size() >= count; });
    return requests_;
  }

 private:
  void serve() {
    while (true) {
      tcp::socket socket(io_);
      acceptor_.accept(socket);
      if (stopping_) return;
      boost::system::error_code code;
      std::string text;
      const auto header = asio::read_until(socket, asio::dynamic_buffer(text), "\r\n\r\n", code);
      const auto at = text.find("Content-Length: ");
      const size_t length = at == std::string::npos ? 0 : std::stoul(text.substr(at + 16));
      if (text.size() < header + length)
        asio::read(socket, asio::dynamic_buffer(text), asio::transfer_exactly(header + length - text.size()),
                   code);
      size_t number = 0;
      {
        const std::lock_guard lock(mutex_);
        requests_.push_back(text);
        number = requests_.size();
      }
      const int status = number <= script_.size() ? script_[number - 1] : 200;
      asio::write(socket,
                  asio::buffer("HTTP/1.1 " + std::to_string(status) +
                               " X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"),
                  code);
      changed_.notify_all();
    }
  }

  std::vector<int> script_;
  asio::io_context io_;
  tcp::acceptor acceptor_;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> requests_;
  std::thread thread_;
};

WebhookOptions quick() {
  WebhookOptions options;
  options.pause = Milliseconds(1);
  options.last_moment = Milliseconds(20'000);
  return options;
}

RunReport failed_run() {
  RunReport report;
  report.unit = "shop";
  report.backup_id = "b-1";
  report.result = RunResult::failed;
  report.reason = "stop";
  report.problems = {"container shop-db-1 did not stop within 30s"};
  return report;
}

Webhook::LevelOf always(NotifyLevel level) {
  return [level](const std::string&) { return level; };
}

}  // namespace

TEST(Webhook, AFailedRunIsPostedWithItsReport) {
  Receiver receiver;
  {
    Webhook webhook(Secret(receiver.url()), always(NotifyLevel::failure), {}, quick());
    const auto report = failed_run();
    webhook.on_run_event(RunEvent{RunEvent::Kind::started, {}, {}, 0, 0, {}, report});
    webhook.on_run_event(RunEvent{RunEvent::Kind::finished, {}, {}, 0, 0, {}, report});
  }
  const auto requests = receiver.wait_for(1);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_THAT(requests[0], HasSubstr("POST /hooks/canary-token HTTP/1.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("Content-Type: application/json\r\n"));
  const auto body = nlohmann::json::parse(requests[0].substr(requests[0].find("\r\n\r\n") + 4));
  EXPECT_EQ(body.at("text"), "backup of shop: failed (stop): container shop-db-1 did not stop within 30s");
  EXPECT_EQ(body.at("report").at("unit"), "shop");
  EXPECT_EQ(body.at("report").at("result"), "failed");
}

TEST(Webhook, TheLevelOfTheUnitDecides) {
  EXPECT_FALSE(wants_message(NotifyLevel::never, RunResult::failed));
  EXPECT_TRUE(wants_message(NotifyLevel::always, RunResult::success));
  EXPECT_FALSE(wants_message(NotifyLevel::failure, RunResult::success));
  for (const auto result : {RunResult::partial, RunResult::failed, RunResult::skipped})
    EXPECT_TRUE(wants_message(NotifyLevel::failure, result));
}

TEST(Webhook, AServerThatIsBusyIsTriedAgain) {
  Receiver receiver({503, 429});
  std::string problem;
  {
    Webhook webhook(
        Secret(receiver.url()), always(NotifyLevel::failure),
        [&](const std::string& text) { problem = text; }, quick());
    webhook.tell(failed_run());
  }
  EXPECT_EQ(receiver.wait_for(3).size(), 3u);
  EXPECT_EQ(problem, "");
}

TEST(Webhook, ItGivesUpAfterThreeTriesAndAtOnceWhenTheServerRefuses) {
  std::string problem;
  const auto remember = [&](const std::string& text) { problem = text; };
  {
    Receiver receiver({500, 500, 500, 200});
    {
      Webhook webhook(Secret(receiver.url()), always(NotifyLevel::failure), remember, quick());
      webhook.tell(failed_run());
    }
    EXPECT_EQ(receiver.wait_for(3).size(), 3u);
    EXPECT_THAT(problem, HasSubstr("HTTP status 500"));
  }
  Receiver receiver({404});
  {
    Webhook webhook(Secret(receiver.url()), always(NotifyLevel::failure), remember, quick());
    webhook.tell(failed_run());
  }
  EXPECT_EQ(receiver.wait_for(1).size(), 1u);
  EXPECT_THAT(problem, HasSubstr("HTTP status 404"));
}

TEST(Webhook, NoProblemNamesTheAddress) {
  std::string problem;
  {
    Webhook webhook(
        Secret("http://127.0.0.1:1/canary"), always(NotifyLevel::failure),
        [&](const std::string& text) { problem = text; }, quick());
    webhook.tell(failed_run());
  }
  EXPECT_THAT(problem, HasSubstr("given up"));
  EXPECT_THAT(problem, Not(HasSubstr("canary")));
}

TEST(Webhook, AServerThatNeverAnswersBlocksNeitherTheRunNorTheEnd) {
  asio::io_context io;
  tcp::acceptor silent(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  auto options = quick();
  options.timeout = Milliseconds(600'000);
  options.last_moment = Milliseconds(10);
  options.waiting = 2;
  Webhook webhook(Secret("http://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/"),
                  always(NotifyLevel::failure), {}, options);
  for (int i = 0; i < 10; ++i) webhook.tell(failed_run());
  EXPECT_GE(webhook.counts().dropped, 7u);
  EXPECT_EQ(webhook.counts().delivered, 0u);
  // The destructor must come back although the request has ten minutes left; the test's own time limit says
  // whether.
}

TEST(HttpGet, ReturnsStatusAndBodyAndTellsUnreachableFromTimeout) {
  Receiver receiver({503});
  const auto answer = http_get(receiver.url(), Milliseconds(10'000));
  ASSERT_TRUE(answer) << answer.error().what();
  EXPECT_EQ(answer->status, 503);
  EXPECT_EQ(answer->body, "ok");
  EXPECT_EQ(http_get("http://127.0.0.1:1/", Milliseconds(10'000)).error().kind(), ErrorKind::unreachable);
  EXPECT_EQ(http_get("file:///etc/passwd", Milliseconds(10'000)).error().kind(), ErrorKind::unreachable);
  asio::io_context io;
  tcp::acceptor silent(io, tcp::endpoint(asio::ip::make_address("127.0.0.1"), 0));
  const auto url = "http://127.0.0.1:" + std::to_string(silent.local_endpoint().port()) + "/";
  EXPECT_EQ(http_get(url, Milliseconds(50)).error().kind(), ErrorKind::timeout);
}

}  // namespace kopidocka
