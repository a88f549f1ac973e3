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

/// Why a wish could not become a plan, in a word of run_reasons().
std::string reason_of(const Error& error) {
  switch (error.kind()) {
    case ErrorKind::refused:
    case ErrorKind::not_found: return "invalid";
    case ErrorKind::busy: return "busy";
    case ErrorKind::cancelled: return "cancelled";
    case ErrorKind::unreachable:
    case ErrorKind::timeout: return "docker";
    default: return "plan";
  }
}

/// Ids of all containers that a run may hold, of those that are down now too: whoever has them down may start them.
/// And of the places a backup reads: what one run saves of them, another must not build on while it is being judged.
std::set<std::string> containers_of(const Plan& plan) {
  std::set<std::string> ids;
  for (const auto& member : plan.unit.members) ids.insert(member.container.id);
  for (const auto& source : plan.unit.sources) ids.insert(source.path);
  if (plan.kind == RunKind::restore) return ids;
  for (const auto& foreign : plan.unit.foreign) ids.insert(foreign.container.id);
  return ids;
}

void tell(const std::vector<RunObserver*>& observers, RunEvent::Kind kind, const RunReport& report) {
  const RunEvent event{kind, {}, {}, 0, 0, {}, report};
  for (auto* observer : observers) observer->on_run_event(event);
}

}  // namespace

/// The place of one run among the active ones, from its admission to its end, however it ends.
class Coordinator::Seat {
 public:
  Seat(Coordinator& owner, std::string unit, RunKind kind, const Cancel& cancel) : owner_(owner), unit_(std::move(unit)), kind_(kind) {
    owner_.active_[unit_] = {unit_, kind_, {}, owner_.assembly_.clock.now(), {}};
    owner_.cancels_[unit_] = cancel;
    if (owner_.on_begin) owner_.on_begin(unit_, kind_);
  }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() {
    if (has_slot_) owner_.slots_.release();
    owner_.active_.erase(unit_);
    owner_.cancels_.erase(unit_);
    ++owner_.ended_;
    owner_.run_ended_.notify();
    if (owner_.on_end) owner_.on_end(unit_, kind_);
    owner_.debts_changed_.notify();
  }

  Task<> wait_for_slot() {
    co_await owner_.slots_.acquire();
    has_slot_ = true;
  }

 private:
  Coordinator& owner_;
  std::string unit_;
  RunKind kind_;
  bool has_slot_ = false;
};

Coordinator::Coordinator(Assembly& assembly)
    : assembly_(assembly),
      slots_(assembly.executor, std::max(1u, assembly.settings.parallel_runs)),
      recoveries_(assembly.executor, 1),
      run_ended_(assembly.executor),
      debts_changed_(assembly.executor) {}

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
  if (assembly_.engine && assembly_.engine->waits_at_gate()) options.gate_width = assembly_.gate_width();
  options.staging_folder = (assembly_.settings.cache_dir / "staging").string();
  auto plan = make_backup_plan(unit, options);
  if (!plan) throw plan.error();
  co_return std::move(*plan);
}

Task<Plan> Coordinator::plan_restore(RestoreWish wish) {
  const auto point = co_await point_of(wish.unit, wish.at, wish.machine);
  auto& docker = *assembly_.docker;
  RestoreSite site{assembly_.surroundings.paths, {}, {}, assembly_.surroundings.own_container_id};
  site.containers = co_await inspect_all(docker, co_await docker.list_containers(), 8);
  site.volumes = co_await docker.list_volumes();
  std::optional<Unit> unit;
  site.own_places = assembly_.surroundings.own_paths;
  for (auto& candidate : discover({site.containers, site.volumes}, assembly_.surroundings)) {
    if (candidate.policy.enabled) site.backed_up.insert(site.backed_up.end(), candidate.sources.begin(), candidate.sources.end());
    if (candidate.name == wish.unit) unit = std::move(candidate);
  }
  RestoreOptions options;
  options.run = make_uuid();
  options.trigger = "request";
  options.volumes = wish.volumes;
  options.to_folder = wish.to_folder;
  options.default_grace = grace_seconds(assembly_.settings);
  auto plan = make_restore_plan(point, unit, options, site);
  if (!plan) throw plan.error();
  co_return std::move(*plan);
}

