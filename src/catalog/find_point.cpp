#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <set>

#include "base/text.hpp"
#include "catalog/restore_points.hpp"

namespace kopidocka {
namespace {

constexpr size_t kShortestPrefix = 6;
constexpr size_t kNamedPoints = 3;

using Candidates = std::vector<const RestorePoint*>;

std::string describe(const RestorePoint& point) {
  return printable(point.backup_id.substr(0, 8), 32) + " of " + to_iso8601(point.time).substr(0, 19) + "Z" +
         (point.complete ? "" : " (half a run)");
}

std::string describe(const Candidates& points) {
  std::vector<std::string> texts;
  for (const auto* point : points) {
    if (texts.size() == kNamedPoints) break;
    texts.push_back(describe(*point));
  }
  return join(texts, ", ");
}

bool means(const std::string& id, const std::string& at) {
  return id == at || (at.size() >= kShortestPrefix && id.size() > at.size() && id.compare(0, at.size(), at) == 0);
}

Candidates by_id(const Candidates& points, const std::string& at) {
  Candidates exact, prefix;
  for (const auto* point : points) {
    bool is_exact = point->backup_id == at, is_prefix = means(point->backup_id, at);
    for (const auto& member : point->members) {
      is_exact = is_exact || member.snapshot.id == at;
      is_prefix = is_prefix || means(member.snapshot.id, at);
    }
    if (is_exact) exact.push_back(point);
    if (is_prefix) prefix.push_back(point);
  }
  return exact.empty() ? prefix : exact;
}

/// "+01:00", "-0500", "Z"; nothing else may follow.
std::optional<Seconds> read_offset(const std::string& text, Seconds fallback) {
  if (text.empty()) return fallback;
  if (text == "Z" || text == "z") return Seconds(0);
  int hours = 0, minutes = 0, used = 0;
  const bool colon = std::sscanf(text.c_str() + 1, "%2d:%2d%n", &hours, &minutes, &used) == 2;
  if (!colon && std::sscanf(text.c_str() + 1, "%2d%2d%n", &hours, &minutes, &used) != 2) return std::nullopt;
  if ((text[0] != '+' && text[0] != '-') || static_cast<size_t>(used) + 1 != text.size()) return std::nullopt;
  if (hours < 0 || hours > 14 || minutes < 0 || minutes > 59) return std::nullopt;
  return Seconds((hours * 3600 + minutes * 60) * (text[0] == '-' ? -1 : 1));
}

/// "3 days ago".
std::optional<TimePoint> ago(const std::string& at, TimePoint now) {
  constexpr std::pair<std::string_view, Seconds> kUnits[] = {
      {"minute", Seconds(60)}, {"hour", Seconds(3'600)}, {"day", Seconds(86'400)}, {"week", Seconds(604'800)}};
  const auto words = split(trim(at), ' ');
  const bool fits = words.size() == 3 && words[2] == "ago" && !words[0].empty() && words[0].size() <= 5 &&
                    words[0].find_first_not_of("0123456789") == std::string::npos;
  if (!fits) return std::nullopt;
  for (const auto& [name, length] : kUnits) {
    if (words[1] == name || words[1] == std::string(name) + "s") return now - std::stol(words[0]) * length;
  }
  return std::nullopt;
}

/// The last moment that still belongs to the day, minute or second the text names.
std::optional<TimePoint> end_of(const std::string& at, Seconds utc_offset) {
  std::tm parts{};
  int used = 0;
  Seconds length = std::chrono::hours(24);
  if (std::sscanf(at.c_str(), "%4d-%2d-%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday, &used) != 3 || used == 0) {
    return std::nullopt;
  }
  auto rest = at.substr(static_cast<size_t>(used));
  used = 0;
  if (std::sscanf(rest.c_str(), "%*1[T ]%2d:%2d%n", &parts.tm_hour, &parts.tm_min, &used) == 2 && used > 0) {
    length = Seconds(60);
    rest = rest.substr(static_cast<size_t>(used));
    used = 0;
    if (std::sscanf(rest.c_str(), ":%2d%n", &parts.tm_sec, &used) == 1 && used > 0) {
      length = Seconds(1);
      rest = rest.substr(static_cast<size_t>(used));
      if (!rest.empty() && rest[0] == '.') rest = rest.substr(std::min(rest.find_first_not_of("0123456789", 1), rest.size()));
    }
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const auto asked = parts;
  const auto offset = read_offset(trim(rest), utc_offset);
  const auto seconds = timegm(&parts);
  // timegm turns 31 February into March: what it changed was no date.
  if (!offset || parts.tm_mday != asked.tm_mday || parts.tm_mon != asked.tm_mon || parts.tm_hour != asked.tm_hour ||
      parts.tm_min != asked.tm_min || parts.tm_sec != asked.tm_sec) {
    return std::nullopt;
  }
  return std::chrono::system_clock::from_time_t(seconds) - *offset + length - std::chrono::microseconds(1);
}

Result<RestorePoint> newest(const Candidates& points, const std::string& unit, std::optional<TimePoint> until) {
  Candidates later;
  for (const auto* point : points) {
    if (!until || point->time <= *until) {
      if (point->complete) return *point;
    } else {
      later.insert(later.begin(), point);
    }
  }
  if (later.empty()) {
    return Error{ErrorKind::not_found, "every restore point of " + printable(unit) + " in question is half a run",
                 "name one by its id to use it anyway: " + describe(points)};
  }
  return Error{ErrorKind::not_found, "no complete restore point of " + printable(unit) + " is that old",
               "the nearest are " + describe(later)};
}

Error no_points(const std::vector<RestorePoint>& points, const std::string& unit) {
  std::set<std::string> units;
  for (const auto& point : points) units.insert(point.unit);
  const auto meant = nearest(unit, {units.begin(), units.end()});
  return Error{ErrorKind::not_found, "the repository holds no restore point of a unit \"" + printable(unit, 200) + "\"",
               meant.empty() ? "kopi-docka snapshots lists what it holds" : "did you mean " + printable(meant) + "?"};
}

}  // namespace

Result<RestorePoint> find_point(const std::vector<RestorePoint>& points, const std::string& unit, const std::string& at, TimePoint now,
                                Seconds utc_offset) {
  Candidates own;
  for (const auto& point : points) {
    if (point.unit == unit) own.push_back(&point);
  }
  if (own.empty()) return no_points(points, unit);
  if (at.empty() || at == "latest") return newest(own, unit, std::nullopt);
  const auto matches = by_id(own, at);
  if (matches.size() == 1) return *matches.front();
  if (matches.size() > 1) {
    return Error{ErrorKind::invalid, "\"" + printable(at, 80) + "\" means several restore points: " + describe(matches),
                 "give more characters of the id"};
  }
  if (const auto until = ago(at, now)) return newest(own, unit, until);
  if (const auto until = end_of(at, utc_offset)) return newest(own, unit, until);
  return Error{ErrorKind::not_found,
               "no restore point of " + printable(unit) + " is called \"" + printable(at, 80) + "\"",
               "give an id (6 characters or more), a time like \"2026-11-20 03:00\" or \"3 days ago\", or latest; newest: " + describe(own)};
}

Result<std::vector<RestorePoint>> points_of_machine(std::vector<RestorePoint> points, const std::string& machine) {
  if (machine.empty()) return points;
  std::set<std::string> machines;
  for (const auto& point : points) machines.insert(point.host);
  if (machines.count(machine) != 0) {
    std::erase_if(points, [&](const RestorePoint& point) { return point.host != machine; });
    return points;
  }
  const std::vector<std::string> names(machines.begin(), machines.end());
  const auto meant = nearest(machine, names);
  return Error{ErrorKind::not_found, "no machine \"" + printable(machine, 200) + "\" has saved anything in this repository",
               names.empty()    ? "the repository holds no restore point at all"
               : !meant.empty() ? "did you mean " + printable(meant) + "?"
                                : "it holds restore points of " + printable(join(names, ", "), 500)};
}

}  // namespace kopidocka
