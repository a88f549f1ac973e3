#include "daemon/daemon.hpp"

#include <spdlog/spdlog.h>

#include <csignal>
#include <exception>
#include <filesystem>
#include <utility>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/text.hpp"
#include "daemon/hangup.hpp"
#include "daemon/health.hpp"
#include "daemon/log_setup.hpp"
#include "daemon/rival.hpp"

namespace kopidocka {
namespace {

/// Each check is a process of the engine, and traffic for a remote repository.
constexpr Milliseconds kRepositoryCheck{300'000};
constexpr Milliseconds kDebtPause{15'000};
constexpr Milliseconds kLongestDebtPause{300'000};
constexpr Milliseconds kTick{10'000};
/// A bind-mounted socket file goes stale when dockerd re-creates it; only a restart of our container mounts the new one.
constexpr unsigned kConnectFailures = 12;

/// A part that fails takes the daemon down in order; recovery at the next start is safer than going on without it.
Task<> guarded(Task<> part, std::string name, std::function<void(const Error&)> on_failure) {
  std::exception_ptr failure;
  try {
    co_await std::move(part);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) on_failure(to_error(failure).in(name));
}

}  // namespace

Daemon::Daemon(boost::asio::any_io_executor executor, Settings settings, std::vector<std::string> warnings)
    : executor_(executor),
      warnings_(std::move(warnings)),
      assembly_(executor, std::move(settings)),
      metrics_(assembly_.clock),
      coordinator_(assembly_),
      memory_(assembly_.state.path() / "units.json"),
      scheduler_(executor, coordinator_, memory_,
                 [this](const Missed& missed) {
                   metrics_.schedule_missed(missed.unit, std::string(to_string(missed.reason)), static_cast<unsigned>(missed.count));
                   spdlog::warn("unit {}: {} scheduled runs were missed ({})", printable(missed.unit), missed.count, to_string(missed.reason));
                 }),
      service_(coordinator_, [this](const std::string& unit) { return scheduler_.next_run(unit); }),
      control_(executor, service_, assembly_.settings.control_socket()),
      signals_(executor, SIGTERM, SIGINT),
      tick_(executor) {
  assembly_.observers = {&metrics_, &log_};
  service_.pauses_changed = [this] { scheduler_.pauses_changed(); };
  service_.ready = [this] { return announced_ && rival_.empty() && !stopping_; };
  listen_for_hangup(signals_);
  // The control socket answers before debts are paid and before it is known whose turn it is.
  coordinator_.stand_back(Error(ErrorKind::busy, "kopi-docka is starting", "'kopi-docka health' tells when it is ready"));
  wire_metrics();
}

void Daemon::wire_metrics() {
  assembly_.on_docker_request = [this](const DockerRequest& request) {
    metrics_.docker_request(std::string(request.operation), request.seconds,
                            request.error ? std::string(to_string(*request.error)) : std::string());
  };
  assembly_.on_journal_failure = [this] { metrics_.journal_write_failed(); };
}

void Daemon::stop() {
  if (std::exchange(stopping_, true)) return;
  ending_.request(CancelGrade::abort_step);
  coordinator_.shut_down();
  scheduler_.stop();
  control_.stop();
  if (watcher_) watcher_->stop();
  if (web_) web_->stop();
  tick_.notify();
  signals_.cancel();
}

Task<> Daemon::wait_for_signal() {
  boost::system::error_code code;
  const int signal = co_await signals_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, code));
  if (code) co_return;
  spdlog::info("{}: stopping; held containers are started first", signal == SIGTERM ? "SIGTERM" : signal == SIGINT ? "SIGINT" : "SIGHUP");
  stop();
}

Task<> Daemon::run() {
  set_up_log(assembly_.settings, [this](std::string_view level) { metrics_.message_logged(level); });
  spdlog::info("kopi-docka {} starts", KOPIDOCKA_VERSION);
  for (const auto& warning : warnings_) spdlog::warn("settings: {}", printable(warning));
  TaskGroup group(executor_);
  const auto failed = [this](const Error& error) {
    if (!fatal_ && !stopping_) fatal_ = error;
    stop();
  };
  assembly_.open_folders();
  open_web();
  // Before the Docker Engine answers: `health` and `doctor` have something to say then, too.
  control_.open();
  group.spawn(guarded(control_.serve(), "control socket", failed));
  group.spawn(guarded(web_->serve(), "web", failed));
  group.spawn(guarded(wait_for_signal(), "signals", failed));
  group.spawn(guarded(main_loop(), "daemon", failed));
  co_await group.join();
  // A logger that counts must not outlive the counters.
  set_up_log(assembly_.settings, {});
  if (fatal_) throw *fatal_;
  spdlog::info("stopped");
}

void Daemon::open_web() {
  WebRoutes routes;
  add_health_routes(routes, [this] { return announced_ && rival_.empty() && !stopping_; },
                    [this] {
                      show_state();
                      show_places();
                      return metrics_.exposition();
                    });
  WebObserver observer;
  observer.answered = [this](unsigned status) { metrics_.http_answered(status); };
  observer.rejected = [this](std::string_view reason) { metrics_.http_rejected(reason); };
  web_ = std::make_unique<WebServer>(executor_, assembly_.settings.listen, std::move(routes), std::move(observer));
  web_->open();
}

Task<> Daemon::main_loop() {
  co_await reach_docker();
  if (stopping_) co_return;
  co_await start_up();
  if (stopping_) co_return;
  TaskGroup group(executor_);
  const auto failed = [this](const Error& error) {
    if (!fatal_ && !stopping_) fatal_ = error;
    stop();
  };
  group.spawn(guarded(watcher_->run(), "unit watcher", failed));
  group.spawn(guarded(scheduler_.run(), "scheduler", failed));
  group.spawn(guarded(keep_repository_open(), "repository", failed));
  group.spawn(guarded(keep_paying_debts(), "recovery", failed));
  co_await group.join();
}

Task<> Daemon::reach_docker() {
  Milliseconds pause(500);
  for (unsigned attempt = 0; !stopping_; ++attempt) {
    std::optional<Error> error;
    try {
      co_await assembly_.meet_surroundings();
    } catch (const Error& caught) {
      error = caught;
    }
    if (!error) {
      metrics_.set_docker_up(true);
      metrics_.set_docker_info(assembly_.engine_info.engine_version, assembly_.engine_info.api_version, "docker");
      co_return;
    }
    metrics_.set_docker_up(false);
    const bool away = error->kind() == ErrorKind::unreachable || error->kind() == ErrorKind::timeout;
    if (!away || attempt >= kConnectFailures) throw *error;
    spdlog::warn("{}", error->what());
    (void)co_await tick_.wait_for(pause);
    pause = std::min(pause * 2, Milliseconds(10'000));
  }
}

Task<> Daemon::start_up() {
  memory_.load();
  ReportFilter everything;
  everything.limit = 5'000;
  metrics_.seed(assembly_.reports.list(everything).reports);
  if (!assembly_.settings.notify_url.empty()) {
    webhook_ = std::make_unique<Webhook>(
        assembly_.settings.notify_url, [this](const std::string& unit) { return notify_level(unit); },
        [](const std::string& problem) { spdlog::error("notification: {}", printable(problem)); });
    assembly_.observers.push_back(webhook_.get());
  }
  const auto outcome = co_await coordinator_.recover();
  for (const auto& name : outcome.started) spdlog::warn("recovery: started {}, which a run that was cut off had stopped", printable(name));
  for (const auto& problem : outcome.problems) spdlog::error("recovery: {}", printable(problem));
  metrics_.recovery_ended(outcome.blocked_units.empty(), outcome.started.size());
  if (assembly_.identity_trouble) throw *assembly_.identity_trouble;
  // Only now: what we owe is ours to pay, whoever acts on the engine meanwhile.
  const auto rival = co_await assembly_.find_rival();
  coordinator_.stand_back(std::nullopt);
  note_rival(rival);
  watcher_ = std::make_unique<UnitWatcher>(
      executor_, *assembly_.engine_client, assembly_.surroundings, assembly_.settings.reconcile_interval,
      UnitWatcher::Callbacks{[this](const std::vector<Unit>& units) { on_units(units); },
                             [this](const DockerEvent& event) { on_event(event); },
                             [this](const Error& error) { on_docker_trouble(error); }});
}

void Daemon::note_rival(const std::optional<Container>& rival) {
  const auto name = rival ? rival->name : std::string();
  if (std::exchange(rival_, name) == name) return;
  if (rival) {
    const auto why = rival_error(*rival);
    spdlog::warn("{}: no run is begun here until it ends", why.message());
    coordinator_.stand_back(why);
  } else {
    spdlog::info("no other kopi-docka works on this Docker Engine any more: it is our turn");
    coordinator_.stand_back(std::nullopt);
  }
  scheduler_.allow(repository_open_ && rival_.empty());
  tick_.notify();
  announce_when_ready();
}

Task<> Daemon::keep_repository_open() {
  std::string told;
  while (!stopping_) {
    if (!rival_.empty()) {
      (void)co_await tick_.wait_for(kTick);
      continue;
    }
    std::exception_ptr failure;
    Assembly::OpenedRepository opened;
    try {
      opened = co_await assembly_.open_repository(ending_);
    } catch (...) {
      failure = std::current_exception();
    }
    if (stopping_) co_return;
    metrics_.set_repository_up(!failure);
    if (failure) {
      const std::string text = to_error(failure).what();
      if (std::exchange(told, text) != text) spdlog::error("repository: {}", printable(text));
    } else {
      told.clear();
      metrics_.set_build(KOPIDOCKA_VERSION, {}, opened.info.engine_version);
      if (opened.info.bytes_total > 0) metrics_.set_filesystem("repository", opened.info.bytes_free, opened.info.bytes_total);
      if (opened.created) spdlog::info("created the repository {}", assembly_.settings.repository);
      if (opened.created && assembly_.password_generated) {
        spdlog::warn("its password was generated into {}: copy it to a safe place, without it no backup can be read",
                     assembly_.state.password_file().string());
      }
      repository_open_ = true;
      // Not earlier: the one run that makes up for what was missed would be spent on a refusal.
      scheduler_.allow(rival_.empty());
      announce_when_ready();
    }
    (void)co_await tick_.wait_for(failure ? Milliseconds(10'000) : kRepositoryCheck);
  }
}

Task<> Daemon::keep_paying_debts() {
  std::vector<std::string> told;
  auto pause = kDebtPause;
  while (!stopping_) {
    if (!coordinator_.owes()) pause = kDebtPause;
    co_await coordinator_.wait_until_owing();
    if (stopping_) co_return;
    // A container that is down is tried again soon, for ever; what waits for a repository may wait longer.
    for (Milliseconds waited{0}; waited < pause && !stopping_; waited += kDebtPause) {
      (void)co_await tick_.wait_for(kDebtPause);
      if (!assembly_.held.ids().empty()) break;
    }
    if (stopping_ || !coordinator_.owes()) continue;
    std::exception_ptr failure;
    RecoveryOutcome outcome;
    try {
      outcome = co_await coordinator_.recover();
    } catch (...) {
      failure = std::current_exception();
    }
    if (failure) outcome.problems.push_back(to_error(failure).what());
    for (const auto& name : outcome.started) spdlog::warn("recovery: started {}, which an earlier run had stopped", printable(name));
    if (std::exchange(told, outcome.problems) != outcome.problems) {
      for (const auto& problem : outcome.problems) spdlog::error("recovery: {}", printable(problem));
    }
    if (!failure) metrics_.recovery_ended(outcome.blocked_units.empty(), outcome.started.size());
    pause = assembly_.held.ids().empty() ? std::min(pause * 2, kLongestDebtPause) : kDebtPause;
  }
}

/// Our own folders only, which a dead mount of a user cannot reach.
void Daemon::show_places() {
  for (const auto& [role, folder] : {std::pair("state", assembly_.settings.state_dir), std::pair("cache", assembly_.settings.cache_dir)}) {
    std::error_code code;
    const auto space = std::filesystem::space(folder, code);
    if (!code) metrics_.set_filesystem(role, space.available, space.capacity);
  }
}

void Daemon::show_state() {
  metrics_.set_held(assembly_.held.by_unit());
  metrics_.set_open_journals(assembly_.held.open_runs());
  metrics_.set_queue(coordinator_.waiting(), assembly_.settings.parallel_runs);
  if (!watcher_) return;
  metrics_.set_events_connected(watcher_->events().connected);
  for (const auto& unit : watcher_->units()) metrics_.set_next_run(unit.name, scheduler_.next_run(unit.name));
}

Seconds Daemon::longest_gap(const Schedule& schedule) {
  // A year's walk for every unit at every event would be felt; the answer does not change.
  const auto key = schedule.text() + "\n" + schedule.zone();
  const auto known = gaps_.find(key);
  if (known != gaps_.end()) return known->second;
  return gaps_[key] = schedule.longest_gap(assembly_.clock.now());
}

void Daemon::on_units(const std::vector<Unit>& units) {
  metrics_.set_docker_up(true);
  note_rival(watcher_->rival());
  const auto changes = watcher_->reconcile_changes();
  metrics_.reconciled(changes - std::exchange(told_changes_, changes));
  scheduler_.set_units(units);
  std::vector<std::string> names;
  std::vector<UnitMetrics> shown;
  const auto now = assembly_.clock.now();
  for (const auto& unit : units) {
    if (!unit.policy.enabled && !unit.labelled) continue;
    names.push_back(unit.name);
  }
  if (auto noted = memory_.note(names, now); !noted) spdlog::error("{}", noted.error().what());
  for (const auto& unit : units) {
    if (!unit.policy.enabled && !unit.labelled) continue;
    UnitMetrics metrics;
    metrics.name = unit.name;
    metrics.valid = unit.valid();
    metrics.first_seen = memory_.first_seen(unit.name, now);
    if (unit.policy.schedule && unit.policy.enabled) {
      metrics.schedule = unit.policy.schedule->text();
      metrics.time_zone = unit.policy.schedule->zone();
      metrics.interval = longest_gap(*unit.policy.schedule);
      metrics.next_run = scheduler_.next_run(unit.name);
    }
    shown.push_back(std::move(metrics));
    std::string problems;
    for (const auto& problem : unit.problems) problems += problem.where + ": " + problem.message + "\n";
    if (std::exchange(told_problems_[unit.name], problems) == problems) continue;
    for (const auto& problem : unit.problems) {
      spdlog::log(problem.severity == Problem::Severity::error ? spdlog::level::err : spdlog::level::warn, "unit {}: {}: {}",
                  printable(unit.name), problem.where, problem.message);
    }
  }
  metrics_.set_units(shown);
  announce_when_ready();
}

NotifyLevel Daemon::notify_level(const std::string& name) const {
  if (watcher_) {
    for (const auto& unit : watcher_->units()) {
      if (unit.name == name) return unit.policy.notify;
    }
  }
  return NotifyLevel::failure;
}

void Daemon::on_event(const DockerEvent& event) { metrics_.event_received(event.action); }

void Daemon::on_docker_trouble(const Error& error) {
  metrics_.set_docker_up(false);
  metrics_.events_reconnected(std::string(to_string(error.kind())));
  spdlog::warn("Docker Engine: {}", printable(error.what()));
  if (!watcher_ || watcher_->events().connect_failures_in_row < kConnectFailures || fatal_) return;
  if (!coordinator_.active().empty()) return;  // asked again at the next failure, which comes within seconds
  fatal_ = Error(ErrorKind::unreachable,
                 "the Docker Engine at " + printable(assembly_.settings.docker_host) + " has not answered for long: " + error.message(),
                 "kopi-docka ends, so that its restart policy mounts the socket anew; containers it holds stopped are started then");
  stop();
}

void Daemon::announce_when_ready() {
  if (announced_ || !rival_.empty() || !repository_open_ || !watcher_ || !watcher_->known() || !coordinator_.recovered()) return;
  announced_ = true;
  size_t enabled = 0;
  for (const auto& unit : watcher_->units()) enabled += unit.policy.enabled ? 1 : 0;
  spdlog::info("ready: {} units enabled, repository {} on {}, identity root@{}", enabled, assembly_.settings.repository,
               assembly_.engine->name(), assembly_.hostname);
}

}  // namespace kopidocka
