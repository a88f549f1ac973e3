#include "docker/http_transport.hpp"

#include <cerrno>
#include <filesystem>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>
#include <utility>
#include <vector>

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>

#include "base/text.hpp"
#include "docker/socket_deadline.hpp"

namespace kopidocka {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using Protocol = asio::generic::stream_protocol;
using asio::redirect_error;
using asio::use_awaitable;

namespace {

constexpr std::uint32_t kHeaderLimit = 64u << 10;
constexpr size_t kErrorBodyLimit = 16u << 10;

/// A question to the system's resolver. It cannot be taken back while it is asked, so it owns itself and may be left alone.
struct Lookup {
  explicit Lookup(const asio::any_io_executor& executor) : resolver(executor), answered(executor) {}

  asio::ip::tcp::resolver resolver;
  asio::steady_timer answered;
  error_code error;
  asio::ip::tcp::resolver::results_type results;
  bool done = false;
};

bool connection_lost(const error_code& error) {
  return error == http::error::end_of_stream || error == http::error::partial_message ||
         error == asio::error::eof || error == asio::error::connection_reset ||
         error == asio::error::connection_aborted || error == asio::error::broken_pipe ||
         error == asio::error::timed_out || error == asio::error::bad_descriptor;
}

std::string connect_advice(const Endpoint& endpoint, const error_code& error) {
  if (!endpoint.is_unix()) return "is the Docker Engine listening there, and is DOCKER_HOST right?";
  if (error == asio::error::access_denied) return "run as root or with the group that owns the socket";
  std::error_code ignored;
  if (std::filesystem::is_directory(endpoint.path, ignored)) {
    return "it is a folder: the socket did not exist on the host when it was mounted; correct the mount and "
           "create the "
           "container again";
  }
  if (error == asio::error::connection_refused) {
    return "is dockerd running? After a restart of dockerd a bind-mounted socket file is a dead one: restart "
           "this "
           "container, or mount the socket's folder";
  }
  return "is the socket mounted into this container, and is DOCKER_HOST right?";
}

Error connect_error(const Endpoint& endpoint, const error_code& error) {
  if (error == asio::error::operation_aborted)
    return {ErrorKind::cancelled, "connecting to " + endpoint.text() + " was cancelled"};
  const auto kind = error == asio::error::access_denied || error == asio::error::no_permission
                        ? ErrorKind::denied
                        : ErrorKind::unreachable;
  return {kind, "cannot connect to the Docker Engine at " + endpoint.text() + ": " + error.message(),
          connect_advice(endpoint, error)};
}

Error exchange_error(const Endpoint& endpoint, const HttpRequest& request, const error_code& error) {
  const auto what = request.call + " at " + endpoint.text() + ": ";
  if (error == asio::error::operation_aborted) return {ErrorKind::cancelled, what + "cancelled"};
  if (connection_lost(error)) {
    return {ErrorKind::unreachable, what + "the connection was closed before the answer was complete",
            "did dockerd, or a proxy in front of it, restart?"};
  }
  if (error == http::error::body_limit)
    return {ErrorKind::failed, what + "the answer is larger than allowed"};
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return {ErrorKind::failed, what + "the answer's headers are larger than " + format_bytes(kHeaderLimit)};
  }
  return {ErrorKind::failed, what + "the answer is not HTTP (" + error.message() + ")",
          "is DOCKER_HOST the address of a Docker Engine without TLS?"};
}

Error timeout_error(const Endpoint& endpoint, const HttpRequest& request) {
  return {ErrorKind::timeout,
          request.call + " at " + endpoint.text() + ": no complete answer within " +
              format_duration(request.limit),
          "does `docker ps` answer on the host?"};
}

void keep_alive(Protocol::socket& socket) {
  error_code ignored;
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  for (const auto& [option, seconds] :
       {std::pair(TCP_KEEPIDLE, 30), std::pair(TCP_KEEPINTVL, 10), std::pair(TCP_KEEPCNT, 3)}) {
    ::setsockopt(socket.native_handle(), IPPROTO_TCP, option, &seconds, sizeof seconds);
  }
}

HttpResponse head_of(const http::fields& fields, unsigned status) {
  const auto field = [&](const char* name) {
    const auto value = fields[name];
    return std::string(value.data(), value.size());
  };
  HttpResponse response;
  response.status = static_cast<int>(status);
  response.content_type = field("Content-Type");
  response.api_version = field("Api-Version");
  response.date = field("Date");
  return response;
}

/// One connection for one request at a time; everything it allocates goes with it.
class Connection {
 public:
  Connection(const asio::any_io_executor& executor, Endpoint endpoint)
      : endpoint_(std::move(endpoint)), socket_(executor), buffer_(2 * kHeaderLimit) {}

