#pragma once

#include <boost/asio/signal_set.hpp>

#include <memory>
#include <optional>

#include "control/server.hpp"
#include "daemon/coordinator.hpp"
#include "daemon/log_observer.hpp"
#include "daemon/scheduler.hpp"
#include "daemon/service.hpp"
#include "daemon/watcher.hpp"
#include "metrics/metrics.hpp"
#include "notify/webhook.hpp"
#include "web/server.hpp"

namespace kopidocka {

/// The long-running program. Order at start: state folder, Docker Engine, debts of cut-off runs, our turn (no other sidecar
/// acts on this engine), repository, units, schedules; only then `ready`. Order at the end: no new runs, running ones start
/// their containers, then everything else.
class Daemon {
 public:
  /// `warnings` of the settings are logged at start.
  Daemon(boost::asio::any_io_executor executor, Settings settings, std::vector<std::string> warnings = {});

  /// Runs until SIGTERM, SIGINT or SIGHUP, or throws what makes it pointless to go on.
  Task<> run();

 private:
  Task<> wait_for_signal();
  Task<> start_up();
  Task<> reach_docker();
  Task<> keep_repository_open();
  Task<> keep_paying_debts();
  Task<> main_loop();
  void open_web();
  void wire_metrics();
  void note_rival(const std::optional<Container>& rival);
  void show_places();
  void on_units(const std::vector<Unit>& units);
  void on_event(const DockerEvent& event);
  void on_docker_trouble(const Error& error);
  NotifyLevel notify_level(const std::string& unit) const;
  Seconds longest_gap(const Schedule& schedule);
  void show_state();
  void announce_when_ready();
  void stop();

  boost::asio::any_io_executor executor_;
  std::vector<std::string> warnings_;
  Assembly assembly_;
  Metrics metrics_;
  LogObserver log_;
  std::unique_ptr<Webhook> webhook_;
  Coordinator coordinator_;
  UnitMemory memory_;
  Scheduler scheduler_;
  Service service_;
  ControlServer control_;
  std::unique_ptr<WebServer> web_;
  std::unique_ptr<UnitWatcher> watcher_;
  boost::asio::signal_set signals_;
  Signal tick_;
  Cancel ending_;
  std::map<std::string, std::string> told_problems_;  ///< by unit: what was logged last
  std::map<std::string, Seconds> gaps_;  ///< by schedule and zone
  std::uint64_t told_changes_ = 0;
  std::string rival_;  ///< name of the sidecar before which we step back
  bool repository_open_ = false;
  bool announced_ = false;
  bool stopping_ = false;
  std::optional<Error> fatal_;
};

}  // namespace kopidocka
