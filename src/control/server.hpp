#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>

#include "base/task.hpp"
#include "control/target.hpp"

namespace kopidocka {

struct ControlLimits {
  size_t connections = 32;
  size_t request_bytes = 1u << 20;
  Milliseconds request_deadline{10'000};  ///< from accept to the end of the request line
  Milliseconds write_deadline{30'000};    ///< for one line to a client that does not read
  size_t waiting_progress = 256;          ///< progress lines kept for a slow client
};

/// The unix socket (0600, in a folder only we may enter) through which the command line talks to the daemon.
/// Only our own user and root are answered. One request per connection.
class ControlServer {
 public:
  ControlServer(boost::asio::any_io_executor executor, ControlTarget& target, std::filesystem::path socket,
                ControlLimits limits = {});
  ~ControlServer();

  /// Creates the socket. ErrorKind::busy when a live daemon answers on it; what a dead one left behind is
  /// replaced.
  void open();

  /// Answers until stop(), then returns when every running request has been answered. Owned by a TaskGroup.
  Task<> serve();

  /// Accepts no more, removes the socket and asks running requests to finish their step.
  void stop();

 private:
  struct Session;
  Task<> talk(std::shared_ptr<Session> session);
  Task<> answer(std::shared_ptr<Session> session, ControlRequest request);
  void admit(boost::asio::local::stream_protocol::socket socket, TaskGroup& group);

  boost::asio::any_io_executor executor_;
  ControlTarget& target_;
  std::filesystem::path path_;
  ControlLimits limits_;
  boost::asio::local::stream_protocol::acceptor acceptor_;
  std::set<std::shared_ptr<Session>> sessions_;
  bool stopping_ = false;
};

}  // namespace kopidocka
