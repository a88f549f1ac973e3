#include "engine/kopia/kopia_gate.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <cstdio>
#include <utility>

#include "base/text.hpp"
#include "engine/kopia/kopia_gate_socket.hpp"

namespace kopidocka {
namespace asio = boost::asio;
namespace {

constexpr size_t kLineLimit = 256;

std::string random_hex() {
  const FileDescriptor source(::open("/dev/urandom", O_RDONLY | O_CLOEXEC));
  unsigned char bytes[16] = {};
  if (::read(source.get(), bytes, sizeof bytes) != static_cast<ssize_t>(sizeof bytes)) throw system_error(errno, "read /dev/urandom");
  std::string text;
  for (const auto byte : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", byte);
    text += two;
  }
  return text;
}

FileDescriptor listen_in(const std::string& folder, const std::string& name) {
  FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const GateAddress address(folder, name);
  if (!socket || ::bind(socket.get(), address.get(), address.size()) != 0 || ::listen(socket.get(), 4) != 0) {
    throw system_error(errno, "listen in " + printable(folder), "look whether the cache folder can be written");
  }
  return socket;
}

}  // namespace

KopiaGate::KopiaGate(const asio::any_io_executor& executor, SnapshotGate& gate, const std::string& folder, std::string helper, AfterKnock after)
    : executor_(executor),
      gate_(gate),
      folder_(folder),
      name_(random_hex()),
      token_(random_hex()),
      helper_(std::move(helper)),
      after_(after),
      acceptor_(executor),
      changed_(executor),
      watchers_(executor) {
  make_private_folder(folder_).value();
  acceptor_.assign(asio::local::stream_protocol(), listen_in(folder_, name_).release());
}

KopiaGate::~KopiaGate() {
  close();
  ::unlink((folder_ + "/" + name_).c_str());
}

std::vector<std::string> KopiaGate::environment() const {
  return {"KOPI_DOCKA_GATE=" + helper_ + " gate", std::string(kGateFolder) + "=" + folder_, std::string(kGateName) + "=" + name_,
          std::string(kGateToken) + "=" + token_};
}

Task<> KopiaGate::serve() {
  TaskGroup group(executor_);
  while (!closed_) {
    auto socket = std::make_shared<Socket>(executor_);
    boost::system::error_code code;
    co_await acceptor_.async_accept(*socket, asio::redirect_error(asio::use_awaitable, code));
    if (closed_) break;
    if (code) {
      co_await sleep_for(Milliseconds(100));
      continue;
    }
    guests_.insert(socket);
    group.spawn(answer(std::move(socket)));
  }
  co_await group.join();
  co_await watchers_.join();
}

Task<> KopiaGate::answer(std::shared_ptr<Socket> socket) {
  std::string line;
  boost::system::error_code code;
  (void)co_await asio::async_read_until(*socket, asio::dynamic_buffer(line, kLineLimit), '\n', asio::redirect_error(asio::use_awaitable, code));
  if (!code) {
    const auto reply = co_await reply_to(trim(line), *socket);
    if (!reply.empty()) co_await asio::async_write(*socket, asio::buffer(reply), asio::redirect_error(asio::use_awaitable, code));
  }
  guests_.erase(socket);
  socket->close(code);
}

/// Empty for who is not let in.
Task<std::string> KopiaGate::reply_to(std::string line, Socket& socket) {
  // Named values and one end: g++ 12 makes an illegal instruction of this function otherwise.
  const std::string before = token_ + " before-snapshot-root", after = token_ + " after-snapshot-root";
  std::string reply;
  if (line == after && after_ == AfterKnock::kept_waiting) {
    reply = co_await keep_waiting(socket);
  } else if (line == after) {
    gate_.tell_all_read();
    reply = "go\n";
  } else if (line == before) {
    gate_.arrive();
    const bool let_in = co_await gate_.opened();
    if (let_in) {
      passed_ = true;
      reply = "go\n";
    }
  }
  co_return reply;
}

/// Told only when the helper says that it holds out: a SIGINT that ended it first could let Kopia finish as if nothing was.
Task<std::string> KopiaGate::keep_waiting(Socket& socket) {
  std::string line, reply;
  boost::system::error_code code;
  co_await asio::async_write(socket, asio::buffer(kGateWait.data(), kGateWait.size()), asio::redirect_error(asio::use_awaitable, code));
  (void)co_await asio::async_read_until(socket, asio::dynamic_buffer(line, kLineLimit), '\n', asio::redirect_error(asio::use_awaitable, code));
  if (!code && line == kGateWait) {
    watchers_.spawn(notice_loss(socket));
    gate_.tell_all_read();
    while (!let_go_ && !closed_ && !lost_) co_await changed_.wait();
    if (let_go_) reply = "go\n";
  }
  co_return reply;
}

/// The helper says nothing more: what can be read is its end.
Task<> KopiaGate::notice_loss(Socket& socket) {
  boost::system::error_code code;
  co_await socket.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, code));
  if (!code && !let_go_ && !closed_) {
    lost_ = true;
    changed_.notify();
    if (on_lost) on_lost();
  }
}

void KopiaGate::let_go() {
  let_go_ = true;
  changed_.notify();
}

void KopiaGate::close() {
  if (std::exchange(closed_, true)) return;
  changed_.notify();
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  for (const auto& guest : guests_) guest->shutdown(Socket::shutdown_both, ignored);
}

}  // namespace kopidocka
