#include "web/server.hpp"

#include <algorithm>
#include <atomic>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>

namespace kopidocka {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using testing::AnyOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

WebRoutes some_routes() {
  WebRoutes routes;
  routes.add("GET", "/metrics",
             [](const WebRequest& request) { return plain(200, "query=" + request.query + "\n"); });
  routes.add("POST", "/echo", [](const WebRequest& request) { return plain(201, request.body); });
  routes.add("GET", "/broken",
             [](const WebRequest&) -> WebResponse { throw std::runtime_error("/secret/place"); });
  return routes;
}

/// A server in its own thread, as clients see it.
class RunningServer {
 public:
  explicit RunningServer(WebLimits limits = {}, const std::string& address = "127.0.0.1:0")
      : server_(io_.get_executor(), *parse_listen_address(address), some_routes(), observer(), limits) {
    server_.open();
    port_ = server_.port();
    asio::co_spawn(io_, server_.serve(), [this](std::exception_ptr error) { error_ = error; });
    thread_ = std::thread([this] { io_.run(); });
  }
  ~RunningServer() { stop(); }

  void stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { server_.stop(); });
    thread_.join();
    EXPECT_FALSE(error_);
  }

  tcp::socket connect() {
    tcp::socket socket(client_);
    socket.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), port_));
    return socket;
  }

  /// Sends bytes and returns all that comes until the server closes.
  std::string exchange(const std::string& bytes) {
    auto socket = connect();
    boost::system::error_code code;
    asio::write(socket, asio::buffer(bytes), code);
    std::string answer;
    asio::read(socket, asio::dynamic_buffer(answer), code);
    return answer;
  }
  std::string get(const std::string& target) {
    return exchange("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  int rejected(const std::string& reason) {
    const std::lock_guard lock(mutex_);
    return rejected_[reason];
  }

  std::uint16_t port_ = 0;
  asio::io_context client_;

 private:
  WebObserver observer() {
    WebObserver observer;
    observer.rejected = [this](std::string_view reason) {
      const std::lock_guard lock(mutex_);
      ++rejected_[std::string(reason)];
    };
    return observer;
  }

  std::mutex mutex_;
  std::map<std::string, int> rejected_;
  asio::io_context io_;
  WebServer server_;
  std::exception_ptr error_;
  std::thread thread_;
};

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST(WebServer, AnswersItsRoutes) {
  RunningServer server;
  const auto metrics = server.get("/metrics?name[]=a&name[]=b");
  EXPECT_THAT(metrics, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(metrics, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(metrics, HasSubstr("\r\n\r\nquery=name[]=a&name[]=b\n"));
  EXPECT_THAT(server.get("/nothing"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(server.get("/echo"), AllOf(StartsWith("HTTP/1.1 405"), HasSubstr("Allow: POST\r\n")));
  EXPECT_THAT(server.exchange(
                  "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"),
              AllOf(StartsWith("HTTP/1.1 201"), HasSubstr("\r\n\r\nhello")));
  EXPECT_THAT(server.exchange("GET /metrics HTTP/1.0\r\n\r\n"), HasSubstr("query=\n"));
}

TEST(WebServer, HeadIsAnsweredWithoutTheBody) {
  RunningServer server;
  const auto answer = server.exchange("HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200"), HasSubstr("Content-Length: 7\r\n")));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST(WebServer, ARouteThatThrowsTellsNothingOfWhy) {
  RunningServer server;
  const auto answer = server.get("/broken");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500"));
  EXPECT_EQ(answer.find("secret"), std::string::npos);
}

TEST(WebServer, PipelinedRequestsAreAnsweredInOrderAndBounded) {
  WebLimits limits;
  limits.requests_per_connection = 50;
  RunningServer server(limits);
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += "GET /metrics?" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  requests += "GET /metrics?last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const auto answer = server.exchange(requests);
  EXPECT_EQ(count(answer, "HTTP/1.1 200 OK"), 21);
  EXPECT_LT(answer.find("query=3\n"), answer.find("query=4\n"));
  EXPECT_LT(answer.find("query=19\n"), answer.find("query=last\n"));

  std::string many;
  for (int i = 0; i < 200; ++i) many += "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
  EXPECT_LE(count(server.exchange(many), "HTTP/1.1 200 OK"), 50);
}

TEST(WebServer, GarbageIsRefused) {
  RunningServer server;
  for (const auto* garbage :
       {"hello\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01\x02\x00\x01\r\n\r\n",
        "GET /metrics HTTP/9.9\r\n\r\n", "GET /metrics HTTP/1.1\r\nbad header\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"}) {
    EXPECT_THAT(server.exchange(garbage), StartsWith("HTTP/1.1 400")) << garbage;
  }
  EXPECT_EQ(server.rejected("malformed"), 7);
  EXPECT_THAT(server.get("/metrics"), HasSubstr("query="));
}

TEST(WebServer, HeadersAndBodiesThatAreTooLargeAreRefused) {
  RunningServer server;
  const std::string long_header = "GET /metrics HTTP/1.1\r\nX: " + std::string(1u << 20, 'a') + "\r\n\r\n";
  EXPECT_THAT(server.exchange(long_header), AnyOf(IsEmpty(), StartsWith("HTTP/1.1 431")));
  const std::string body = "POST /echo HTTP/1.1\r\nContent-Length: 70000\r\n\r\n" + std::string(70'000, 'b');
  EXPECT_THAT(server.exchange(body), AnyOf(IsEmpty(), StartsWith("HTTP/1.1 413")));
  std::string chunks = "POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i) chunks += "2000\r\n" + std::string(0x2000, 'c') + "\r\n";
  EXPECT_THAT(server.exchange(chunks), AnyOf(IsEmpty(), StartsWith("HTTP/1.1 413")));
  EXPECT_EQ(server.rejected("too_large"), 3);
  EXPECT_THAT(server.exchange("POST /echo HTTP/1.1\r\nConnection: close\r\nContent-Length: 60000\r\n\r\n" +
                              std::string(60'000, 'd')),
              StartsWith("HTTP/1.1 201"));
}

TEST(WebServer, AClientThatDribblesItsHeaderIsLetGo) {
  WebLimits limits;
  limits.request_deadline = Milliseconds(100);
  RunningServer server(limits);
  auto slow = server.connect();
  asio::write(slow, asio::buffer(std::string("GET /metrics HTTP/1.1\r\nX-A: ")));
  boost::system::error_code code;
  // One byte every few milliseconds: each restarts a naive timer.
  for (int i = 0; i < 2000 && !code; ++i) {
    asio::write(slow, asio::buffer("a", 1), code);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_TRUE(code) << "still connected after 10 seconds of dribbling";
  EXPECT_EQ(server.rejected("timeout"), 1);
}

TEST(WebServer, AScrapeGetsThroughWhileOthersHoldEveryConnection) {
  WebLimits limits;
  limits.connections = 8;
  RunningServer server(limits);
  std::vector<tcp::socket> holders;
  for (int i = 0; i < 40; ++i) {
    holders.push_back(server.connect());
    asio::write(holders.back(), asio::buffer(std::string("GET /metrics HTTP/1.1\r\n")));
  }
  EXPECT_THAT(server.get("/metrics"), HasSubstr("query=\n"));
  EXPECT_EQ(server.rejected("too_many"), 33);
}

TEST(WebServer, TenThousandQuickConnectionsDoNoHarm) {
  RunningServer server;
  for (int i = 0; i < 10'000; ++i) {
    auto socket = server.connect();
    socket.set_option(
        asio::socket_base::linger(true, 0));  // a reset leaves no TIME_WAIT behind on the test machine
    if (i % 500 == 499) {
      EXPECT_THAT(server.get("/metrics"), HasSubstr("query=\n"));
    }
  }
}

TEST(WebServer, StopEndsIdleConnectionsAndTheListener) {
  RunningServer server;
  auto idle = server.connect();
  auto used = server.connect();
  asio::write(used, asio::buffer(std::string("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")));
  std::string answer;
  asio::read_until(used, asio::dynamic_buffer(answer), "query=");
  server.stop();
  boost::system::error_code code;
  tcp::socket late(server.client_);
  late.connect(tcp::endpoint(asio::ip::make_address("127.0.0.1"), server.port_), code);
  EXPECT_TRUE(code);
}

TEST(WebServer, ListensOnEveryAddressWhenNoneIsNamed) {
  RunningServer server({}, ":0");
  EXPECT_THAT(server.get("/metrics"), HasSubstr("query="));
}

TEST(WebServer, OffListensNowhereAndAnAddressInUseIsAClearError) {
  RunningServer running;
  asio::io_context io;
  WebServer off(io.get_executor(), *parse_listen_address("off"), some_routes());
  off.open();
  EXPECT_EQ(off.port(), 0);
  asio::co_spawn(io, off.serve(), [](std::exception_ptr error) { EXPECT_FALSE(error); });
  io.run();

  for (const auto& address : {"127.0.0.1:" + std::to_string(running.port_), std::string("192.0.2.1:0")}) {
    WebServer taken(io.get_executor(), *parse_listen_address(address), some_routes());
    try {
      taken.open();
      ADD_FAILURE() << address;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::refused);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("cannot listen on"), HasSubstr("KOPI_DOCKA_LISTEN")));
    }
  }
}

}  // namespace kopidocka
