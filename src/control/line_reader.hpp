#pragma once

#include <string>

#include <boost/asio/local/stream_protocol.hpp>

#include "base/task.hpp"

namespace kopidocka {

/// Reads lines of a stream one by one, each at most `limit` bytes.
class LineReader {
 public:
  LineReader(boost::asio::local::stream_protocol::socket& socket, size_t limit)
      : socket_(socket), limit_(limit) {}

  /// Puts the next line, without its line break, into `line`. Throws ErrorKind::unreachable at the end of the
  /// stream and ErrorKind::invalid when the line is too long.
  Task<> next(std::string& line);

 private:
  boost::asio::local::stream_protocol::socket& socket_;
  size_t limit_;
  std::string buffer_;
};

}  // namespace kopidocka
