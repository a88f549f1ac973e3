#include "process/process.hpp"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <exception>
#include <memory>
#include <utility>

#include "process/lines.hpp"
#include "process/spawn.hpp"

namespace kopidocka {
namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;

constexpr Milliseconds kPipeGrace{1'000};   ///< how long pipes are read after the child has exited
constexpr Milliseconds kKillGrace{10'000};  ///< how long a killed child may take to die before we stop waiting
constexpr size_t kLineLimit = 1u << 20;
constexpr int kDrainRounds = 256;

/// A running child and all that reacts to it. The callbacks only set flags and wake the one coroutine that decides.
class Child {
 public:
  Child(const asio::any_io_executor& executor, SpawnedChild child, ProcessSpec spec)
      : spec_(std::move(spec)),
        pid_(child.pid),
        exit_(executor, child.exit.release()),
        output_(executor, child.output.release()),
        error_(executor, child.error.release()),
        wake_(executor) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    // Reached with a running child only when our coroutine is destroyed with its io_context.
    if (!reaped_) kill_and_reap();
  }

  Task<> read_output() {
    LineSplitter lines(spec_.on_output_line ? spec_.on_output_line : [](const std::string&) {}, spec_.output_limit, false);
    std::array<char, 65'536> buffer;
    while (const size_t count = co_await read_some(output_, buffer)) {
      if (spec_.on_output_line) {
        feed(lines, {buffer.data(), count});
        continue;
      }
      const size_t room = spec_.output_limit - result.output.size();
      result.output.append(buffer.data(), std::min(room, count));
      if (count > room) result.output_truncated = true;
    }
    feed_end(lines);
    result.output_truncated = result.output_truncated || lines.cut();
    pipe_closed();
  }

  Task<> read_error() {
    LineSplitter lines(spec_.on_error_line ? spec_.on_error_line : [](const std::string&) {}, kLineLimit, true);
    std::array<char, 16'384> buffer;
    while (const size_t count = co_await read_some(error_, buffer)) {
      if (spec_.on_error_line) feed(lines, {buffer.data(), count});
      auto& tail = result.error_tail;
      tail.append(buffer.data(), count);
      if (tail.size() > 2 * spec_.error_limit) tail.erase(0, tail.size() - spec_.error_limit);
    }
    feed_end(lines);
    auto& tail = result.error_tail;
    if (tail.size() > spec_.error_limit) tail.erase(0, tail.size() - spec_.error_limit);
    pipe_closed();
  }

  /// A wait may end although nothing has happened: asio gives the state of a closed descriptor, with what was still
  /// queued for it, to the next one that is opened. Taken for an exit, that would kill a child that had just begun.
  void watch_exit() {
    exit_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
      if (error) return;
      if (!has_exited()) return watch_exit();
      exited_ = true;
      wake_.cancel();
    });
  }

  void abort() {
    abort_asked_ = true;
    wake_.cancel();
  }

  /// Returns once the child has exited, or is not to be had any more although it was killed.
  Task<> wait_exit() {
    const auto start = steady_clock::now();
    const bool bounded = spec_.deadline.count() > 0;
    while (!exited_) {
      const auto now = steady_clock::now();
      if (abort_asked_ && !result.aborted) {
        result.aborted = true;
        interrupt(now);
      } else if (bounded && !ending_ && now >= start + spec_.deadline) {
        result.timed_out = true;
        interrupt(now);
      } else if (ending_ && !killed_ && now >= kill_at_) {
        ::kill(-pid_, SIGKILL);
        killed_ = true;
      } else if (killed_ && now >= kill_at_ + kKillGrace) {
        co_return;
      }
      wake_.expires_at(killed_ ? kill_at_ + kKillGrace
                       : ending_ ? kill_at_
                       : bounded ? start + spec_.deadline
                                 : steady_clock::time_point::max());
      co_await sleep();
    }
  }

  /// The child is gone; a grandchild may keep its pipes open for a moment, then the group goes too.
  Task<> wait_pipes() {
    const auto end = steady_clock::now() + kPipeGrace;
    while (open_pipes_ > 0 && steady_clock::now() < end) {
      wake_.expires_at(end);
      co_await sleep();
    }
  }

  /// While its leader is still a zombie, no other group can have its number.
  void kill_group() { ::kill(-pid_, SIGKILL); }

  /// What the child wrote and we were too slow to read: a machine that stood still for a second must not turn an answer
  /// into silence. Somebody outside the killed group may go on writing, so the rounds are bounded.
  Task<> drain() {
    for (int round = 0; round < kDrainRounds && open_pipes_ > 0; ++round) {
      const bool last = unread(output_) == 0 && unread(error_) == 0;
      co_await asio::post(wake_.get_executor(), asio::use_awaitable);
      if (last) co_return;
    }
  }

