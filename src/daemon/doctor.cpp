#include "daemon/doctor.hpp"

#include <exception>
#include <optional>

#include "base/text.hpp"
#include "engine/program.hpp"

namespace kopidocka {
namespace {

using Verdict = Check::Verdict;

Check bad_check(std::string name, const Error& error) {
  return {std::move(name), Verdict::bad, error.text(), error.next_step()};
}

Task<Check> check_docker(Coordinator& coordinator) {
  const auto info = co_await coordinator.assembly().docker->info();
  co_return Check{"docker engine", Verdict::good, info.engine_version + ", API " + info.api_version + ", host " + printable(info.name), ""};
}

/// The program itself: whether it is there at all, and which version.
Task<Check> check_program(Coordinator& coordinator, Cancel cancel) {
  const auto& settings = coordinator.assembly().settings;
  const auto name = std::string(to_string(settings.engine));
  const EngineProgram program(name, engine_environment(settings.cache_dir.string()), Secret(), Milliseconds(1'000));
  ProgramCall call;
  call.doing = "ask " + name + " for its version";
  call.args = {settings.engine == EngineChoice::kopia ? "--version" : "version"};
  call.deadline = settings.engine_timeout;
  const auto result = co_await program.run(call, std::move(cancel));
  throw_unless_ended(result, call);
  if (!result.ok()) throw Error(ErrorKind::failed, call.doing + ": " + last_words(result));
  const auto words = split(trim(result.output), ' ');
  const auto version = words.front() == name && words.size() > 1 ? words[1] : words.front();
  co_return Check{"engine program", Verdict::good, name + " " + printable(version, 40), ""};
}

Task<Check> check_repository(Coordinator& coordinator, Cancel cancel) {
  auto& assembly = coordinator.assembly();
  if (!assembly.build_engine_alone()) {
    co_return Check{"repository", Verdict::warning, "not asked: who we are in it is known once the Docker Engine has answered",
                    "mend the Docker Engine first, or set KOPI_DOCKA_HOSTNAME"};
  }
  const auto info = co_await assembly.engine->probe(cancel);
  Check check{"repository", Verdict::good, printable(info.storage) + " (" + info.engine_version + ")", ""};
  if (info.bytes_total > 0) check.found += ", " + format_bytes(info.bytes_free) + " free of " + format_bytes(info.bytes_total);
  if (info.bytes_total > 0 && info.bytes_free < info.bytes_total / 10) {
    check.verdict = Verdict::warning;
    check.next_step = "less than a tenth is free: add space or lower the retention";
  }
  co_return check;
}

Task<Check> attempt(Task<Check> task, std::string name) {
  std::exception_ptr failure;
  try {
    co_return co_await std::move(task);
  } catch (...) {
    failure = std::current_exception();
  }
  co_return bad_check(std::move(name), to_error(failure));
}

Check check_state(Assembly& assembly) {
  try {
    assembly.open_folders();
  } catch (const Error& error) {
    return bad_check("state folder", error);
  }
  if (!assembly.state_problem.empty()) return {"state folder", Verdict::bad, assembly.state_problem, "nothing is stopped until then"};
  const bool mount_known = assembly.in_container && !assembly.engine_info.api_version.empty();
  return {"state folder", Verdict::good, assembly.state.path().string() + (mount_known ? " (a mount that survives)" : ""), ""};
}

Check check_debts(Coordinator& coordinator) {
  std::string units;
  for (const auto& [unit, containers] : left_stopped(coordinator.assembly().held.by_unit(), coordinator.active())) {
    units += (units.empty() ? "unit " : ", unit ") + printable(unit) + " has containers held stopped: " +
             printable(join({containers.begin(), containers.end()}, ", "));
  }
  if (units.empty()) return {"journal", Verdict::good, "nothing is owed", ""};
  return {"journal", Verdict::bad, units, "run 'kopi-docka recover' and look at the containers"};
}

void check_units(const std::vector<Unit>& units, const std::string& prefix, std::vector<Check>& checks) {
  const auto label = prefix + "schedule: \"0 3 * * *\"";
  size_t enabled = 0;
  for (const auto& unit : units) {
    if (!unit.policy.enabled && !unit.labelled) continue;
    const auto name = "unit " + printable(unit.name);
    for (const auto& problem : unit.problems) {
      const bool error = problem.severity == Problem::Severity::error;
      checks.push_back({name, error ? Verdict::bad : Verdict::warning, problem.where + ": " + problem.message, ""});
    }
    if (!unit.policy.enabled) continue;
    ++enabled;
    if (!unit.policy.schedule) {
      checks.push_back({name, Verdict::warning, "has no schedule: it is backed up only on request", "label it: " + label});
    }
  }
  checks.push_back({"units", enabled > 0 ? Verdict::good : Verdict::warning,
                    std::to_string(enabled) + " enabled, " + std::to_string(units.size() - enabled) + " not",
                    enabled > 0 ? "" : "label a stack: " + label});
}

/// The units, or why they cannot be seen.
Task<> look_at_units(Coordinator& coordinator, std::vector<Check>& checks) {
  std::exception_ptr failure;
  try {
    const auto units = co_await coordinator.look();
    check_units(units, coordinator.assembly().settings.label_prefix + ".", checks);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) checks.push_back(bad_check("units", to_error(failure)));
}

Task<std::optional<Error>> meet(Assembly& assembly) {
  std::exception_ptr failure;
  try {
    co_await assembly.meet_surroundings();
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return std::nullopt;
  co_return to_error(failure);
}

bool is_good(const Check& check) { return check.verdict != Verdict::bad; }

}  // namespace

std::map<std::string, std::set<std::string>> left_stopped(std::map<std::string, std::set<std::string>> held,
                                                          const std::vector<ActiveRun>& active) {
  for (const auto& run : active) held.erase(run.unit);
  return held;
}

Check check_password(const Assembly& assembly) {
  const auto& settings = assembly.settings;
  const auto file = assembly.state.password_file().string();
  if (!settings.password.empty()) return {"password", Verdict::good, "given by the settings", ""};
  const auto stored = assembly.state.stored_password();
  if (!stored) return bad_check("password", stored.error());
  if (stored->has_value()) {
    return {"password", Verdict::warning, "generated, kept only in " + file, "copy it to a safe place: without it no backup can be read"};
  }
  const bool made_by_itself = settings.repository == default_repository(assembly.in_container);
  return {"password", made_by_itself ? Verdict::good : Verdict::bad,
          "none exists yet" + (made_by_itself ? ": one is generated into " + file + " when the repository is created" : std::string()),
          made_by_itself ? "" : "set KOPI_DOCKA_PASSWORD_FILE (or KOPI_DOCKA_PASSWORD) to the password of " + settings.repository};
}

std::string_view to_string(Check::Verdict verdict) {
  return verdict == Verdict::good ? "good" : verdict == Verdict::warning ? "warning" : "bad";
}

Task<std::vector<Check>> examine(Coordinator& coordinator, bool alone, Cancel cancel) {
  auto& assembly = coordinator.assembly();
  assembly.make_docker();
  std::optional<Error> trouble;
  if (alone) trouble = co_await meet(assembly);
  std::vector<Check> checks;
  checks.push_back(co_await attempt(check_docker(coordinator), "docker engine"));
  checks.push_back(check_state(assembly));
  const bool docker_answers = is_good(checks[0]), state_is_ours = is_good(checks[1]) || assembly.engine != nullptr;
  checks.push_back(co_await attempt(check_program(coordinator, cancel), "engine program"));
  checks.push_back(check_password(assembly));
  if (state_is_ours) {
    checks.push_back(co_await attempt(check_repository(coordinator, cancel), "repository"));
    checks.push_back(check_debts(coordinator));
  }
  // What neither of them explains, such as a container that cannot tell itself from another.
  if (trouble && docker_answers && state_is_ours && is_good(checks[4])) checks.push_back(bad_check("surroundings", *trouble));
  if (docker_answers) co_await look_at_units(coordinator, checks);
  co_return checks;
}

}  // namespace kopidocka
