#include "daemon/service.hpp"

#include <algorithm>
#include <exception>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "daemon/doctor.hpp"
#include "daemon/service_parts.hpp"
#include "daemon/views.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

ExitCode code_of(RunResult result) {
  switch (result) {
    case RunResult::success: return ExitCode::ok;
    case RunResult::partial: return ExitCode::partial;
    case RunResult::failed: return ExitCode::failed;
    case RunResult::skipped: return ExitCode::refused;
  }
  return ExitCode::failed;
}

ExitCode code_of(const RunReport& report) {
  return report.reason == "cancelled" ? ExitCode::interrupted : code_of(report.result);
}

std::optional<Scope> scope_arg(const json& args) {
  const auto text = text_arg(args, "scope");
  if (text.empty()) return std::nullopt;
  const auto scope = scope_from(text);
  if (!scope) throw Error(ErrorKind::usage, "'" + printable(text) + "' is not a scope", "choose minimal, standard or full");
  return scope;
}

json repository_json(const Assembly::OpenedRepository& opened, const Assembly& assembly) {
  json value = {{"repository", assembly.settings.repository},
                {"engine", opened.info.engine_version},
                {"unique_id", opened.info.unique_id},
                {"storage", opened.info.storage},
                {"identity", "root@" + assembly.hostname},
                {"bytes_free", opened.info.bytes_free},
                {"bytes_total", opened.info.bytes_total},
                {"created", opened.created}};
  if (assembly.password_generated) value["password_file"] = assembly.state.password_file().string();
  return value;
}

json report_line(const RunReport& report) { return to_json(report); }

}  // namespace

void ProgressObserver::on_run_event(const RunEvent& event) {
  json line = {{"unit", event.report.unit}, {"phase", event.phase}};
  switch (event.kind) {
    case RunEvent::Kind::step_started: line["step"] = event.text; break;
    case RunEvent::Kind::step_finished:
      line["done"] = event.text;
      line["seconds"] = event.seconds;
      if (!event.error.empty()) line["error"] = event.error;
      break;
    case RunEvent::Kind::progress:
      line["reading"] = event.text;
      line["bytes"] = event.bytes;
      break;
    case RunEvent::Kind::member_stopped: line["stopped"] = event.text; break;
    case RunEvent::Kind::member_started: line["started"] = event.text; break;
    case RunEvent::Kind::finished: line["finished"] = to_string(event.report.result); break;
    case RunEvent::Kind::started:
    case RunEvent::Kind::hook_ended:
    case RunEvent::Kind::phase: return;
  }
  sink_(one_line(line));
}

Service::Service(Coordinator& coordinator, std::function<std::optional<TimePoint>(const std::string&)> next_run)
    : coordinator_(coordinator), next_run_(std::move(next_run)) {}

Task<ControlReply> Service::handle(ControlRequest request, ProgressSink progress, Cancel cancel) {
  const auto args = json::parse(request.args, nullptr, false);
  if (!args.is_object()) throw Error(ErrorKind::usage, "the arguments of '" + printable(request.verb) + "' are not an object");
  std::string wrong_type;
  try {
    if (request.verb == "health") co_return health();
    if (request.verb == "doctor") co_return co_await doctor(cancel);
    refuse_while_starting();
    if (request.verb == "list") co_return co_await list(args);
    if (request.verb == "backup") co_return co_await backup(args, progress, cancel);
    if (request.verb == "snapshots") co_return co_await snapshots(args);
    if (request.verb == "files") co_return co_await files(args, cancel);
    if (request.verb == "cancel") co_return co_await cancel_run(args);
    if (request.verb == "pause") co_return co_await pause(args);
    if (request.verb == "resume") co_return resume(args);
    if (request.verb == "pin") co_return co_await pin(args, true, cancel);
    if (request.verb == "unpin") co_return co_await pin(args, false, cancel);
    if (request.verb == "delete") co_return co_await remove_points(args, cancel);
    if (request.verb == "cat") co_return co_await cat(args, cancel);
    if (request.verb == "restore") co_return co_await restore(args, progress, cancel);
    if (request.verb == "status") co_return co_await status();
    if (request.verb == "history") co_return co_await history(args);
    if (request.verb == "repository") co_return co_await repository(args, cancel);
    if (request.verb == "recover") co_return co_await recover();
  } catch (const json::exception& error) {
    wrong_type = error.what();
  }
  if (!wrong_type.empty()) throw Error(ErrorKind::usage, "an argument of '" + printable(request.verb) + "' is wrong: " + wrong_type);
  throw Error(ErrorKind::usage, "unknown verb '" + printable(request.verb) + "'", "see 'kopi-docka --help'");
}

