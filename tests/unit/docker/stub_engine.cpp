#include "unit/docker/stub_engine.hpp"

#include <algorithm>
#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <utility>

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

struct StubEngine::State {
  explicit State(asio::io_context& context) : io(context), local(context), tcp(context) {}
  asio::io_context& io;
  asio::local::stream_protocol::acceptor local;
  asio::ip::tcp::acceptor tcp;
  Script script;
  Endpoint endpoint;
  std::string folder;
  std::vector<std::string> requests;
  size_t connections = 0;
  std::vector<std::shared_ptr<Socket>> held;
};

namespace {
using StatePtr = std::shared_ptr<StubEngine::State>;

Task<> serve(StatePtr state, std::shared_ptr<Socket> socket) {
  ++state->connections;
  for (bool another = true; another;) {
    std::string text;
    error_code error;
    co_await asio::async_read_until(*socket, asio::dynamic_buffer(text), "\r\n\r\n",
                                    asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    const auto target = text.substr(0, text.find(" HTTP/"));
    state->requests.push_back(target);
    const auto answer = state->script(target);
    co_await asio::async_write(*socket, asio::buffer(answer.bytes),
                               asio::redirect_error(asio::use_awaitable, error));
    if (answer.hold) state->held.push_back(socket);
    another = !error && !answer.hold && !answer.hang_up && text.find("Connection: close") == std::string::npos;
  }
}

template <class Acceptor>
Task<> accept_all(StatePtr state, Acceptor& acceptor) {
  while (acceptor.is_open()) {
    error_code error;
    auto accepted = co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error) co_return;
    auto socket = std::make_shared<Socket>(std::move(accepted));
    asio::co_spawn(state->io, serve(state, socket), [](std::exception_ptr) {});
  }
}

}  // namespace

StubAnswer http_answer(int status, const std::string& content_type, const std::string& body,
                       const std::string& headers) {
  StubAnswer answer;
  answer.bytes =
      "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Type: " + content_type + "\r\n" + headers;
  if (status != 204 && status != 304)
    answer.bytes += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  answer.bytes += "\r\n" + body;
  return answer;
}

StubAnswer json_answer(int status, const std::string& body) {
  return http_answer(status, "application/json", body);
}

StubAnswer ping_answer(const std::string& api_version) {
  return http_answer(200, "text/plain", "OK", "Api-Version: " + api_version + "\r\n");
}

StubEngine::StubEngine(asio::io_context& io, Script script, bool tcp) : state_(std::make_shared<State>(io)) {
  state_->script = std::move(script);
  if (tcp) {
    const asio::ip::tcp::endpoint any(asio::ip::address_v4::loopback(), 0);
    state_->tcp = asio::ip::tcp::acceptor(io, any);
    state_->endpoint.host = "127.0.0.1";
    state_->endpoint.port = state_->tcp.local_endpoint().port();
    asio::co_spawn(io, accept_all(state_, state_->tcp), [](std::exception_ptr) {});
    return;
  }
  std::string pattern = (std::filesystem::temp_directory_path() / "kopi-docka-stub-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  state_->folder = pattern;
  state_->endpoint.path = pattern + "/docker.sock";
  state_->local = asio::local::stream_protocol::acceptor(
      io, asio::local::stream_protocol::endpoint(state_->endpoint.path));
  asio::co_spawn(io, accept_all(state_, state_->local), [](std::exception_ptr) {});
}

StubEngine::~StubEngine() {
  error_code ignored;
  state_->local.close(ignored);
  state_->tcp.close(ignored);
  close_held();
  std::error_code failure;
  if (!state_->folder.empty()) std::filesystem::remove_all(state_->folder, failure);
}

const Endpoint& StubEngine::endpoint() const { return state_->endpoint; }

const std::vector<std::string>& StubEngine::requests() const { return state_->requests; }

size_t StubEngine::count(const std::string& part) const {
  const auto& all = state_->requests;
  return static_cast<size_t>(std::count_if(
      all.begin(), all.end(), [&](const auto& one) { return one.find(part) != std::string::npos; }));
}

void StubEngine::send(const std::string& bytes) {
  for (const auto& socket : state_->held) {
    error_code ignored;
    asio::write(*socket, asio::buffer(bytes), ignored);
  }
}

void StubEngine::close_held() {
  for (const auto& socket : state_->held) {
    error_code ignored;
    socket->close(ignored);
  }
  state_->held.clear();
}

size_t StubEngine::connections() const { return state_->connections; }

}  // namespace kopidocka::testing
