#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "docker/event_stream.hpp"
#include "unit/discovery.hpp"

namespace kopidocka {

/// Keeps the set of units true while the daemon runs. Events only say where to look; what counts is the inspected state,
/// and every `reconcile_interval` all of it is read anew, so that a lost event is a delay and never an error.
class UnitWatcher {
 public:
  struct Callbacks {
    std::function<void(const std::vector<Unit>&)> on_units;  ///< the set may have changed
    std::function<void(const DockerEvent&)> on_event;
    std::function<void(const Error&)> on_trouble;  ///< the engine does not answer; we go on trying
  };

  UnitWatcher(boost::asio::any_io_executor executor, EngineClient& docker, const Surroundings& surroundings,
              Milliseconds reconcile_interval, Callbacks callbacks);

  /// Ends at stop().
  Task<> run();
  void stop();

  const std::vector<Unit>& units() const { return units_; }
  /// Another kopi-docka container that acts on this engine, as of the last look.
  const std::optional<Container>& rival() const { return rival_; }
  const EventCounters& events() const { return stream_.counters(); }
  bool known() const { return known_; }               ///< the engine was read at least once
  TimePoint last_reconcile() const { return last_reconcile_; }
  std::uint64_t reconcile_changes() const { return reconcile_changes_; }  ///< differences that no event had told

 private:
  Task<> refresh_loop();
  Task<> reconcile();
  Task<> refresh_dirty();
  void note(const DockerEvent& event);
  void publish();

  EngineClient& docker_;
  const Surroundings& surroundings_;
  Milliseconds reconcile_interval_;
  Callbacks callbacks_;
  EventStream stream_;
  Signal wake_;
  boost::asio::any_io_executor executor_;
  std::map<std::string, Container> containers_;
  std::vector<Volume> volumes_;
  std::vector<Unit> units_;
  std::optional<Container> rival_;
  std::set<std::string> dirty_;
  bool volumes_dirty_ = false;
  bool all_dirty_ = false;  ///< the stream was (re)connected: list after it
  bool known_ = false;
  bool stopped_ = false;
  TimePoint last_reconcile_{};
  std::chrono::steady_clock::time_point last_look_{};
  std::uint64_t reconcile_changes_ = 0;
};

}  // namespace kopidocka