std::optional<Error> Coordinator::not_now(const std::string& unit) const {
  if (shutting_down_) return Error(ErrorKind::cancelled, "kopi-docka is shutting down");
  if (standing_back_) return standing_back_;
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
  return report;
}

Task<RunReport> Coordinator::back_up(BackupWish wish, std::vector<RunObserver*> observers, Cancel cancel) {
  if (auto error = not_now(wish.unit)) {
    const std::string reason = error->kind() == ErrorKind::cancelled ? "cancelled" : "busy";
    co_return refuse(wish.unit, RunKind::backup, wish.trigger, *error, reason, observers);
  }
  std::exception_ptr failure;
  try {
    co_return co_await back_up_seated(wish, observers, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  const auto error = to_error(failure);
  co_return refuse(wish.unit, RunKind::backup, wish.trigger, error, reason_of(error), observers);
}

Task<RunReport> Coordinator::back_up_seated(BackupWish wish, std::vector<RunObserver*> observers, Cancel cancel) {
  Seat seat(*this, wish.unit, RunKind::backup, cancel);
  co_await seat.wait_for_slot();
  if (standing_back_) throw *standing_back_;
  auto plan = co_await plan_apart(wish, cancel);
  co_return co_await carry_out(std::move(plan), std::move(observers), cancel);
}

Task<Plan> Coordinator::plan_apart(BackupWish wish, Cancel cancel) {
  const auto woken = cancel.on_abort([this] { run_ended_.notify(); });
  while (true) {
    if (standing_back_) throw *standing_back_;
    const auto ended_before = ended_;
    auto plan = co_await plan_backup(wish);
    // What was seen of containers that another run held meanwhile is not how they are.
    if (ended_ != ended_before && !cancel.requested()) continue;
    require_unowed(plan);
    auto containers = containers_of(plan);
    // One that was asked to end holds nobody any more: it is only carried out for its report.
    if (cancel.requested()) co_return plan;
    if (other_run_with(containers, wish.unit) == nullptr) {
      active_[wish.unit].containers = std::move(containers);
      co_return plan;
    }
    co_await run_ended_.wait();
  }
}

const ActiveRun* Coordinator::other_run_with(const std::set<std::string>& containers, const std::string& unit) const {
  for (const auto& [name, run] : active_) {
    if (name == unit) continue;
    const bool shared = std::any_of(containers.begin(), containers.end(), [&](const std::string& id) { return run.containers.count(id) != 0; });
    if (shared) return &run;
  }
  return nullptr;
}

void Coordinator::require_unowed(const Plan& plan) const {
  for (const auto& id : containers_of(plan)) {
    const auto unit = assembly_.held.unit_holding(id, active_ids());
    if (unit.empty()) continue;
    throw Error(ErrorKind::busy, "an earlier run of unit " + printable(unit) + " still owes container " + printable(plan.unit.anybody(id)->container.name) + " a start",
                "see 'kopi-docka recover'");
  }
}

Task<RunReport> Coordinator::restore(Plan plan, std::vector<RunObserver*> observers, Cancel cancel) {
  const auto unit = plan.unit.name;
  if (auto error = not_now(unit)) throw *error;
  Seat seat(*this, unit, RunKind::restore, cancel);
  co_await seat.wait_for_slot();
  if (standing_back_) throw *standing_back_;
  require_unowed(plan);
  auto containers = containers_of(plan);
  if (const auto* other = other_run_with(containers, unit)) {
    throw Error(ErrorKind::busy, "a " + std::string(to_string(other->kind)) + " of unit " + printable(other->unit) + " holds containers of this one",
                "wait for it: 'kopi-docka status'");
  }
  active_[unit].containers = std::move(containers);
  co_return co_await carry_out(std::move(plan), std::move(observers), cancel);
}

Task<RunReport> Coordinator::carry_out(Plan plan, std::vector<RunObserver*> observers, Cancel cancel) {
  const auto run = plan.run;
  active_[plan.unit.name].run = run;
  Runner runner(assembly_.run_context(std::move(observers)));
  auto report = co_await runner.carry_out(std::move(plan), std::move(cancel));
  // What a run could not start, put back or remove stays in its journal; no other run of the unit may build on that.
  if (assembly_.held.open(run) || assembly_.held.by_unit().count(report.unit) != 0) blocked_.insert(report.unit);
  co_return report;
}

Task<RecoveryOutcome> Coordinator::recover() {
  co_await recoveries_.acquire();
  std::exception_ptr failure;
  RecoveryOutcome outcome;
  try {
    outcome = co_await recover_alone();
  } catch (...) {
    failure = std::current_exception();
  }
  recoveries_.release();
  if (failure) {
    pass_wanted_ = true;
    debts_changed_.notify();
    std::rethrow_exception(failure);
  }
  co_return outcome;
}

Task<RecoveryOutcome> Coordinator::recover_alone() {
  auto context = assembly_.run_context({});
  Recovery recovery(context);
  const auto blocked_before = blocked_;
  auto outcome = co_await recovery.pay_debts(active_ids());
  // Runs that ended while we were at it may have left debts of their own.
  std::erase_if(blocked_, [&](const std::string& unit) { return blocked_before.count(unit) != 0; });
  blocked_.insert(outcome.blocked_units.begin(), outcome.blocked_units.end());
  blocked_.insert(outcome.warm_units.begin(), outcome.warm_units.end());
  for (const auto& [unit, containers] : assembly_.held.by_unit(active_ids())) blocked_.insert(unit);
  recovered_ = true;
  for (const auto& report : outcome.lost) {
    tell(assembly_.observers, RunEvent::Kind::started, report);
    tell(assembly_.observers, RunEvent::Kind::finished, report);
  }
  if (assembly_.identity_trouble) {
    outcome.problems.push_back(assembly_.identity_trouble->text());
  } else {
    co_await recovery.purge(active_ids(), outcome);
  }
  blocked_.insert(outcome.blocked_units.begin(), outcome.blocked_units.end());
  for (const auto& unit : outcome.warm_units) {
    if (outcome.blocked_units.count(unit) == 0 && assembly_.held.by_unit(active_ids()).count(unit) == 0) blocked_.erase(unit);
  }
  pass_wanted_ = !blocked_.empty();
  debts_changed_.notify();
  co_return outcome;
}

Task<> Coordinator::wait_until_owing() {
  while (!owes() && !shutting_down_) co_await debts_changed_.wait();
}

bool Coordinator::owes() const { return pass_wanted_ || assembly_.held.open_besides(active_ids()); }

std::set<std::string> Coordinator::active_ids() const {
  std::set<std::string> ids;
  for (const auto& [unit, run] : active_) ids.insert(run.run);
  return ids;
}

std::vector<ActiveRun> Coordinator::active() const {
  std::vector<ActiveRun> runs;
  for (const auto& [unit, run] : active_) runs.push_back(run);
  return runs;
}

size_t Coordinator::waiting() const {
  return static_cast<size_t>(std::count_if(active_.begin(), active_.end(), [](const auto& entry) { return entry.second.run.empty(); }));
}

Task<std::optional<RunReport>> Coordinator::cancel(std::string unit) {
  const auto active = active_.find(unit);
  if (active == active_.end()) {
    throw Error(ErrorKind::not_found, "unit " + printable(unit) + " has no backup or restore going on", "'kopi-docka status' shows what is");
  }
  const auto since = active->second.since;
  cancels_.at(unit).request(CancelGrade::abort_step);
  std::string run;
  // A later run of the unit is another one.
  for (auto found = active_.find(unit); found != active_.end() && found->second.since == since; found = active_.find(unit)) {
    run = found->second.run;
    co_await run_ended_.wait_for(Milliseconds(1'000));
  }
  if (run.empty()) co_return std::nullopt;
  co_return assembly_.reports.find(run);
}

void Coordinator::shut_down() {
  shutting_down_ = true;
  debts_changed_.notify();
  for (auto& [unit, cancel] : cancels_) cancel.request(CancelGrade::abort_step);
}

}  // namespace kopidocka
