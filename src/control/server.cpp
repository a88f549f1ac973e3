#include "control/server.hpp"

#include <deque>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "control/line_reader.hpp"
#include "control/socket_file.hpp"

namespace kopidocka {
namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

struct ControlServer::Session {
  Session(Socket connected, const ControlLimits& given)
      : socket(std::move(connected)),
        reader(socket, given.request_bytes),
        wake(socket.get_executor()),
        limits(given) {}

  void push(std::string line) {
    if (client_gone) return;
    lines.push_back(std::move(line));
    wake.notify();
  }
  /// Ends the pending read; what is still to be written goes out.
  void stop_reading() {
    boost::system::error_code ignored;
    socket.shutdown(Socket::shutdown_receive, ignored);
  }

  Socket socket;
  LineReader reader;
  Signal wake;
  ControlLimits limits;
  Cancel cancel;
  std::deque<std::string> lines;
  bool request_read = false, finished = false, client_gone = false;
};

namespace {

Task<> write_line(Socket& socket, std::string line) {
  co_await asio::async_write(socket, asio::buffer(line), asio::use_awaitable);
}

template <class Session>
Task<> write_lines(std::shared_ptr<Session> session) {
  while (true) {
    while (session->lines.empty()) {
      if (session->finished) co_return;
      co_await session->wake.wait();
    }
    auto line = std::move(session->lines.front());
    session->lines.pop_front();
    if (session->client_gone) continue;
    try {
      co_await with_timeout(write_line(session->socket, std::move(line)), session->limits.write_deadline,
                            "writing an answer");
    } catch (const std::exception&) {
      session->client_gone = true;
      session->lines.clear();
    }
  }
}

template <class Session>
Task<> watch_for_cancel(std::shared_ptr<Session> session) {
  try {
    std::string line;
    while (true) {
      co_await session->reader.next(line);
      if (const auto grade = decode_cancel(line); grade != CancelGrade::none) session->cancel.request(grade);
    }
  } catch (const Error&) {
    // The client went away or said too much: the work goes on without listening to it.
  }
}

}  // namespace

ControlServer::ControlServer(asio::any_io_executor executor, ControlTarget& target,
                             std::filesystem::path socket, ControlLimits limits)
    : executor_(std::move(executor)),
      target_(target),
      path_(std::move(socket)),
      limits_(limits),
      acceptor_(executor_) {}

ControlServer::~ControlServer() { stop(); }

void ControlServer::open() {
  auto listening = listen_on(path_);
  if (!listening) throw Error(listening.error()).in("control socket");
  acceptor_.assign(asio::local::stream_protocol(), listening->release());
}

Task<> ControlServer::serve() {
  TaskGroup group(executor_);
  while (!stopping_) {
    Socket socket(executor_);
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

void ControlServer::admit(Socket socket, TaskGroup& group) {
  std::string refusal;
  if (!peer_is_allowed(socket.native_handle())) {
    refusal = encode_error({ErrorKind::denied, "only the user of the daemon and root may control it",
                            "run the command as root"});
  } else if (sessions_.size() >= limits_.connections) {
    refusal = encode_error(
        {ErrorKind::busy, "the daemon answers too many commands already", "try again in a moment"});
  }
  if (!refusal.empty()) {
    // Short enough for the socket's buffer; a client that is refused must not cost us a coroutine.
    [[maybe_unused]] const auto sent =
        ::send(socket.native_handle(), refusal.data(), refusal.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  auto session = std::make_shared<Session>(std::move(socket), limits_);
  sessions_.insert(session);
  group.spawn(talk(std::move(session)));
}

Task<> ControlServer::talk(std::shared_ptr<Session> session) {
  TaskGroup group(executor_);
  group.spawn(write_lines(session));
  std::exception_ptr failure;
  try {
    std::string line;
    co_await with_timeout(session->reader.next(line), limits_.request_deadline, "waiting for the request");
    session->request_read = true;
    const auto request = decode_request(line);
    if (!request) throw Error(request.error());
    session->push(encode_accepted());
    group.spawn(watch_for_cancel(session));
    co_await answer(session, *request);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) session->push(encode_error(to_error(failure)));
  session->finished = true;
  session->stop_reading();
  session->wake.notify();
  co_await group.join();
  sessions_.erase(session);
}

Task<> ControlServer::answer(std::shared_ptr<Session> session, ControlRequest request) {
  const ProgressSink progress = [weak = std::weak_ptr<Session>(session)](const std::string& json) {
    const auto target = weak.lock();
    if (target && !target->finished && target->lines.size() < target->limits.waiting_progress)
      target->push(encode_progress(json));
  };
  const auto reply = co_await target_.handle(std::move(request), progress, session->cancel);
  session->push(encode_reply(reply));
}

void ControlServer::stop() {
  if (std::exchange(stopping_, true)) return;
  boost::system::error_code ignored;
  if (acceptor_.is_open()) {
    acceptor_.close(ignored);
    ::unlink(path_.c_str());
  }
  for (const auto& session : sessions_) {
    session->cancel.request(CancelGrade::finish_step);
    if (!session->request_read) session->stop_reading();
  }
}

}  // namespace kopidocka