  Task<> connect(const SocketDeadline& deadline);
  /// `last`: the engine is told that no other request follows.
  Task<error_code> write(const HttpRequest& request, bool last);
  template <class Body>
  Task<error_code> read_header(http::response_parser<Body>& parser) {
    error_code error;
    co_await http::async_read_header(socket_, buffer_, parser, redirect_error(use_awaitable, error));
    co_return error;
  }
  Task<error_code> read(http::response_parser<http::string_body>& parser) {
    error_code error;
    co_await http::async_read(socket_, buffer_, parser, redirect_error(use_awaitable, error));
    co_return error;
  }

  Protocol::socket& socket() { return socket_; }
  beast::flat_buffer& buffer() { return buffer_; }
  void close() {
    error_code ignored;
    socket_.close(ignored);
    buffer_.clear();
  }

 private:
  Task<std::vector<Protocol::endpoint>> addresses(const SocketDeadline& deadline);

  Endpoint endpoint_;
  Protocol::socket socket_;
  beast::flat_buffer buffer_;
};

Task<std::vector<Protocol::endpoint>> Connection::addresses(const SocketDeadline& deadline) {
  std::vector<Protocol::endpoint> found;
  if (endpoint_.is_unix()) {
    found.emplace_back(asio::local::stream_protocol::endpoint(endpoint_.path));
    co_return found;
  }
  const auto lookup = std::make_shared<Lookup>(socket_.get_executor());
  lookup->answered.expires_at(deadline.ends());
  lookup->resolver.async_resolve(
      endpoint_.host, std::to_string(endpoint_.port),
      [lookup](const error_code& error, const asio::ip::tcp::resolver::results_type& results) {
        lookup->error = error;
        lookup->results = results;
        lookup->done = true;
        lookup->answered.cancel();
      });
  error_code waited;
  co_await lookup->answered.async_wait(redirect_error(use_awaitable, waited));
  if (!lookup->done) {
    lookup->resolver.cancel();
    if (waited) throw connect_error(endpoint_, waited);
    deadline.expire();
    co_return found;
  }
  if (lookup->error) throw connect_error(endpoint_, lookup->error);
  for (const auto& entry : lookup->results) found.emplace_back(entry.endpoint());
  co_return found;
}

Task<> Connection::connect(const SocketDeadline& deadline) {
  const auto found = co_await addresses(deadline);
  error_code error = asio::error::host_not_found;
  for (const auto& address : found) {
    if (deadline.expired()) co_return;
    close();
    co_await socket_.async_connect(address, redirect_error(use_awaitable, error));
    if (!error) break;
  }
  if (deadline.expired()) co_return;
  if (error) throw connect_error(endpoint_, error);
  if (!endpoint_.is_unix()) keep_alive(socket_);
}

Task<error_code> Connection::write(const HttpRequest& request, bool last) {
  http::request<http::empty_body> message(http::string_to_verb(request.method), request.target, 11);
  message.set(http::field::host, endpoint_.host_header());
  message.set(http::field::user_agent, "kopi-docka/" KOPIDOCKA_VERSION);
  if (last) message.set(http::field::connection, "close");
  if (message.method() == http::verb::post) message.content_length(0);
  error_code error;
  co_await http::async_write(socket_, message, redirect_error(use_awaitable, error));
  co_return error;
}

/// Errors of asio that surface as exceptions (a cancelled coroutine, a refused endpoint) in the room's own
/// words.
Error translate(const Endpoint& endpoint, const HttpRequest& request,
                const boost::system::system_error& error) {
  return exchange_error(endpoint, request, error.code());
}

}  // namespace

struct HttpStream::Impl {
  Impl(const asio::any_io_executor& executor, Endpoint where, HttpRequest asked)
      : endpoint(std::move(where)), request(std::move(asked)), connection(executor, endpoint) {
    parser.header_limit(kHeaderLimit);
    parser.body_limit(boost::none);
  }

  Task<size_t> read_some(char* data, size_t size);
  Task<std::string> read_reason();

  Endpoint endpoint;
  HttpRequest request;
  Connection connection;
  http::response_parser<http::buffer_body> parser;
  HttpResponse head;
};

