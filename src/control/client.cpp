#include "control/client.hpp"

#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "control/line_reader.hpp"

namespace kopidocka {
namespace asio = boost::asio;
namespace {

constexpr size_t kAnswerLimit = 256u << 20;

Error not_reached(const std::filesystem::path& path, const boost::system::error_code& code) {
  const auto kind =
      code == boost::system::errc::permission_denied ? ErrorKind::denied : ErrorKind::unreachable;
  return {kind, "no daemon answers on " + path.string() + ": " + code.message(),
          kind == ErrorKind::denied ? "run the command as root"
                                    : "is the daemon running? Start it, or add --inline"};
}

}  // namespace

ControlClient::ControlClient(const asio::any_io_executor& executor, std::filesystem::path socket)
    : path_(std::move(socket)), socket_(executor) {}

Task<> ControlClient::connect_and_send(std::string line) {
  boost::system::error_code code;
  if (path_.string().size() >= sizeof(sockaddr_un::sun_path))
    throw Error(ErrorKind::invalid, path_.string() + " is too long for a unix socket");
  co_await socket_.async_connect(asio::local::stream_protocol::endpoint(path_.string()),
                                 asio::redirect_error(asio::use_awaitable, code));
  if (code) throw not_reached(path_, code);
  // A daemon that refuses us answers and closes before it reads, so a failed write is no reason not to read
  // its answer.
  co_await asio::async_write(socket_, asio::buffer(line), asio::redirect_error(asio::use_awaitable, code));
}

/// A daemon that hangs still accepts connections: the kernel does it in its place.
Task<> ControlClient::within(Task<> part, Milliseconds patience) const {
  try {
    co_await with_timeout(std::move(part), patience, "reaching the daemon");
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::timeout) throw;
    throw Error(ErrorKind::unreachable, "the daemon on " + path_.string() + " does not answer",
                "it hangs: look at its log and restart it; what it has stopped is started at its next start");
  }
}

Task<> ControlClient::next_line(LineReader& reader, std::string& line) {
  try {
    co_await reader.next(line);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::unreachable) throw;
    throw Error(ErrorKind::unreachable, "the daemon went away before it answered",
                "look at its log; `kopi-docka status` tells what became of the run once it is up again");
  }
}

Task<ControlReply> ControlClient::call(ControlRequest request,
                                       std::function<void(const std::string&)> on_progress,
                                       Milliseconds patience) {
  co_await within(connect_and_send(encode_request(request)), patience);
  sent_ = true;
  if (cancel_wanted_ != CancelGrade::none) cancel(cancel_wanted_);
  LineReader reader(socket_, kAnswerLimit);
  std::string line;
  co_await within(next_line(reader, line), patience);
  while (true) {
    const auto said = decode_line(line);
    if (!said) throw Error(said.error());
    if (said->progress && on_progress) on_progress(*said->progress);
    if (said->reply) co_return *said->reply;
    co_await next_line(reader, line);
  }
}

void ControlClient::cancel(CancelGrade grade) {
  cancel_wanted_ = grade;
  if (!sent_) return;
  const auto line = encode_cancel(grade);
  [[maybe_unused]] const auto written =
      ::send(socket_.native_handle(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
}

}  // namespace kopidocka
