#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>

namespace kopidocka {

/// Closes the socket when the time is up; the operation in flight then ends with an error that the owner
/// explains by asking expired().
class SocketDeadline {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;

  SocketDeadline(Socket& socket, boost::asio::steady_timer::time_point end)
      : timer_(socket.get_executor(), end), state_(std::make_shared<State>()) {
    state_->socket = &socket;
    timer_.async_wait([state = state_](boost::system::error_code error) {
      if (error || state->socket == nullptr) return;
      state->expired = true;
      boost::system::error_code ignored;
      state->socket->close(ignored);
    });
  }
  SocketDeadline(const SocketDeadline&) = delete;
  SocketDeadline& operator=(const SocketDeadline&) = delete;
  ~SocketDeadline() { state_->socket = nullptr; }

  bool expired() const { return state_->expired; }
  boost::asio::steady_timer::time_point ends() const { return timer_.expiry(); }
  /// Somebody who waited until ends() for something else than the socket has seen the time go by.
  void expire() const { state_->expired = true; }

 private:
  struct State {
    Socket* socket = nullptr;
    bool expired = false;
  };
  boost::asio::steady_timer timer_;
  std::shared_ptr<State> state_;
};

}  // namespace kopidocka