  void kill_and_reap() {
    reaped_ = true;
    kill_group();
    int status = 0;
    pid_t got = 0;
    do {
      got = ::waitpid(pid_, &status, exited_ ? 0 : WNOHANG);
    } while (got < 0 && errno == EINTR);
    if (got == pid_) result.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    // As process 1 or as a subreaper we inherit the grandchildren as well.
    for (int round = 0; round < 50; ++round) {
      const pid_t other = ::waitpid(-pid_, nullptr, WNOHANG);
      if (other < 0) break;
      if (other == 0) ::usleep(1'000);
    }
    boost::system::error_code ignored;
    output_.close(ignored);
    error_.close(ignored);
    exit_.close(ignored);
  }

  void rethrow_callback_error() const {
    if (callback_error_) std::rethrow_exception(callback_error_);
  }

  ProcessResult result;

 private:
  template <size_t Size>
  Task<size_t> read_some(asio::posix::stream_descriptor& from, std::array<char, Size>& buffer) {
    boost::system::error_code error;
    const auto count = co_await from.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    co_return error ? 0 : count;
  }

  bool has_exited() {
    pollfd poll{exit_.native_handle(), POLLIN, 0};
    return ::poll(&poll, 1, 0) == 1;
  }

  static int unread(asio::posix::stream_descriptor& pipe) {
    int bytes = 0;
    return ::ioctl(pipe.native_handle(), FIONREAD, &bytes) == 0 ? bytes : 0;
  }

  Task<> sleep() {
    co_await note_cancellation();
    if (abort_asked_ && !result.aborted) co_return;
    boost::system::error_code ignored;
    co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_await note_cancellation();
  }

  /// Asio's own cancellation is taken once as a request to abort; after it our waits must work again.
  Task<> note_cancellation() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() == asio::cancellation_type::none) co_return;
    abort_asked_ = true;
    co_await asio::this_coro::reset_cancellation_state();
  }

  /// A callback that throws must not leave a child behind with nobody reading its pipes.
  void feed(LineSplitter& lines, std::string_view bytes) {
    if (callback_error_) return;
    try {
      lines.add(bytes);
    } catch (...) {
      callback_error_ = std::current_exception();
      abort();
    }
  }

  void feed_end(LineSplitter& lines) {
    if (callback_error_) return;
    try {
      lines.finish();
    } catch (...) {
      callback_error_ = std::current_exception();
    }
  }

  void interrupt(steady_clock::time_point now) {
    ::kill(-pid_, SIGINT);
    if (!ending_) kill_at_ = now + spec_.grace;
    ending_ = true;
  }

  void pipe_closed() {
    --open_pipes_;
    wake_.cancel();
  }

  ProcessSpec spec_;
  pid_t pid_;
  asio::posix::stream_descriptor exit_, output_, error_;
  asio::steady_timer wake_;
  bool exited_ = false, reaped_ = false, abort_asked_ = false, ending_ = false, killed_ = false;
  steady_clock::time_point kill_at_{};
  int open_pipes_ = 2;
  std::exception_ptr callback_error_;
};

Task<> read_output(std::shared_ptr<Child> child) { co_await child->read_output(); }
Task<> read_error(std::shared_ptr<Child> child) { co_await child->read_error(); }

/// Until the child and its readers are gone; errors are left in the child.
Task<> attend(std::shared_ptr<Child> child) {
  TaskGroup readers(co_await asio::this_coro::executor);
  readers.spawn(read_output(child));
  readers.spawn(read_error(child));
  child->watch_exit();
  co_await child->wait_exit();
  co_await child->wait_pipes();
  child->kill_group();
  co_await child->drain();
  child->kill_and_reap();
  co_await readers.join();
}

}  // namespace

Task<ProcessResult> run_process(ProcessSpec spec, Cancel cancel) {
  ProcessResult never_started;
  never_started.aborted = true;
  if (cancel.grade() == CancelGrade::abort_step) co_return never_started;
  const auto start = steady_clock::now();
  auto spawned = spawn({spec.argv, spec.environment, spec.folder, spec.input, spec.output_to});
  if (!spawned) throw spawned.error();
  const auto executor = co_await asio::this_coro::executor;
  const auto child = std::make_shared<Child>(executor, std::move(*spawned), std::move(spec));
  const auto abort = cancel.on_abort([child = child.get()] { child->abort(); });
  // A cancelled wait must not throw past a running child. The setting belongs to the whole chain of coroutines, so it
  // is put back.
  const bool throws = co_await asio::this_coro::throw_if_cancelled();
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await attend(child);
  co_await asio::this_coro::throw_if_cancelled(throws);
  child->rethrow_callback_error();
  child->result.seconds = std::chrono::duration<double>(steady_clock::now() - start).count();
  co_return std::move(child->result);
}

}  // namespace kopidocka