ControlReply Service::health() const { return reply({{"live", true}, {"ready", ready && ready()}}); }

void Service::refuse_while_starting() const {
  if (coordinator_.assembly().engine && (!ready || coordinator_.recovered())) return;
  throw Error(ErrorKind::unreachable, "the daemon is still starting",
              "its log and 'kopi-docka doctor' tell what it waits for; 'kopi-docka health' tells when it is ready");
}

std::optional<TimePoint> Service::next_run_of(const Unit& unit) const {
  if (!unit.policy.schedule || !unit.policy.enabled || !unit.valid()) return std::nullopt;
  if (next_run_) return next_run_(unit.name);
  return unit.policy.schedule->next_after(coordinator_.assembly().clock.now());
}

Task<ControlReply> Service::list(const Json& args) {
  const auto wanted = list_arg(args, "units");
  const bool all = args.value("all", false);
  const auto units = co_await coordinator_.look();
  json listed = json::array();
  size_t hidden = 0;
  for (const auto& unit : units) {
    const bool named = std::find(wanted.begin(), wanted.end(), unit.name) != wanted.end();
    const bool shown = wanted.empty() ? all || unit.policy.enabled || unit.labelled : named;
    if (shown) listed.push_back(unit_json(unit, next_run_of(unit)));
    if (!shown && wanted.empty()) ++hidden;
  }
  if (listed.size() < wanted.size()) {
    for (const auto& name : wanted) (void)co_await coordinator_.look_at(name);  // names the one that is not there
  }
  co_return reply({{"units", listed}, {"not_enabled", hidden}, {"label_prefix", coordinator_.assembly().surroundings.defaults.prefix}});
}

Task<std::vector<std::string>> Service::wanted_units(const Json& args) {
  auto wanted = list_arg(args, "units");
  if (!args.value("all", false)) {
    if (wanted.empty()) throw Error(ErrorKind::usage, "no unit is named", "name one or more units, or use --all");
    co_return wanted;
  }
  if (!wanted.empty()) throw Error(ErrorKind::usage, "--all and a unit's name exclude each other");
  auto units = co_await coordinator_.look();
  std::stable_sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) { return a.policy.priority > b.policy.priority; });
  for (const auto& unit : units) {
    if (unit.policy.enabled) wanted.push_back(unit.name);
  }
  if (wanted.empty()) throw Error(ErrorKind::not_found, "no unit is enabled",
                                "label one: " + coordinator_.assembly().surroundings.defaults.prefix + "schedule: \"0 3 * * *\"");
  co_return wanted;
}

Task<ControlReply> Service::backup(const Json& args, ProgressSink progress, Cancel cancel) {
  const auto units = co_await wanted_units(args);
  const auto scope = scope_arg(args);
  const bool dry_run = args.value("dry_run", false);
  for (const auto& unit : units) (void)co_await coordinator_.look_at(unit);  // a typo is found before anything runs
  ProgressObserver observer(progress);
  json results = json::array();
  auto code = ExitCode::ok;
  for (const auto& unit : units) {
    BackupWish wish;
    wish.unit = unit;
    wish.scope = scope;
    if (dry_run) {
      const auto plan = co_await coordinator_.plan_backup(wish);
      auto value = plan_json(plan);
      value["text"] = plan_text(plan);
      results.push_back(std::move(value));
      continue;
    }
    std::vector<RunObserver*> observers = {&observer};
    const auto report = co_await coordinator_.back_up(wish, std::move(observers), cancel);
    results.push_back(report_line(report));
    code = worse(code, code_of(report));
    if (cancel.requested()) break;
  }
  co_return reply(results, code);
}

