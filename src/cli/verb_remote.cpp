#include <unistd.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "catalog/report.hpp"
#include "cli/ask.hpp"
#include "cli/show.hpp"
#include "cli/verb_functions.hpp"
#include "labels/policy.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

json parsed(const ControlReply& reply) { return json::parse(reply.result); }

std::string pretty(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace); }

/// Asks, then prints the answer as JSON or through `show`.
ExitCode ask_and_show(const VerbContext& context, const std::string& verb, const json& args,
                      void (*show)(std::ostream&, const json&)) {
  const auto reply = ask(context, verb, args);
  const auto value = parsed(reply);
  if (context.arguments.has("json")) {
    context.out << pretty(value) << std::endl;
  } else {
    show(context.out, value);
  }
  return reply.exit_code;
}

void show_reports_of_backup(std::ostream& out, const json& results) {
  for (const auto& result : results) {
    if (result.contains("text")) {
      out << printable(result.value("unit", "")) << ": plan of a " << result.value("scope", "") << " backup\n" << result.value("text", "");
    } else {
      show_report(out, result);
    }
  }
}

void show_recovery(std::ostream& out, const json& outcome) {
  const auto runs = outcome.value("runs", size_t{0});
  if (runs == 0 && outcome.at("problems").empty() && outcome.at("started").empty()) out << "nothing is owed\n";
  for (const auto& name : outcome.at("started")) out << "started " << printable(name.get<std::string>()) << "\n";
  for (const auto& report : outcome.at("lost")) show_report(out, report);
  for (const auto& problem : outcome.at("problems")) out << "! " << printable(problem.get<std::string>()) << "\n";
}

bool confirmed(const VerbContext& context, const char* why_asked) {
  if (context.arguments.has("yes")) return true;
  if (::isatty(STDIN_FILENO) != 1) throw Error(ErrorKind::usage, std::string(why_asked) + ", and there is nobody to answer", "add --yes");
  context.err << "Go on? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

size_t number_option(const VerbContext& context, const char* name, size_t fallback) {
  const auto text = context.arguments.get(name);
  if (text.empty()) return fallback;
  if (text.size() > 6 || text.find_first_not_of("0123456789") != std::string::npos) {
    throw Error(ErrorKind::usage, "--" + std::string(name) + " needs a number, not '" + printable(text) + "'");
  }
  return std::stoul(text);
}

// What is wrong with the words themselves is said before anybody is asked: it needs no daemon.

void check_backup(const Arguments& arguments) {
  const bool all = arguments.has("all");
  if (arguments.words.empty() && !all) throw Error(ErrorKind::usage, "no unit is named", "name one or more units, or use --all");
  if (!arguments.words.empty() && all) throw Error(ErrorKind::usage, "--all and a unit's name exclude each other");
  if (arguments.has("scope") && !scope_from(arguments.get("scope"))) {
    throw Error(ErrorKind::usage, "'" + printable(arguments.get("scope")) + "' is not a scope", "choose minimal, standard or full");
  }
}

void check_restore(const Arguments& arguments) {
  if (arguments.has("at") && arguments.get("at").empty()) throw Error(ErrorKind::usage, "--at names no backup", "say which, or leave --at out for the newest");
  const auto folder = arguments.get("to", "/");
  if (folder.empty() || folder.front() != '/') {
    throw Error(ErrorKind::usage, "--to needs an absolute path, not '" + printable(folder) + "'");
  }
}

void check_history(const Arguments& arguments) {
  if (arguments.has("result") && !run_result_from(arguments.get("result"))) {
    throw Error(ErrorKind::usage, "'" + printable(arguments.get("result")) + "' is not a result", "choose success, partial, failed or skipped");
  }
}

void check_repository(const Arguments& arguments) {
  const auto& action = arguments.words.front();
  if (action == "init" || action == "status") return;
  throw Error(ErrorKind::usage, "'" + printable(action) + "' is not an action of repository", "use init or status");
}

}  // namespace

ExitCode verb_list(const VerbContext& context) {
  const json args = {{"units", context.arguments.words}, {"all", context.arguments.has("all")}};
  const auto reply = ask(context, "list", args);
  const auto value = parsed(reply);
  if (context.arguments.has("json")) {
    context.out << pretty(value.at("units")) << std::endl;
  } else if (context.arguments.words.empty()) {
    show_units(context.out, value);
  } else {
    for (const auto& unit : value.at("units")) show_unit_details(context.out, unit);
  }
  return reply.exit_code;
}

ExitCode verb_backup(const VerbContext& context) {
  check_backup(context.arguments);
  const json args = {{"units", context.arguments.words},
                     {"all", context.arguments.has("all")},
                     {"scope", context.arguments.get("scope")},
                     {"dry_run", context.arguments.has("dry-run")}};
  const auto reply = ask(context, "backup", args);
  const auto results = parsed(reply);
  if (context.arguments.has("json")) {
    // One object a unit, one line an object: a single unit's answer is plain JSON, many are JSON lines.
    for (const auto& result : results) context.out << result.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  } else {
    show_reports_of_backup(context.out, results);
  }
  return reply.exit_code;
}

ExitCode verb_snapshots(const VerbContext& context) {
  const json args = {{"units", context.arguments.words},
                     {"all_hosts", context.arguments.has("all-hosts")},
                     {"machine", context.arguments.get("machine")}};
  return ask_and_show(context, "snapshots", args, show_points);
}

