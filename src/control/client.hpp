#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>

#include "base/task.hpp"
#include "control/protocol.hpp"

namespace kopidocka {

class LineReader;

/// The command line's end of the control socket; good for one call.
class ControlClient {
 public:
  ControlClient(const boost::asio::any_io_executor& executor, std::filesystem::path socket);

  /// Sends `request` and waits for its answer, however long the work takes; `on_progress` gets each progress
  /// value as JSON text. Throws the daemon's own Error, or ErrorKind::unreachable when no daemon listens, when
  /// it goes away, or when it has not taken the request within `patience` (it hangs).
  Task<ControlReply> call(ControlRequest request, std::function<void(const std::string&)> on_progress = {},
                          Milliseconds patience = Milliseconds(15'000));

  /// Asks the daemon to stop the work; call() still returns with its answer.
  void cancel(CancelGrade grade);

 private:
  Task<> connect_and_send(std::string line);
  static Task<> next_line(LineReader& reader, std::string& line);
  Task<> within(Task<> part, Milliseconds patience) const;

  std::filesystem::path path_;
  boost::asio::local::stream_protocol::socket socket_;
  bool sent_ = false;
  CancelGrade cancel_wanted_ = CancelGrade::none;
};

}  // namespace kopidocka