Task<ControlReply> Service::snapshots(const Json& args) {
  const auto wanted = list_arg(args, "units");
  const auto machine = text_arg(args, "machine");
  const bool all = args.value("all_hosts", false);
  if (all && !machine.empty()) throw Error(ErrorKind::usage, "--all-hosts and --machine exclude each other");
  std::vector<RestorePoint> points;
  if (all) {
    points = co_await coordinator_.restore_points(true);
  } else {
    points = co_await coordinator_.points_of(machine);
  }
  json listed = json::array();
  for (const auto& point : points) {
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), point.unit) == wanted.end()) continue;
    listed.push_back(point_json(point));
  }
  co_return reply(listed);
}

Task<ControlReply> Service::cancel_run(const Json& args) {
  const auto report = co_await coordinator_.cancel(text_arg(args, "unit"));
  co_return reply(report ? report_line(*report) : json(nullptr));
}

nlohmann::json Service::pauses_json() const {
  json paused = json::object();
  for (const auto& [unit, until] : coordinator_.assembly().pauses.all()) paused[unit] = until ? json(to_iso8601(*until)) : json(nullptr);
  return paused;
}

Task<ControlReply> Service::pause(const Json& args) {
  auto units = list_arg(args, "units");
  if (args.value("all", false)) units = {Pauses::kAll};
  auto& assembly = coordinator_.assembly();
  std::optional<TimePoint> until;
  if (const auto text = text_arg(args, "for"); !text.empty()) {
    const auto length = parse_duration(text);
    if (!length) throw length.error();
    until = assembly.clock.now() + *length;
  }
  for (const auto& unit : units) {
    if (unit != Pauses::kAll) (void)co_await coordinator_.look_at(unit);
  }
  if (auto paused = assembly.pauses.pause(units, until); !paused) throw paused.error();
  if (pauses_changed) pauses_changed();
  co_return reply(pauses_json());
}

ControlReply Service::resume(const Json& args) {
  auto units = list_arg(args, "units");
  auto& pauses = coordinator_.assembly().pauses;
  if (args.value("all", false)) {
    for (const auto& [unit, until] : pauses.all()) units.push_back(unit);
  }
  const auto resumed = pauses.resume(units);
  if (!resumed) throw resumed.error();
  if (pauses_changed) pauses_changed();
  for (const auto& unit : units) {
    const bool was_paused = std::find(resumed->begin(), resumed->end(), unit) != resumed->end();
    if (!was_paused) throw Error(ErrorKind::not_found, "unit " + printable(unit) + " is not paused", "'kopi-docka status' shows what is");
  }
  return reply(pauses_json());
}

Task<ControlReply> Service::restore(const Json& args, ProgressSink progress, Cancel cancel) {
  RestoreWish wish;
  wish.unit = text_arg(args, "unit");
  if (wish.unit.empty()) throw Error(ErrorKind::usage, "no unit is named", "kopi-docka restore UNIT");
  wish.at = args.value("at", std::string("latest"));
  wish.machine = text_arg(args, "machine");
  wish.volumes = list_arg(args, "volumes");
  wish.to_folder = text_arg(args, "to");
  if (!wish.to_folder.empty() && wish.to_folder.front() != '/') {
    throw Error(ErrorKind::usage, "--to needs an absolute path, not '" + printable(wish.to_folder) + "'");
  }
  auto plan = co_await coordinator_.plan_restore(wish);
  if (args.value("dry_run", false)) {
    auto value = plan_json(plan);
    value["text"] = plan_text(plan);
    value["backup_id"] = plan.restored_from;
    co_return reply(value);
  }
  ProgressObserver observer(progress);
  std::vector<RunObserver*> observers = {&observer};
  const auto report = co_await coordinator_.restore(std::move(plan), std::move(observers), cancel);
  co_return reply(report_line(report), code_of(report));
}

