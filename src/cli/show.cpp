#include "cli/show.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "cli/table.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1fs", seconds);
  return text;
}

/// "2026-11-22 03:00:05" of an ISO time in UTC.
std::string time_text(const json& value) {
  if (!value.is_string()) return "-";
  auto text = value.get<std::string>().substr(0, 19);
  if (text.size() > 10) text[10] = ' ';
  return text;
}

std::string text_of(const json& value, const char* name) {
  return value.contains(name) && value[name].is_string() ? printable(value[name].get<std::string>()) : std::string();
}

std::string verdict_of(const json& unit) {
  if (!unit.value("valid", true)) return "INVALID";
  return unit.value("enabled", false) ? "ok" : "not enabled";
}

void show_problems(std::ostream& out, const json& unit) {
  for (const auto& problem : unit.at("problems")) {
    out << "  " << text_of(problem, "severity") << ": " << text_of(problem, "where") << "\n"
        << wrapped(text_of(problem, "message"), "    ");
  }
}

std::uint64_t total(const json& report, const char* what) {
  std::uint64_t sum = 0;
  for (const auto& snapshot : report.at("snapshots")) sum += snapshot.value(what, std::uint64_t{0});
  return sum;
}

}  // namespace

void show_units(std::ostream& out, const json& answer) {
  Table table({"UNIT", "KIND", "STATE", "CONTAINERS", "DATA", "NEXT RUN"});
  for (const auto& unit : answer.at("units")) {
    const auto data = std::to_string(unit.at("volumes").size()) + " volumes, " + std::to_string(unit.at("binds").size()) + " binds";
    const auto next = text_of(unit, "next_run_local");
    table.add({text_of(unit, "unit"), text_of(unit, "kind"), verdict_of(unit), std::to_string(unit.at("containers").size()), data,
               next.empty() ? "-" : next});
  }
  if (table.empty()) {
    out << "no unit is enabled; label a stack to opt it in:\n  kopi-docka.schedule: \"0 3 * * *\"\n";
  } else {
    table.print(out);
  }
  for (const auto& unit : answer.at("units")) {
    if (unit.at("problems").empty()) continue;
    out << "\n" << text_of(unit, "unit") << "\n";
    show_problems(out, unit);
  }
  const auto hidden = answer.value("not_enabled", size_t{0});
  if (hidden > 0) out << "\n" << hidden << " more units are not enabled (kopi-docka list --all)\n";
}

void show_unit_details(std::ostream& out, const json& unit) {
  out << text_of(unit, "unit") << " (" << text_of(unit, "kind") << ", " << verdict_of(unit) << ", scope " << text_of(unit, "scope") << ")\n";
  if (unit.contains("schedule")) {
    out << "  schedule  " << text_of(unit, "schedule") << " (" << text_of(unit, "timezone") << "), next " << text_of(unit, "next_run_local") << "\n";
  }
  for (const auto& container : unit.at("containers")) {
    const auto database = text_of(container, "database");
    out << "  container " << text_of(container, "name") << "  " << text_of(container, "image") << "  " << text_of(container, "state")
        << (database.empty() ? "" : "  (" + database + ")") << "\n";
  }
  for (const auto& volume : unit.at("volumes")) {
    out << "  volume    " << text_of(volume, "name") << "  " << text_of(volume, "driver") << "\n            " << text_of(volume, "mountpoint") << "\n";
  }
  for (const auto& bind : unit.at("binds")) out << "  bind      " << text_of(bind, "path") << "\n";
  show_problems(out, unit);
}

void show_report(std::ostream& out, const json& report) {
  const bool restore = text_of(report, "kind") == "restore";
  out << text_of(report, "unit") << ": " << (restore ? "restore" : "backup") << " " << text_of(report, "result");
  const auto reason = text_of(report, "reason");
  if (!reason.empty()) out << " (" << reason << ")";
  out << " in " << seconds_text(report.value("duration_seconds", 0.0)) << ", containers down for "
      << seconds_text(report.value("downtime_seconds", 0.0)) << "\n";
  for (const auto& problem : report.at("problems")) out << wrapped(printable(problem.get<std::string>()), "  ! ");
  Table table({"TYPE", "SOURCE", "SIZE", "FILES", "SNAPSHOT"});
  for (const auto& snapshot : report.at("snapshots")) {
    const auto id = text_of(snapshot, "id");
    table.add({text_of(snapshot, "type"), text_of(snapshot, "source"), format_bytes(snapshot.value("bytes", std::uint64_t{0})),
               std::to_string(snapshot.value("files", std::uint64_t{0})), id.substr(0, 12)});
  }
  if (!table.empty()) table.print(out);
}

