#include "daemon/doctor.hpp"

#include <exception>

#include "base/text.hpp"

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

Task<Check> check_repository(Coordinator& coordinator, Cancel cancel) {
  const auto info = co_await coordinator.assembly().engine->probe(cancel);
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

Check check_state(const Assembly& assembly) {
  if (!assembly.state_problem.empty()) return {"state folder", Verdict::bad, assembly.state_problem, "nothing is stopped until then"};
  return {"state folder", Verdict::good, assembly.state.path().string() + (assembly.in_container ? " (a mount that survives)" : ""), ""};
}

Check check_debts(const Assembly& assembly) {
  Check check{"journal", Verdict::good, "nothing is owed", ""};
  for (const auto& [unit, containers] : assembly.held.by_unit()) {
    const auto names = join({containers.begin(), containers.end()}, ", ");
    check = {"journal", Verdict::bad, "unit " + printable(unit) + " has containers held stopped: " + printable(names),
             "run 'kopi-docka recover' and look at the containers"};
  }
  return check;
}

Check check_password(const Assembly& assembly) {
  if (!assembly.settings.password.empty()) return {"password", Verdict::good, "given by the settings", ""};
  return {"password", Verdict::warning, "generated, kept only in " + assembly.state.password_file().string(),
          "copy it to a safe place: without it no backup can be read"};
}

void check_units(const std::vector<Unit>& units, std::vector<Check>& checks) {
  size_t enabled = 0;
  for (const auto& unit : units) {
    if (!unit.policy.enabled) continue;
    ++enabled;
    for (const auto& problem : unit.problems) {
      const bool error = problem.severity == Problem::Severity::error;
      checks.push_back({"unit " + printable(unit.name), error ? Verdict::bad : Verdict::warning, problem.where + ": " + problem.message, ""});
    }
    if (unit.policy.enabled && !unit.policy.schedule) {
      checks.push_back({"unit " + printable(unit.name), Verdict::warning, "has no schedule: it is backed up only on request",
                        "label it: kopi-docka.schedule: \"0 3 * * *\""});
    }
  }
  checks.push_back({"units", enabled > 0 ? Verdict::good : Verdict::warning,
                    std::to_string(enabled) + " enabled, " + std::to_string(units.size() - enabled) + " not",
                    enabled > 0 ? "" : "label a stack: kopi-docka.schedule: \"0 3 * * *\""});
}

}  // namespace

std::string_view to_string(Check::Verdict verdict) {
  return verdict == Verdict::good ? "good" : verdict == Verdict::warning ? "warning" : "bad";
}

Task<std::vector<Check>> examine(Coordinator& coordinator, Cancel cancel) {
  std::vector<Check> checks;
  const auto& assembly = coordinator.assembly();
  checks.push_back(co_await attempt(check_docker(coordinator), "docker engine"));
  checks.push_back(co_await attempt(check_repository(coordinator, cancel), "repository"));
  checks.push_back(check_state(assembly));
  checks.push_back(check_password(assembly));
  checks.push_back(check_debts(assembly));
  std::exception_ptr failure;
  try {
    check_units(co_await coordinator.look(), checks);
  } catch (...) {
    failure = std::current_exception();
  }
  if (failure) checks.push_back(bad_check("units", to_error(failure)));
  co_return checks;
}

}  // namespace kopidocka