Task<ControlReply> Service::history(const Json& args) {
  ReportFilter filter;
  filter.unit = text_arg(args, "unit");
  filter.limit = args.value("limit", size_t{20});
  const auto word = text_arg(args, "result");
  if (!word.empty()) {
    filter.result = run_result_from(word);
    if (!filter.result) throw Error(ErrorKind::usage, "'" + printable(word) + "' is not a result", "choose success, partial, failed or skipped");
  }
  json listed = json::array();
  for (const auto& report : coordinator_.assembly().reports.list(filter).reports) listed.push_back(report_line(report));
  co_return reply(listed);
}

Task<ControlReply> Service::status() {
  auto& assembly = coordinator_.assembly();
  const auto units = co_await coordinator_.look();
  json listed = json::array();
  size_t problems = 0;
  for (const auto& unit : units) {
    if (!unit.policy.enabled && !unit.labelled) continue;
    ReportFilter filter;
    filter.unit = unit.name;
    filter.kind = RunKind::backup;
    filter.limit = 1;
    auto value = unit_json(unit, next_run_of(unit));
    value["last_run"] = nullptr;
    for (const auto& report : assembly.reports.list(filter).reports) value["last_run"] = report_line(report);
    const auto success = assembly.reports.last_success(unit.name);
    value["last_success"] = success ? json(to_iso8601(*success)) : json(nullptr);
    const bool failed = value["last_run"].is_object() && value["last_run"]["result"] != "success";
    if (!unit.valid() || failed) ++problems;
    listed.push_back(std::move(value));
  }
  json running = json::array();
  for (const auto& run : coordinator_.active()) {
    running.push_back({{"unit", run.unit}, {"kind", to_string(run.kind)}, {"backup_id", run.run}, {"since", to_iso8601(run.since)}});
  }
  json held = json::object();
  for (const auto& [unit, containers] : assembly.held.by_unit()) held[unit] = containers;
  co_return reply({{"version", KOPIDOCKA_VERSION},
                   {"docker", {{"engine_version", assembly.engine_info.engine_version}, {"api_version", assembly.engine_info.api_version}}},
                   {"engine", assembly.engine->name()},
                   {"repository", assembly.settings.repository},
                   {"identity", "root@" + assembly.hostname},
                   {"units", listed},
                   {"running", running},
                   {"paused", pauses_json()},
                   {"held_stopped", held}},
                  problems == 0 && left_stopped(assembly.held.by_unit(), coordinator_.active()).empty() ? ExitCode::ok : ExitCode::failed);
}

Task<ControlReply> Service::repository(const Json& args, Cancel cancel) {
  const auto action = args.value("action", std::string("status"));
  auto& assembly = coordinator_.assembly();
  if (action == "init") {
    const auto opened = co_await assembly.init_repository(cancel);
    co_return reply(repository_json(opened, assembly));
  }
  if (action != "status") throw Error(ErrorKind::usage, "'" + printable(action) + "' is not an action of repository", "use init or status");
  Assembly::OpenedRepository opened;
  opened.info = co_await assembly.engine->probe(cancel);
  co_return reply(repository_json(opened, assembly));
}

Task<ControlReply> Service::recover() {
  const auto outcome = co_await coordinator_.recover();
  json lost = json::array();
  for (const auto& report : outcome.lost) lost.push_back(report_line(report));
  co_return reply({{"runs", outcome.runs}, {"started", outcome.started}, {"problems", outcome.problems}, {"lost", lost}},
                  outcome.problems.empty() ? ExitCode::ok : ExitCode::failed);
}

Task<ControlReply> Service::doctor(Cancel cancel) {
  const auto checks = co_await examine(coordinator_, !ready, cancel);
  json listed = json::array();
  bool well = true;
  for (const auto& check : checks) {
    well = well && check.verdict != Check::Verdict::bad;
    listed.push_back({{"check", check.name}, {"verdict", to_string(check.verdict)}, {"found", check.found}, {"next_step", check.next_step}});
  }
  co_return reply({{"checks", listed}}, well ? ExitCode::ok : ExitCode::failed);
}

}  // namespace kopidocka
