#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "base/listen_address.hpp"
#include "base/task.hpp"
#include "web/route.hpp"

namespace kopidocka {

struct WebLimits {
  std::uint32_t header_bytes = 16u << 10;
  std::uint64_t body_bytes = 64u << 10;
  Milliseconds request_deadline{10'000};  ///< from the start of waiting to the last byte of the request
  Milliseconds write_deadline{10'000};
  size_t connections = 64;
  size_t requests_per_connection = 1000;
};

/// What the server tells about its work; both may be empty. Reasons: timeout, too_large, malformed, too_many.
struct WebObserver {
  std::function<void(unsigned status)> answered;
  std::function<void(std::string_view reason)> rejected;
};

/// HTTP/1.1 for metrics and health, in the one thread. Nobody who asks is trusted: every request is bounded
/// in size and time. When all connections are taken, a new one replaces the one that has kept us waiting
/// longest, so that a scrape gets through whoever else holds connections open.
class WebServer {
 public:
  WebServer(boost::asio::any_io_executor executor, ListenAddress address, WebRoutes routes,
            WebObserver observer = {}, WebLimits limits = {});
  ~WebServer();

  /// Binds; an address that is off does nothing. Throws ErrorKind::refused when it cannot be listened on.
  void open();
  std::uint16_t port() const;

  /// Answers until stop(), then returns when every answer that has begun is sent. Owned by a TaskGroup.
  Task<> serve();
  void stop();

 private:
  struct Session;
  void bind(const boost::asio::ip::tcp::endpoint& endpoint);
  void admit(boost::asio::ip::tcp::socket socket, TaskGroup& group);
  Task<> talk(std::shared_ptr<Session> session);
  Task<bool> exchange(std::shared_ptr<Session> session);
  void reject(std::string_view reason) const;

  boost::asio::any_io_executor executor_;
  ListenAddress address_;
  WebRoutes routes_;
  WebObserver observer_;
  WebLimits limits_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::list<std::shared_ptr<Session>> sessions_;  ///< longest waiting first
  bool stopping_ = false;
};

}  // namespace kopidocka