Task<size_t> HttpStream::Impl::read_some(char* data, size_t size) {
  while (!parser.is_done()) {
    auto& body = parser.get().body();
    body.data = data;
    body.size = size;
    body.more = true;
    error_code error;
    co_await http::async_read_some(connection.socket(), connection.buffer(), parser,
                                   redirect_error(use_awaitable, error));
    if (error && error != http::error::need_buffer) throw exchange_error(endpoint, request, error);
    if (body.size < size) co_return size - body.size;
  }
  co_return 0;
}

/// Whatever arrives of a refusal's text; a refusal without one stays a refusal.
Task<std::string> HttpStream::Impl::read_reason() {
  std::string text;
  std::string piece(4096, '\0');
  try {
    while (text.size() < kErrorBodyLimit) {
      const auto got = co_await read_some(piece.data(), piece.size());
      if (got == 0) break;
      text.append(piece, 0, got);
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::cancelled && connection.socket().is_open()) throw;
  }
  co_return text;
}

HttpStream::HttpStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpStream::~HttpStream() = default;

const HttpResponse& HttpStream::head() const { return impl_->head; }

Task<size_t> HttpStream::read(char* data, size_t size) {
  try {
    co_return co_await impl_->read_some(data, size);
  } catch (const boost::system::system_error& error) {
    throw translate(impl_->endpoint, impl_->request, error);
  }
}

HttpTransport::HttpTransport(asio::any_io_executor executor, Endpoint endpoint, size_t body_limit)
    : executor_(std::move(executor)), endpoint_(std::move(endpoint)), body_limit_(body_limit) {}

struct HttpTransport::Kept {
  std::vector<std::unique_ptr<Connection>> idle;
};

std::shared_ptr<void> HttpTransport::keep_connections() {
  auto kept = kept_.lock();
  if (!kept) kept_ = kept = std::make_shared<Kept>();
  return kept;
}

namespace {

Task<error_code> exchange(Connection& connection, const HttpRequest& request, http::response_parser<http::string_body>& parser, bool last) {
  auto error = co_await connection.write(request, last);
  if (!error) error = co_await connection.read(parser);
  co_return error;
}

}  // namespace

Task<HttpResponse> HttpTransport::send(HttpRequest request) {
  const auto end = asio::steady_timer::clock_type::now() + request.limit;
  const bool may_repeat = request.method == "GET";
  const auto kept = may_repeat ? kept_.lock() : nullptr;
  try {
    // One that was used before may have been closed meanwhile, so that only those made for this request count.
    for (int made = 0;;) {
      const bool used = kept && !kept->idle.empty() && made == 0;
      auto connection = used ? std::move(kept->idle.back()) : std::make_unique<Connection>(executor_, endpoint_);
      if (used) {
        kept->idle.pop_back();
      } else {
        ++made;
      }
      const SocketDeadline deadline(connection->socket(), end);
      if (!used) co_await connection->connect(deadline);
      if (deadline.expired()) throw timeout_error(endpoint_, request);
      http::response_parser<http::string_body> parser;
      parser.header_limit(kHeaderLimit);
      parser.body_limit(body_limit_);
      const auto error = co_await exchange(*connection, request, parser, !kept);
      if (deadline.expired()) throw timeout_error(endpoint_, request);
      if (!error) {
        auto response = head_of(parser.get(), parser.get().result_int());
        response.body = std::move(parser.get().body());
        if (kept && parser.keep_alive() && connection->buffer().size() == 0) kept->idle.push_back(std::move(connection));
        co_return response;
      }
      if (!may_repeat || made > 1 || !connection_lost(error)) throw exchange_error(endpoint_, request, error);
    }
  } catch (const boost::system::system_error& error) {
    throw translate(endpoint_, request, error);
  }
}

Task<std::unique_ptr<HttpStream>> HttpTransport::open(HttpRequest request) {
  try {
    auto impl = std::make_unique<HttpStream::Impl>(executor_, endpoint_, request);
    auto& connection = impl->connection;
    const SocketDeadline deadline(connection.socket(), asio::steady_timer::clock_type::now() + request.limit);
    co_await connection.connect(deadline);
    if (deadline.expired()) throw timeout_error(endpoint_, request);
    auto error = co_await connection.write(request, true);
    if (!error) error = co_await connection.read_header(impl->parser);
    if (deadline.expired()) throw timeout_error(endpoint_, request);
    if (error) throw exchange_error(endpoint_, request, error);
    impl->head = head_of(impl->parser.get(), impl->parser.get().result_int());
    if (impl->head.status != 200) {
      impl->head.body = co_await impl->read_reason();
      connection.close();
    }
    co_return std::make_unique<HttpStream>(std::move(impl));
  } catch (const boost::system::system_error& error) {
    throw translate(endpoint_, request, error);
  }
}

}  // namespace kopidocka
