#include "cli/show.hpp"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <set>

#include "base/duration.hpp"
#include "base/text.hpp"
#include "cli/table.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

std::string seconds_text(double seconds) {
  if (seconds >= 100) return format_duration(Milliseconds(static_cast<std::int64_t>(seconds) * 1000));
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

std::string minute_text(const json& value) { return time_text(value).substr(0, 16); }

std::string text_of(const json& value, const char* name) {
  return value.contains(name) && value[name].is_string() ? printable(value[name].get<std::string>()) : std::string();
}

/// What must not be taken for a cold copy says so wherever it is shown.
std::string with_consistency(const std::string& words, const json& value) {
  const auto consistency = text_of(value, "consistency");
  return consistency.empty() || consistency == "stop" ? words : words + ", " + consistency;
}

std::string verdict_of(const json& unit) {
  if (!unit.value("valid", true)) return "INVALID";
  return unit.value("enabled", false) ? "ok" : "off";
}

void show_problems(std::ostream& out, const json& unit) {
  for (const auto& problem : unit.at("problems")) {
    out << "  " << text_of(problem, "severity") << ": " << text_of(problem, "where") << "\n"
        << wrapped(text_of(problem, "message"), "    ");
  }
}

}  // namespace

void show_units(std::ostream& out, const json& answer) {
  Table table({"UNIT", "STATE", "CONTAINERS", "VOLUMES", "BINDS", "NEXT RUN"});
  for (const auto& unit : answer.at("units")) {
    const auto next = text_of(unit, "next_run_local");
    table.add({text_of(unit, "unit"), verdict_of(unit), std::to_string(unit.at("containers").size()),
               std::to_string(unit.at("volumes").size()), std::to_string(unit.at("binds").size()), next.empty() ? "-" : next});
  }
  if (table.empty()) {
    out << "no unit is enabled; label a stack to opt it in:\n  " << text_of(answer, "label_prefix") << "schedule: \"0 3 * * *\"\n";
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
  out << text_of(unit, "unit") << " (" << text_of(unit, "kind") << ", " << verdict_of(unit) << ", scope " << text_of(unit, "scope")
      << ", consistency " << text_of(unit, "consistency") << ")\n";
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
  const auto consistency = text_of(report, "consistency");
  if (!consistency.empty() && consistency != "stop") out << ", consistency " << consistency << ": not a cold copy,";
  out << " in " << seconds_text(report.value("duration_seconds", 0.0)) << ", containers down for "
      << seconds_text(report.value("downtime_seconds", 0.0)) << "\n";
  for (const auto& problem : report.at("problems")) out << wrapped(printable(problem.get<std::string>()), "  ! ");
  Table table({"TYPE", "SOURCE", "SIZE", "FILES", "SNAPSHOT"}, {1});
  for (const auto& snapshot : report.at("snapshots")) {
    const auto id = text_of(snapshot, "id");
    table.add({text_of(snapshot, "type"), text_of(snapshot, "source"), format_bytes(snapshot.value("bytes", std::uint64_t{0})),
               std::to_string(snapshot.value("files", std::uint64_t{0})), id.substr(0, 12)});
  }
  if (!table.empty()) table.print(out);
}

void show_reports(std::ostream& out, const json& reports) {
  const bool restores = std::any_of(reports.begin(), reports.end(), [](const json& report) { return text_of(report, "kind") != "backup"; });
  std::vector<std::string> head = {"TIME (UTC)", "UNIT", "RESULT", "TOOK", "DOWN", "ID"};
  if (restores) head.insert(head.begin() + 2, "KIND");
  Table table(head);
  for (const auto& report : reports) {
    std::vector<std::string> row = {minute_text(report.at("started_at")), text_of(report, "unit"), with_consistency(text_of(report, "result"), report),
                                    seconds_text(report.value("duration_seconds", 0.0)),
                                    seconds_text(report.value("downtime_seconds", 0.0)), text_of(report, "backup_id").substr(0, 8)};
    if (restores) row.insert(row.begin() + 2, text_of(report, "kind"));
    table.add(row);
    const auto& problems = report.at("problems");
    if (!problems.empty()) {
      const auto reason = text_of(report, "reason");
      table.note(wrapped((reason.empty() ? "" : reason + ": ") + printable(problems.front().get<std::string>()), "  ! "));
    }
  }
  if (table.empty()) {
    out << "no runs yet\n";
  } else {
    table.print(out);
  }
}

void show_points(std::ostream& out, const json& points) {
  // A table per unit and host: with their names in every line it would not fit a terminal.
  std::vector<std::pair<std::string, Table>> tables;
  for (const auto& point : points) {
    const auto owner = text_of(point, "unit") + " on " + text_of(point, "host");
    auto found = std::find_if(tables.begin(), tables.end(), [&](const auto& entry) { return entry.first == owner; });
    if (found == tables.end()) {
      tables.emplace_back(owner, Table({"TIME (UTC)", "SCOPE", "SIZE", "FILES", "STATE", "ID"}));
      found = std::prev(tables.end());
    }
    const auto state = !point.value("complete", true) ? "INCOMPLETE" : point.value("partial", false) ? "partial" : "complete";
    found->second.add({time_text(point.at("time")), text_of(point, "scope"), format_bytes(point.value("bytes", std::uint64_t{0})),
                       std::to_string(point.value("files", std::uint64_t{0})), with_consistency(state, point) + (point.value("pinned", false) ? ", pinned" : ""),
                       text_of(point, "backup_id").substr(0, 8)});
  }
  if (tables.empty()) out << "no snapshots yet\n";
  for (const auto& [owner, table] : tables) {
    out << owner << "\n";
    table.print(out, "  ");
  }
}

void show_files(std::ostream& out, const json& listing) {
  const auto place = text_of(listing, "place");
  out << text_of(listing, "unit") << (place.empty() ? "" : " " + place) << ", backup " << text_of(listing, "backup_id").substr(0, 8) << " of "
      << time_text(listing.at("time")) << " UTC\n";
  Table table({"SIZE", "CHANGED (UTC)", "NAME"});
  for (const auto& entry : listing.at("entries")) {
    const auto type = text_of(entry, "type");
    const auto mark = type == "folder" ? "/" : type == "link" ? "@" : type == "other" ? "?" : "";
    const auto bytes = entry.value("bytes", std::uint64_t{0});
    table.add({type == "folder" && bytes == 0 ? "-" : format_bytes(bytes), time_text(entry.at("mtime")), text_of(entry, "name") + mark});
  }
  if (table.empty()) out << "  nothing\n";
  if (!table.empty()) table.print(out, "  ");
}

namespace {

void show_unit_states(std::ostream& out, const json& units) {
  Table table({"UNIT", "STATE", "LAST RUN (UTC)", "RESULT", "NEXT RUN"});
  for (const auto& unit : units) {
    const auto& last = unit.at("last_run");
    const auto next = text_of(unit, "next_run_local");
    table.add({text_of(unit, "unit"), verdict_of(unit), last.is_object() ? minute_text(last.at("started_at")) : "-",
               last.is_object() ? with_consistency(text_of(last, "result"), last) : "-", next.empty() ? "-" : next});
    if (!last.is_object() || text_of(last, "result") == "success") continue;
    const auto success = minute_text(unit.at("last_success"));
    table.note(success == "-" ? "  ! never succeeded yet\n" : "  ! last success " + success + "\n");
  }
  if (table.empty()) {
    out << "no unit is enabled\n";
  } else {
    table.print(out);
  }
}

std::string names_text(const json& names) {
  std::string text;
  for (const auto& name : names) text += " " + printable(name.get<std::string>());
  return text;
}

}  // namespace

void show_status(std::ostream& out, const json& status) {
  out << "kopi-docka " << text_of(status, "version") << ", " << text_of(status, "engine") << ", docker "
      << text_of(status.at("docker"), "engine_version") << "\nrepository " << text_of(status, "repository") << "\nidentity   "
      << text_of(status, "identity") << "\n\n";
  show_unit_states(out, status.at("units"));
  auto held = status.at("held_stopped");
  for (const auto& run : status.at("running")) {
    const auto unit = run.value("unit", "");
    out << "\nrunning: " << text_of(run, "kind") << " of " << printable(unit);
    if (held.contains(unit)) out << ", stopped for it:" << names_text(held[unit]);
    out << "\n";
    held.erase(unit);
  }
  const auto paused = status.value("paused", json::object());
  for (const auto& [unit, until] : paused.items()) {
    out << "\npaused: " << (unit == "*" ? "every unit" : printable(unit)) << (until.is_null() ? "" : " until " + minute_text(until) + " UTC") << "\n";
  }
  for (const auto& [unit, containers] : held.items()) {
    out << "\nHELD STOPPED: unit " << printable(unit) << ":" << names_text(containers) << "\n";
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

void show_settings(std::ostream& out, const std::vector<SettingValue>& values) {
  size_t widest = 0;
  for (const auto& value : values) widest = std::max(widest, value.name.size());
  const auto padded = [](std::string text, size_t width) {
    text.resize(std::max(text.size() + 2, width), ' ');
    return text;
  };
  out << padded("SETTING", widest + 2) << padded("SOURCE", 13) << "VALUE\n";
  std::set<std::string> files;
  for (const auto& value : values) {
    const auto shown = printable(value.shown);
    const auto source = value.source.substr(0, value.source.find(' '));
    if (source != value.source && value.shown.find(value.source) == std::string::npos) files.insert(value.source.substr(source.size() + 1));
    auto line = padded(value.name, widest + 2) + padded(printable(source), 13);
    // Too long for the line: the value on a line of its own, never cut.
    const bool apart = columns_of(line) + columns_of(shown) > 80;
    if (!apart) line += shown;
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << "\n" << (apart ? "    " + shown + "\n" : "");
  }
  for (const auto& file : files) out << "\nfile: " << printable(file) << "\n";
}

}  // namespace kopidocka
