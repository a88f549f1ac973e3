#include "docker/event_stream.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "docker/decode.hpp"
#include "docker/request_target.hpp"

namespace kopidocka {
namespace asio = boost::asio;

namespace {

constexpr size_t kPiece = 4096;

}  // namespace

EventStream::EventStream(asio::any_io_executor executor, EngineClient& client, EventSettings settings,
                         EventCallbacks callbacks)
    : executor_(std::move(executor)),
      client_(client),
      settings_(std::move(settings)),
      callbacks_(std::move(callbacks)),
      stop_timer_(executor_, asio::steady_timer::time_point::max()),
      pause_(settings_.first_pause) {}

void EventStream::stop() {
  stopped_ = true;
  stop_timer_.cancel();
}

Task<> EventStream::run(Cancel cancel) {
  const auto subscription = cancel.on_abort([this] { stop(); });
  if (stopped_) co_return;
  auto [order, error, stop_error] =
      co_await asio::experimental::make_parallel_group(asio::co_spawn(executor_, follow(), asio::deferred),
                                                       stop_timer_.async_wait(asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  counters_.connected = false;
  if (!stopped_ && error) std::rethrow_exception(error);
}

Task<> EventStream::follow() {
  while (!stopped_) {
    std::optional<Error> failure;
    try {
      co_await follow_once();
    } catch (const Error& error) {
      if (stopped_ || error.kind() == ErrorKind::cancelled) throw;
      failure = error;
    }
    disconnected(*failure);
    if (stopped_) co_return;
    co_await sleep_for(pause_);
    pause_ = std::min(pause_ * 2, settings_.longest_pause);
  }
}

/// Never returns: every end of a connection is an Error.
Task<> EventStream::follow_once() {
  if (!memory_.started()) {
    const auto seconds = co_await client_.engine_seconds();
    memory_.start_at(seconds);
  }
  const auto stream = co_await client_.open_events(query());
  connected();
  EventLines lines(settings_.line_limit);
  std::string piece(kPiece, '\0');
  while (true) {
    const auto got = co_await stream->read(piece.data(), piece.size());
    if (got == 0) {
      throw Error(ErrorKind::unreachable,
                  "GET /events at " + client_.endpoint().text() + ": the event stream was ended");
    }
    const auto deliver_record = [this](std::string_view record) { deliver(record); };
    if (!lines.append(std::string_view(piece).substr(0, got), deliver_record)) {
      memory_.forget();
      throw Error(ErrorKind::failed, "GET /events at " + client_.endpoint().text() +
                                         ": an event is longer than " + std::to_string(settings_.line_limit) +
                                         " bytes");
    }
  }
}

void EventStream::connected() {
  counters_.connected = true;
  counters_.connect_failures_in_row = 0;
  if (++counters_.connections > 1) ++counters_.reconnects;
  connected_at_ = std::chrono::steady_clock::now();
  if (!stopped_ && callbacks_.on_connected) callbacks_.on_connected();
}

void EventStream::disconnected(const Error& error) {
  if (counters_.connected) {
    if (std::chrono::steady_clock::now() - connected_at_ >= settings_.settled) pause_ = settings_.first_pause;
  } else if (error.kind() == ErrorKind::unreachable || error.kind() == ErrorKind::denied) {
    ++counters_.connect_failures_in_row;
  }
  counters_.connected = false;
  if (!stopped_ && callbacks_.on_disconnected) callbacks_.on_disconnected(error);
}

void EventStream::deliver(std::string_view record) {
  if (stopped_) return;
  const auto event = decode_event(record);
  if (!event) {
    ++counters_.unreadable;
    return;
  }
  if (!memory_.is_new(*event)) {
    ++counters_.duplicates;
    return;
  }
  const auto& known = settings_.actions;
  const bool asked_for = std::find(known.begin(), known.end(), event->action) != known.end();
  ++counters_.by_action[asked_for ? event->action : "other"];
  counters_.last_event = std::chrono::system_clock::now();
  pause_ = settings_.first_pause;
  if (callbacks_.on_event) callbacks_.on_event(*event);
}

std::string EventStream::query() const {
  const auto since = memory_.since();
  return (since.empty() ? "" : "since=" + since + "&") +
         "filters=" + query_value(encode_filters(settings_.types, settings_.actions));
}

}  // namespace kopidocka
