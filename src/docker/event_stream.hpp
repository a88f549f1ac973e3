#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/clock.hpp"
#include "base/task.hpp"
#include "docker/engine_client.hpp"
#include "docker/event_lines.hpp"
#include "docker/event_memory.hpp"

namespace kopidocka {

struct EventSettings {
  /// Filtered by the engine: the events of exec, which health checks cause all the time and which carry
  /// command lines, never leave it.
  std::vector<std::string> types = {"container", "volume", "network"};
  std::vector<std::string> actions = {"create",        "start",   "die",        "stop",   "kill",    "oom",
                                      "pause",         "unpause", "rename",     "update", "destroy", "remove",
                                      "health_status", "connect", "disconnect", "prune"};
  Milliseconds first_pause{250};  ///< before the first new attempt; doubles with each failure
  Milliseconds longest_pause{15'000};
  Milliseconds settled{5'000};  ///< a connection that lasted this long, or brought an event, resets the pause
  size_t line_limit = 1u << 20;  ///< bytes of one event
};

struct EventCounters {
  bool connected = false;
  std::uint64_t connections = 0;
  std::uint64_t reconnects = 0;          ///< connections after the first
  unsigned connect_failures_in_row = 0;  ///< attempts that found nobody to talk to since the last connection
  std::uint64_t duplicates = 0;          ///< replayed events that were delivered before and dropped
  std::uint64_t unreadable = 0;          ///< records that are no event
  std::map<std::string, std::uint64_t> by_action;  ///< delivered; "other" for actions nobody asked for
  TimePoint last_event{};  ///< when the last event arrived, by our clock; epoch = never
};

/// All three are called on the io_context, must not throw and should only note what happened: while they run,
/// nothing is read, and the engine drops events for a reader that is slower than a tenth of a second, without
/// telling.
struct EventCallbacks {
  std::function<void(const DockerEvent&)> on_event;
  /// The subscription stands: list now, after it, and nothing can be missed between.
  std::function<void()> on_connected;
  /// An attempt failed or a connection ended; the next attempt follows by itself.
  std::function<void(const Error&)> on_disconnected;
};

/// Follows /events for as long as it runs: reconnects with a growing pause, continues where it was cut
/// (`since`), and drops what it delivered before. The engine keeps 256 events and forgets them when it
/// restarts, and skips slow readers: events are hints, the owner lists again on every on_connected() and from
/// time to time. A half-open TCP connection is found by keepalive within about a minute; an engine that hangs
/// with an open socket only by that listing.
///
/// Order may be odd (die before stop) and our own stops and starts come back: act on the id and the inspected
/// state. The first subscription starts at the engine's present second, so an event of that second from
/// before may come.
///
/// Owned by whoever spawns run() in its TaskGroup; must outlive run().
class EventStream {
 public:
  EventStream(boost::asio::any_io_executor executor, EngineClient& client, EventSettings settings,
              EventCallbacks callbacks);
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  /// Ends without an error at stop() or at CancelGrade::abort_step, closing the connection at whatever stage
  /// it is. A milder request does not end it: members are still started then, and their events still wanted.
  Task<> run(Cancel cancel);
  /// Also ends a run() that begins later. No callback comes after it.
  void stop();

  const EventCounters& counters() const { return counters_; }

 private:
  Task<> follow();
  Task<> follow_once();
  void connected();
  void disconnected(const Error& error);
  void deliver(std::string_view record);
  std::string query() const;

  boost::asio::any_io_executor executor_;
  EngineClient& client_;
  EventSettings settings_;
  EventCallbacks callbacks_;
  EventCounters counters_;
  EventMemory memory_;
  boost::asio::steady_timer stop_timer_;
  std::chrono::steady_clock::time_point connected_at_{};
  Milliseconds pause_;
  bool stopped_ = false;
};

}  // namespace kopidocka