ExitCode verb_restore(const VerbContext& context) {
  const auto& arguments = context.arguments;
  check_restore(arguments);
  json args = {{"unit", arguments.words.front()},
               {"at", arguments.get("at", "latest")},
               {"machine", arguments.get("machine")},
               {"volumes", arguments.all("volume")},
               {"to", arguments.get("to")},
               {"dry_run", true}};
  const auto planned = ask(context, "restore", args);
  const auto plan = parsed(planned);
  if (arguments.has("dry-run")) {
    context.out << (arguments.has("json") ? pretty(plan) + "\n" : plan.value("text", ""));
    return planned.exit_code;
  }
  context.err << "restore " << printable(arguments.words.front()) << " from backup " << plan.value("backup_id", "") << "\n"
              << plan.value("text", "");
  if (!confirmed(context, "a restore asks before it replaces data")) {
    context.err << "nothing was changed\n";
    return ExitCode::refused;
  }
  // The very backup that was shown, even if a newer one has come meanwhile.
  args["at"] = plan.at("backup_id");
  args["dry_run"] = false;
  return ask_and_show(context, "restore", args, show_report);
}

namespace {

json points_args(const Arguments& arguments) {
  return {{"unit", arguments.words.front()}, {"at", arguments.get("at")}, {"machine", arguments.get("machine")}, {"all", arguments.has("all")}};
}

void show_point(std::ostream& out, const json& point) { show_points(out, json::array({point})); }

ExitCode pin_or_unpin(const VerbContext& context, const char* verb) {
  if (!context.arguments.has("at")) throw Error(ErrorKind::usage, "no backup is named", std::string("kopi-docka ") + verb + " UNIT --at WHEN");
  return ask_and_show(context, verb, points_args(context.arguments), show_point);
}

}  // namespace

namespace {

void show_cancelled(std::ostream& out, const json& report) {
  if (report.is_object()) return show_report(out, report);
  out << "it had not begun yet and will not\n";
}

void show_pauses(std::ostream& out, const json& paused) {
  if (paused.empty()) out << "nothing is paused\n";
  for (const auto& [unit, until] : paused.items()) {
    out << (unit == "*" ? "every unit" : "unit " + printable(unit)) << " is paused "
        << (until.is_null() ? "until it is resumed" : "until " + until.get<std::string>().substr(0, 16) + " UTC") << "\n";
  }
}

json units_args(const Arguments& arguments) {
  if (arguments.words.empty() != arguments.has("all")) throw Error(ErrorKind::usage, "name one or more units, or use --all");
  return {{"units", arguments.words}, {"all", arguments.has("all")}, {"for", arguments.get("for")}};
}

}  // namespace

ExitCode verb_cancel(const VerbContext& context) {
  return ask_and_show(context, "cancel", {{"unit", context.arguments.words.front()}}, show_cancelled);
}

ExitCode verb_pause(const VerbContext& context) { return ask_and_show(context, "pause", units_args(context.arguments), show_pauses); }

ExitCode verb_resume(const VerbContext& context) { return ask_and_show(context, "resume", units_args(context.arguments), show_pauses); }

ExitCode verb_pin(const VerbContext& context) { return pin_or_unpin(context, "pin"); }

ExitCode verb_unpin(const VerbContext& context) { return pin_or_unpin(context, "unpin"); }

ExitCode verb_delete(const VerbContext& context) {
  const auto& arguments = context.arguments;
  if (arguments.has("all") == arguments.has("at")) throw Error(ErrorKind::usage, "say which backup: either --at WHEN or --all");
  auto args = points_args(arguments);
  args["dry_run"] = true;
  if (arguments.has("dry-run")) return ask_and_show(context, "delete", args, show_points);
  const auto doomed = parsed(ask(context, "delete", args));
  show_points(context.err, doomed);
  if (!confirmed(context, "removed backups do not come back, so this is asked")) {
    context.err << "nothing was changed\n";
    return ExitCode::refused;
  }
  // The very ones that were shown.
  if (!arguments.has("all")) args["at"] = doomed.at(0).at("backup_id");
  args["dry_run"] = false;
  const auto reply = ask(context, "delete", args);
  if (arguments.has("json")) {
    context.out << pretty(parsed(reply)) << std::endl;
  } else {
    context.out << "removed " << parsed(reply).size() << " backups\n";
  }
  return reply.exit_code;
}

ExitCode verb_status(const VerbContext& context) { return ask_and_show(context, "status", json::object(), show_status); }

ExitCode verb_history(const VerbContext& context) {
  check_history(context.arguments);
  const json args = {{"unit", context.arguments.words.empty() ? "" : context.arguments.words.front()},
                     {"limit", number_option(context, "limit", 20)},
                     {"result", context.arguments.get("result")}};
  return ask_and_show(context, "history", args, show_reports);
}

ExitCode verb_repository(const VerbContext& context) {
  check_repository(context.arguments);
  return ask_and_show(context, "repository", {{"action", context.arguments.words.front()}}, show_repository);
}

ExitCode verb_recover(const VerbContext& context) { return ask_and_show(context, "recover", json::object(), show_recovery); }

ExitCode verb_doctor(const VerbContext& context) { return ask_and_show(context, "doctor", json::object(), show_checks); }

}  // namespace kopidocka
