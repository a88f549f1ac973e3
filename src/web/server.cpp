#include "web/server.hpp"

#include <algorithm>
#include <utility>

#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "base/text.hpp"

namespace kopidocka {
namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;

using Parser = http::request_parser<http::string_body>;
using Response = http::response<http::string_body>;

struct WebServer::Session {
  Session(tcp::socket socket, const WebLimits& limits)
      : stream(std::move(socket)), buffer(limits.header_bytes + limits.body_bytes) {}

  void close() { stream.close(); }

  beast::tcp_stream stream;
  beast::flat_buffer buffer;
  size_t requests = 0;
  bool waiting = true;
  bool evicted = false;
};

namespace {

WebRequest to_request(const http::request<http::string_body>& message) {
  WebRequest request;
  request.method = std::string(message.method_string());
  const std::string target(message.target());
  const auto question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string::npos) request.query = target.substr(question + 1);
  request.body = message.body();
  return request;
}

Response to_message(WebResponse response, unsigned version, bool keep_alive) {
  Response message(static_cast<http::status>(response.status), version);
  message.set(http::field::server, "kopi-docka");
  message.set(http::field::content_type, response.content_type);
  message.set(http::field::cache_control, "no-store");
  message.set("X-Content-Type-Options", "nosniff");
  if (!response.allow.empty()) message.set(http::field::allow, response.allow);
  message.keep_alive(keep_alive);
  message.body() = std::move(response.body);
  message.prepare_payload();
  return message;
}

/// The answer to a request that cannot be read; status 0 when there is nobody to answer.
unsigned status_for(const boost::system::error_code& code) {
  if (code == http::error::header_limit || code == http::error::buffer_overflow) return 431;
  if (code == http::error::body_limit) return 413;
  if (code == http::error::end_of_stream || code == http::error::partial_message) return 0;
  const boost::system::error_code any_parse_error = http::error::bad_method;
  return code.category() == any_parse_error.category() ? 400 : 0;
}

Error cannot_listen(const ListenAddress& address, const std::string& why) {
  return {ErrorKind::refused,
          "cannot listen on " + address.host + ":" + std::to_string(address.port) + ": " + why,
          "choose another address with KOPI_DOCKA_LISTEN, or off"};
}

}  // namespace

WebServer::WebServer(asio::any_io_executor executor, ListenAddress address, WebRoutes routes,
                     WebObserver observer, WebLimits limits)
    : executor_(std::move(executor)),
      address_(std::move(address)),
      routes_(std::move(routes)),
      observer_(std::move(observer)),
      limits_(limits),
      acceptor_(executor_) {}

WebServer::~WebServer() { stop(); }

void WebServer::bind(const tcp::endpoint& endpoint) {
  acceptor_.open(endpoint.protocol());
  acceptor_.set_option(tcp::acceptor::reuse_address(true));
  if (endpoint.address().is_v6() && address_.host.empty()) acceptor_.set_option(asio::ip::v6_only(false));
  acceptor_.bind(endpoint);
  acceptor_.listen(asio::socket_base::max_listen_connections);
}

void WebServer::open() {
  if (address_.off) return;
  try {
    if (!address_.host.empty())
      return bind(*tcp::resolver(executor_).resolve(address_.host, std::to_string(address_.port)).begin());
    try {
      bind(tcp::endpoint(tcp::v6(), address_.port));
    } catch (const boost::system::system_error& error) {
      if (error.code() == boost::system::errc::address_in_use) throw;
      // A machine without IPv6.
      acceptor_.close();
      bind(tcp::endpoint(tcp::v4(), address_.port));
    }
  } catch (const boost::system::system_error& error) {
    throw cannot_listen(address_, error.code().message());
  }
}

std::uint16_t WebServer::port() const { return acceptor_.is_open() ? acceptor_.local_endpoint().port() : 0; }

void WebServer::reject(std::string_view reason) const {
  if (observer_.rejected) observer_.rejected(reason);
}

Task<> WebServer::serve() {
  TaskGroup group(executor_);
  while (!stopping_ && acceptor_.is_open()) {
    tcp::socket socket(executor_);
    boost::system::error_code code;
    co_await acceptor_.async_accept(socket, asio::redirect_error(asio::use_awaitable, code));
    if (stopping_) break;
    if (code) {
      // Out of file descriptors and the like: try again later instead of spinning.
      co_await sleep_for(Milliseconds(100));
    } else {
      admit(std::move(socket), group);
    }
  }
  co_await group.join();
}

void WebServer::admit(tcp::socket socket, TaskGroup& group) {
  if (sessions_.size() >= limits_.connections) {
    reject("too_many");
    auto longest = std::find_if(sessions_.begin(), sessions_.end(), [](const auto& s) { return s->waiting; });
    if (longest == sessions_.end()) longest = sessions_.begin();
    (*longest)->evicted = true;
    (*longest)->close();
    sessions_.erase(longest);
  }
  sessions_.push_back(std::make_shared<Session>(std::move(socket), limits_));
  group.spawn(talk(sessions_.back()));
}

Task<> WebServer::talk(std::shared_ptr<Session> session) {
  try {
    while (!stopping_ && co_await exchange(session)) {
      sessions_.splice(sessions_.end(), sessions_, std::find(sessions_.begin(), sessions_.end(), session));
    }
  } catch (const std::exception&) {
    // One client's broken connection concerns nobody else.
  }
  session->close();
  sessions_.remove(session);
}

Task<bool> WebServer::exchange(std::shared_ptr<Session> session) {
  Parser parser;
  parser.header_limit(limits_.header_bytes);
  parser.body_limit(limits_.body_bytes);
  boost::system::error_code code;
  session->waiting = true;
  session->stream.expires_after(limits_.request_deadline);
  co_await http::async_read(session->stream, session->buffer, parser,
                            asio::redirect_error(asio::use_awaitable, code));
  session->waiting = false;
  if (session->evicted || stopping_) co_return false;

  Response message;
  if (code) {
    const auto status = status_for(code);
    if (code == beast::error::timeout) reject("timeout");
    if (status != 0) reject(status == 400 ? "malformed" : "too_large");
    if (status == 0) co_return false;
    message = to_message(plain(status, "the request was not accepted\n"), 11, false);
  } else {
    const bool keep = parser.keep_alive() && ++session->requests < limits_.requests_per_connection;
    message = to_message(routes_.answer(to_request(parser.get())), parser.get().version(), keep);
    if (parser.get().method() == http::verb::head) message.body().clear();
  }
  if (observer_.answered) observer_.answered(message.result_int());
  session->stream.expires_after(limits_.write_deadline);
  http::response_serializer<http::string_body> serializer(message);
  co_await http::async_write(session->stream, serializer, asio::redirect_error(asio::use_awaitable, code));
  if (code || session->evicted) co_return false;
  if (!message.keep_alive()) session->stream.socket().shutdown(tcp::socket::shutdown_send, code);
  co_return message.keep_alive();
}

void WebServer::stop() {
  if (std::exchange(stopping_, true)) return;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& session : sessions_) {
    if (session->waiting) session->close();
  }
}

}  // namespace kopidocka
