#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <tuple>

#include "docker/types.hpp"

namespace kopidocka {

/// Where an event stream goes on after a cut, and which of the replayed events were delivered before. The
/// engine's `since` is inclusive and its order is not strict, so the stream goes back a little further and
/// what was seen is dropped here. Bounded: the engine replays at most the 256 events of its ring, twice that
/// many are remembered.
class EventMemory {
 public:
  /// The engine's time at the first subscription: nothing older is ever asked for. 0 = unknown.
  void start_at(std::int64_t engine_seconds);
  bool started() const { return started_; }
  /// Begins anew, for when the stream cannot be read on from where it was.
  void forget();

  /// False when this event was delivered before; remembers it otherwise.
  bool is_new(const DockerEvent& event);

  /// The value for `since`: "1700000000.000000000"; empty when nothing should be replayed.
  std::string since() const;

 private:
  using Key = std::tuple<std::int64_t, std::string, std::string, std::string>;

  bool started_ = false;
  std::int64_t floor_nano_ = 0;
  std::int64_t last_nano_ = 0;
  std::set<Key> seen_;
  std::deque<Key> order_;
};

}  // namespace kopidocka
