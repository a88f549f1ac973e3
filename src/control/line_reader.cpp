#include "control/line_reader.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace kopidocka {
namespace asio = boost::asio;

Task<> LineReader::next(std::string& line) {
  boost::system::error_code code;
  const auto size = co_await asio::async_read_until(socket_, asio::dynamic_buffer(buffer_, limit_), '\n',
                                                    asio::redirect_error(asio::use_awaitable, code));
  if (code == asio::error::not_found) {
    throw Error(ErrorKind::invalid, "a line is longer than " + std::to_string(limit_) + " bytes");
  }
  if (code == asio::error::operation_aborted) throw Error(ErrorKind::cancelled, "reading was stopped");
  if (code) throw Error(ErrorKind::unreachable, "the connection was closed");
  line.assign(buffer_, 0, size - 1);
  buffer_.erase(0, size);
}

}  // namespace kopidocka
