#include "daemon/coordinator.hpp"

#include <algorithm>
#include <exception>

#include "base/text.hpp"
#include "plan/backup_plan.hpp"
#include "plan/restore_plan.hpp"
#include "run/runner.hpp"

namespace kopidocka {
namespace {

int grace_seconds(const Settings& settings) {
  return static_cast<int>(std::chrono::ceil<Seconds>(settings.stop_timeout).count());
}

void tell(const std::vector<RunObserver*>& observers, RunEvent::Kind kind, const RunReport& report) {
  const RunEvent event{kind, {}, {}, 0, 0, {}, report};
  for (auto* observer : observers) observer->on_run_event(event);
}

}  // namespace

Coordinator::Coordinator(Assembly& assembly)
    : assembly_(assembly), slots_(assembly.executor, std::max(1u, assembly.settings.parallel_runs)) {}

Task<std::vector<Unit>> Coordinator::look() {
  auto& docker = *assembly_.docker;
  Inventory inventory;
  inventory.containers = co_await inspect_all(docker, co_await docker.list_containers(), 8);
  inventory.volumes = co_await docker.list_volumes();
  co_return discover(inventory, assembly_.surroundings);
}

Task<Unit> Coordinator::look_at(std::string name) {
  auto units = co_await look();
  std::vector<std::string> names;
  for (auto& unit : units) {
    if (unit.name == name) co_return std::move(unit);
    names.push_back(unit.name);
  }
  const auto meant = nearest(name, names);
  throw Error(ErrorKind::not_found, "there is no unit '" + printable(name) + "' on this host",
              meant.empty() ? "'kopi-docka list --all' shows what there is" : "did you mean '" + meant + "'?");
}

Task<Plan> Coordinator::plan_backup(BackupWish wish) {
  const auto unit = co_await look_at(wish.unit);
  BackupOptions options;
  options.run = make_uuid();
  options.time = assembly_.clock.now();
  options.trigger = wish.trigger;
  options.scope = wish.scope.value_or(unit.policy.scope);
  options.default_grace = grace_seconds(assembly_.settings);
  options.staging_folder = (assembly_.settings.cache_dir / "staging").string();
  auto plan = make_backup_plan(unit, options);
  if (!plan) throw plan.error();
  co_return std::move(*plan);
}

Task<Plan> Coordinator::plan_restore(RestoreWish wish) {
  const auto points = co_await restore_points(false);
  const auto point = find_point(points, wish.unit, wish.at);
  if (!point) throw point.error();
  auto& docker = *assembly_.docker;
  RestoreSite site{assembly_.surroundings.paths, {}, {}, assembly_.surroundings.own_container_id};
  site.containers = co_await inspect_all(docker, co_await docker.list_containers(), 8);
  site.volumes = co_await docker.list_volumes();
  std::optional<Unit> unit;
  for (auto& candidate : discover({site.containers, site.volumes}, assembly_.surroundings)) {
    if (candidate.name == wish.unit) unit = std::move(candidate);
  }
  RestoreOptions options;
  options.run = make_uuid();
  options.trigger = "request";
  options.volumes = wish.volumes;
  options.to_folder = wish.to_folder;
  options.default_grace = grace_seconds(assembly_.settings);
  auto plan = make_restore_plan(*point, unit, options, site);
  if (!plan) throw plan.error();
  co_return std::move(*plan);
}

std::optional<Error> Coordinator::not_now(const std::string& unit) const {
  if (shutting_down_) return Error(ErrorKind::cancelled, "kopi-docka is shutting down");
  if (active_.count(unit) != 0) {
    return Error(ErrorKind::busy, "unit " + printable(unit) + " already has a " + std::string(to_string(active_.at(unit).kind)) + " going on",
                 "wait for it: 'kopi-docka status'");
  }
  if (blocked_.count(unit) != 0) {
    return Error(ErrorKind::refused, "an earlier run of unit " + printable(unit) + " still owes something",
                 "see 'kopi-docka recover'");
  }
  return std::nullopt;
}

RunReport Coordinator::refuse(const std::string& unit, RunKind kind, const std::string& trigger, const Error& error,
                              std::string reason, const std::vector<RunObserver*>& more) {
  RunReport report;
  report.unit = unit;
  report.kind = kind;
  report.backup_id = make_uuid();
  report.result = RunResult::skipped;
  report.reason = std::move(reason);
  report.engine = assembly_.engine->name();
  report.trigger = trigger;
  report.started_at = assembly_.clock.now();
  report.problems = {error.next_step().empty() ? error.text() : error.text() + "; " + error.next_step()};
  if (auto saved = assembly_.reports.save(report); !saved) report.problems.push_back(saved.error().text());
  auto observers = assembly_.observers;
  observers.insert(observers.end(), more.begin(), more.end());
  tell(observers, RunEvent::Kind::started, report);
  tell(observers, RunEvent::Kind::finished, report);
  if (on_change) on_change();
  return report;
}

Task<RunReport> Coordinator::back_up(BackupWish wish, std::vector<RunObserver*> observers, Cancel cancel) {
  if (auto error = not_now(wish.unit)) co_return refuse(wish.unit, RunKind::backup, wish.trigger, *error, "busy", observers);
  active_[wish.unit] = {wish.unit, RunKind::backup, {}, assembly_.clock.now()};
  cancels_[wish.unit] = cancel;
  std::exception_ptr failure;
  std::optional<RunReport> report;
  co_await slots_.acquire();
  try {
    auto plan = co_await plan_backup(wish);
    report = co_await carry_out(std::move(plan), observers, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  slots_.release();
  active_.erase(wish.unit);
  cancels_.erase(wish.unit);
  if (report) co_return std::move(*report);
  const auto error = to_error(failure);
  if (error.kind() == ErrorKind::not_found) std::rethrow_exception(failure);
  const auto reason = error.kind() == ErrorKind::refused ? "invalid" : error.kind() == ErrorKind::unreachable ? "docker" : "plan";
  co_return refuse(wish.unit, RunKind::backup, wish.trigger, error, reason, observers);
}

Task<RunReport> Coordinator::restore(Plan plan, std::vector<RunObserver*> observers, Cancel cancel) {
  const auto unit = plan.unit.name;
  if (auto error = not_now(unit)) throw *error;
  active_[unit] = {unit, RunKind::restore, {}, assembly_.clock.now()};
  cancels_[unit] = cancel;
  co_await slots_.acquire();
  auto report = co_await carry_out(std::move(plan), std::move(observers), cancel);
  slots_.release();
  active_.erase(unit);
  cancels_.erase(unit);
  co_return report;
}

Task<RunReport> Coordinator::carry_out(Plan plan, std::vector<RunObserver*> observers, Cancel cancel) {
  active_[plan.unit.name].run = plan.run;
  Runner runner(assembly_.run_context(std::move(observers)));
  auto report = co_await runner.carry_out(std::move(plan), std::move(cancel));
  // What a run could not start stays in its journal; no other run of the unit may begin on top of that.
  if (assembly_.held.by_unit().count(report.unit) != 0) blocked_.insert(report.unit);
  if (on_change) on_change();
  co_return report;
}

Task<RecoveryOutcome> Coordinator::recover() {
  auto context = assembly_.run_context({});
  Recovery recovery(context);
  auto outcome = co_await recovery.pay_debts(active_ids());
  blocked_ = outcome.blocked_units;
  recovered_ = true;
  for (const auto& report : outcome.lost) {
    tell(assembly_.observers, RunEvent::Kind::started, report);
    tell(assembly_.observers, RunEvent::Kind::finished, report);
  }
  std::exception_ptr failure;
  try {
    co_await recovery.purge(active_ids());
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) {
    outcome.problems.push_back("snapshots of lost runs could not be removed yet: " + to_error(failure).text());
  }
  if (on_change) on_change();
  co_return outcome;
}

std::set<std::string> Coordinator::active_ids() const {
  std::set<std::string> ids;
  for (const auto& [unit, run] : active_) ids.insert(run.run);
  return ids;
}

Task<std::vector<RestorePoint>> Coordinator::restore_points(bool all_hosts) {
  SnapshotFilter filter;
  filter.all_hosts = all_hosts;
  Cancel never;
  co_return kopidocka::restore_points(co_await assembly_.engine->list(filter, never));
}

std::vector<ActiveRun> Coordinator::active() const {
  std::vector<ActiveRun> runs;
  for (const auto& [unit, run] : active_) runs.push_back(run);
  return runs;
}

void Coordinator::shut_down() {
  shutting_down_ = true;
  for (auto& [unit, cancel] : cancels_) cancel.request(CancelGrade::abort_step);
}

}  // namespace kopidocka