void show_reports(std::ostream& out, const json& reports) {
  Table table({"TIME (UTC)", "UNIT", "KIND", "RESULT", "TOOK", "DOWN", "SIZE", "ID"});
  for (const auto& report : reports) {
    const auto reason = text_of(report, "reason");
    table.add({time_text(report.at("started_at")), text_of(report, "unit"), text_of(report, "kind"),
               text_of(report, "result") + (reason.empty() ? "" : " (" + reason + ")"), seconds_text(report.value("duration_seconds", 0.0)),
               seconds_text(report.value("downtime_seconds", 0.0)), format_bytes(total(report, "bytes")),
               text_of(report, "backup_id").substr(0, 8)});
  }
  if (table.empty()) {
    out << "no runs yet\n";
  } else {
    table.print(out);
  }
}

void show_points(std::ostream& out, const json& points) {
  Table table({"TIME (UTC)", "UNIT", "HOST", "SCOPE", "SIZE", "FILES", "STATE", "ID"});
  for (const auto& point : points) {
    const auto state = !point.value("complete", true) ? "INCOMPLETE" : point.value("partial", false) ? "partial" : "complete";
    table.add({time_text(point.at("time")), text_of(point, "unit"), text_of(point, "host"), text_of(point, "scope"),
               format_bytes(point.value("bytes", std::uint64_t{0})), std::to_string(point.value("files", std::uint64_t{0})), state,
               text_of(point, "backup_id").substr(0, 8)});
  }
  if (table.empty()) {
    out << "no snapshots yet\n";
  } else {
    table.print(out);
  }
}

void show_status(std::ostream& out, const json& status) {
  out << "kopi-docka " << text_of(status, "version") << "  docker " << text_of(status.at("docker"), "engine_version") << "  "
      << text_of(status, "engine") << "  " << text_of(status, "repository") << "  " << text_of(status, "identity") << "\n\n";
  Table table({"UNIT", "STATE", "LAST RUN (UTC)", "RESULT", "DOWN", "LAST SUCCESS", "NEXT RUN"});
  for (const auto& unit : status.at("units")) {
    const auto& last = unit.at("last_run");
    const auto next = text_of(unit, "next_run_local");
    table.add({text_of(unit, "unit"), verdict_of(unit), last.is_object() ? time_text(last.at("started_at")) : "-",
               last.is_object() ? text_of(last, "result") : "-",
               last.is_object() ? seconds_text(last.value("downtime_seconds", 0.0)) : "-", time_text(unit.at("last_success")),
               next.empty() ? "-" : next});
  }
  if (table.empty()) {
    out << "no unit is enabled\n";
  } else {
    table.print(out);
  }
  for (const auto& run : status.at("running")) out << "\nrunning: " << text_of(run, "kind") << " of " << text_of(run, "unit") << "\n";
  for (const auto& [unit, containers] : status.at("held_stopped").items()) {
    out << "\nHELD STOPPED: unit " << printable(unit) << ":";
    for (const auto& name : containers) out << " " << printable(name.get<std::string>());
    out << "\n";
  }
}

void show_checks(std::ostream& out, const json& answer) {
  for (const auto& check : answer.at("checks")) {
    const auto verdict = text_of(check, "verdict");
    out << (verdict == "good" ? "  ok    " : verdict == "warning" ? "  warn  " : "  BAD   ") << text_of(check, "check") << "\n"
        << wrapped(text_of(check, "found"), "          ");
    const auto next = text_of(check, "next_step");
    if (!next.empty()) out << wrapped("-> " + next, "          ");
  }
}

void show_repository(std::ostream& out, const json& repository) {
  if (repository.value("created", false)) out << "created\n";
  for (const auto* name : {"repository", "engine", "storage", "identity", "unique_id"}) {
    out << name << std::string(12 - std::string_view(name).size(), ' ') << text_of(repository, name) << "\n";
  }
  const auto total_bytes = repository.value("bytes_total", std::uint64_t{0});
  if (total_bytes > 0) {
    out << "free        " << format_bytes(repository.value("bytes_free", std::uint64_t{0})) << " of " << format_bytes(total_bytes) << "\n";
  }
  const auto file = text_of(repository, "password_file");
  if (!file.empty()) {
    out << "\nThe password was generated into " << file << ":\ncopy it to a safe place, without it no backup can be read.\n";
  }
}

}  // namespace kopidocka
