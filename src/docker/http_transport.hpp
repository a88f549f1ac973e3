#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "base/task.hpp"
#include "docker/endpoint.hpp"

namespace kopidocka {

struct HttpRequest {
  std::string method;  ///< GET or POST, without a body
  std::string target;
  std::string call;  ///< how errors name the request: "GET /containers/json"
  Milliseconds limit{30'000};
};

struct HttpResponse {
  int status = 0;
  std::string content_type;
  std::string api_version;  ///< header Api-Version
  std::string date;         ///< header Date
  std::string body;
};

/// The body of an answer that goes on for as long as the engine likes. Closed when it goes.
class HttpStream {
 public:
  struct Impl;
  explicit HttpStream(std::unique_ptr<Impl> impl);
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;
  ~HttpStream();

  /// Status and headers; for a status other than 200 also the (cut) body, and there is nothing to read.
  const HttpResponse& head() const;
  /// The next bytes, at most `size`; 0 at the end of the body. No deadline: cancel the coroutine.
  /// ErrorKind::unreachable when the connection breaks.
  Task<size_t> read(char* data, size_t size);

 private:
  std::unique_ptr<Impl> impl_;
};

/// HTTP/1.1 over a unix socket or TCP, one connection per request: no idle connection can go stale, nothing
/// is kept in memory between requests. While somebody holds keep_connections(), GETs follow each other on the same
/// connections; the last one who lets go closes them. Throws Error: unreachable (no connection, or closed before the answer
/// was complete), denied (EACCES on the socket), timeout (`limit` covers connecting, sending and the whole
/// answer), cancelled, failed (not HTTP, or larger than allowed). Reacts to asio's per-operation
/// cancellation.
class HttpTransport {
 public:
  HttpTransport(boost::asio::any_io_executor executor, Endpoint endpoint, size_t body_limit);

  /// A GET whose connection breaks before the answer is complete is sent once more on a fresh connection. A
  /// POST never is: the engine may have acted on it.
  Task<HttpResponse> send(HttpRequest request);

  /// Returns when the headers are there (within `limit`). TCP connections are kept alive by the kernel.
  Task<std::unique_ptr<HttpStream>> open(HttpRequest request);

  std::shared_ptr<void> keep_connections();

  const Endpoint& endpoint() const { return endpoint_; }

 private:
  struct Kept;

  boost::asio::any_io_executor executor_;
  Endpoint endpoint_;
  size_t body_limit_;
  std::weak_ptr<Kept> kept_;
};

}  // namespace kopidocka
