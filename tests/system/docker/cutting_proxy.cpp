#include "system/docker/cutting_proxy.hpp"

#include <array>
#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "base/task.hpp"

namespace kopidocka::testing {
namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::generic::stream_protocol::socket;
using SocketPtr = std::shared_ptr<Socket>;

struct CuttingProxy::State {
  explicit State(asio::io_context& context) : io(context), local(context), tcp(context) {}
  asio::io_context& io;
  asio::local::stream_protocol::acceptor local;
  asio::ip::tcp::acceptor tcp;
  Endpoint endpoint;
  std::string folder;
  std::vector<std::weak_ptr<Socket>> open;
  std::vector<std::string> denied;
  size_t connections = 0;
};

namespace {
using StatePtr = std::shared_ptr<CuttingProxy::State>;

void ignore(const std::exception_ptr&) {}

void close_socket(const SocketPtr& socket) {
  error_code ignored;
  socket->close(ignored);
}

Task<> pump(SocketPtr from, SocketPtr to) {
  std::array<char, 8192> bytes;
  error_code error;
  while (true) {
    const auto got =
        co_await from->async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
    co_await asio::async_write(*to, asio::buffer(bytes, got),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  close_socket(from);
  close_socket(to);
}

bool denied(const CuttingProxy::State& state, const std::string& head) {
  const auto line = head.substr(0, head.find("\r\n"));
  for (const auto& part : state.denied) {
    if (line.find(part) != std::string::npos) return true;
  }
  return false;
}

Task<> serve(StatePtr state, SocketPtr client) {
  static const std::string kPage =
      "HTTP/1.0 403 Forbidden\r\nCache-Control: no-cache\r\nConnection: close\r\nContent-Type: "
      "text/html\r\n\r\n"
      "<html><body><h1>403 Forbidden</h1>\nRequest forbidden by administrative rules.\n</body></html>\n";
  error_code error;
  std::string head;
  co_await asio::async_read_until(*client, asio::dynamic_buffer(head), "\r\n\r\n",
                                  asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return;
  if (denied(*state, head)) {
    co_await asio::async_write(*client, asio::buffer(kPage),
                               asio::redirect_error(asio::use_awaitable, error));
    close_socket(client);
    co_return;
  }
  auto engine = std::make_shared<Socket>(state->io);
  const asio::generic::stream_protocol::endpoint docker(
      asio::local::stream_protocol::endpoint("/var/run/docker.sock"));
  co_await engine->async_connect(docker, asio::redirect_error(asio::use_awaitable, error));
  if (!error)
    co_await asio::async_write(*engine, asio::buffer(head), asio::redirect_error(asio::use_awaitable, error));
  if (error) {
    close_socket(client);
    co_return;
  }
  asio::co_spawn(state->io, pump(client, engine), ignore);
  asio::co_spawn(state->io, pump(engine, client), ignore);
}

template <class Acceptor>
Task<> accept_all(StatePtr state, Acceptor& acceptor) {
  while (acceptor.is_open()) {
    error_code error;
    auto accepted = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    auto client = std::make_shared<Socket>(std::move(accepted));
    ++state->connections;
    state->open.push_back(client);
    asio::co_spawn(state->io, serve(state, client), ignore);
  }
}

}  // namespace

CuttingProxy::CuttingProxy(asio::io_context& io, bool tcp) : state_(std::make_shared<State>(io)) {
  if (tcp) {
    const asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    state_->tcp = asio::ip::tcp::acceptor(io, any);
    state_->endpoint.host = "localhost";
    state_->endpoint.port = state_->tcp.local_endpoint().port();
    asio::co_spawn(io, accept_all(state_, state_->tcp), ignore);
    return;
  }
  std::string pattern = (std::filesystem::temp_directory_path() / "kopi-docka-proxy-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  state_->folder = pattern;
  state_->endpoint.path = pattern + "/docker.sock";
  state_->local = asio::local::stream_protocol::acceptor(
      io, asio::local::stream_protocol::endpoint(state_->endpoint.path));
  asio::co_spawn(io, accept_all(state_, state_->local), ignore);
}

CuttingProxy::~CuttingProxy() {
  error_code ignored;
  state_->local.close(ignored);
  state_->tcp.close(ignored);
  cut();
  std::error_code failure;
  if (!state_->folder.empty()) std::filesystem::remove_all(state_->folder, failure);
}

const Endpoint& CuttingProxy::endpoint() const { return state_->endpoint; }

void CuttingProxy::cut() {
  for (const auto& weak : state_->open) {
    if (const auto socket = weak.lock()) close_socket(socket);
  }
  state_->open.clear();
}

void CuttingProxy::deny(const std::string& part) { state_->denied.push_back(part); }

size_t CuttingProxy::connections() const { return state_->connections; }

}  // namespace kopidocka::testing
