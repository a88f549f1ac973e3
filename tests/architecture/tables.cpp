#include "architecture/tables.hpp"

#include <regex>
#include <stdexcept>

#include "base/text.hpp"

namespace kopidocka::architecture {
namespace {

/// The cells of "| a | b |"; nothing when the line is not a row.
Row cells_of(const std::string& line) {
  const auto text = trim(line);
  if (text.size() < 2 || text.front() != '|' || text.back() != '|') return {};
  Row cells;
  for (const auto& cell : split(text.substr(1, text.size() - 2), '|')) cells.push_back(trim(cell));
  return cells;
}

std::set<std::string> as_set(const std::vector<std::string>& names) { return {names.begin(), names.end()}; }

/// The one name in a row's first cell.
std::string key_of(const Row& row) {
  const auto names = quoted_in(row.at(0));
  if (names.size() != 1)
    throw std::runtime_error("a row must begin with one name in backticks: " + row.at(0));
  return names.front();
}

}  // namespace

std::vector<Row> table_of(const std::string& markdown, const std::string& first, const std::string& second) {
  std::vector<Row> rows;
  bool inside = false;
  for (const auto& line : split(markdown, '\n')) {
    const auto cells = cells_of(line);
    if (!inside) {
      inside = cells.size() >= 2 && cells[0] == first && cells[1] == second;
    } else if (cells.size() < 2) {
      break;
    } else if (cells[0].find_first_not_of("-: ") != std::string::npos) {
      rows.push_back(cells);
    }
  }
  if (rows.empty()) throw std::runtime_error("no table '" + first + " | " + second + "'");
  return rows;
}

std::vector<std::string> quoted_in(const std::string& cell) {
  std::vector<std::string> names;
  const auto parts = split(cell, '`');
  for (size_t i = 1; i + 1 < parts.size(); i += 2) names.push_back(parts[i]);
  return names;
}

RoomTable rooms_of_page(const std::string& markdown) {
  RoomTable rooms;
  for (const auto& row : table_of(markdown, "Room", "May include"))
    rooms.push_back({key_of(row), as_set(quoted_in(row[1]))});
  return rooms;
}

RoomTable rooms_of_cmake(const std::string& text) {
  static const std::regex line(R"(kopidocka_room\((\w+)([^)]*)\))"), depends(R"(\bDEPENDS\s+([a-z_\s]+))"),
      word(R"([a-z_]+)");
  RoomTable rooms;
  for (std::sregex_iterator at(text.begin(), text.end(), line), end; at != end; ++at) {
    const std::string name = (*at)[1], rest = (*at)[2];
    if (name == "name") continue;  // the function itself
    Room room{name, {}};
    std::smatch match;
    if (std::regex_search(rest, match, depends)) {
      const std::string names = match[1];
      for (std::sregex_iterator used(names.begin(), names.end(), word); used != end; ++used)
        room.uses.insert(used->str());
    }
    rooms.push_back(room);
  }
  if (rooms.empty()) throw std::runtime_error("no kopidocka_room(...) line");
  return rooms;
}

std::map<std::string, std::set<std::string>> reachable(const RoomTable& rooms) {
  std::map<std::string, std::set<std::string>> all;
  for (const auto& room : rooms) {
    auto& seen = all[room.name];
    seen.insert(room.name);
    // Rooms come after those they use, so what these may include is known by now.
    for (const auto& used : room.uses) {
      seen.insert(used);
      if (all.count(used) != 0) seen.insert(all[used].begin(), all[used].end());
    }
  }
  return all;
}

std::vector<HeaderRule> header_rules_of(const std::string& markdown) {
  std::vector<HeaderRule> rules;
  for (const auto& row : table_of(markdown, "Header", "Only in"))
    rules.push_back({key_of(row), quoted_in(row[1])});
  return rules;
}

std::map<std::string, std::vector<std::string>> pure_rooms_of(const std::string& markdown) {
  std::map<std::string, std::vector<std::string>> rooms;
  for (const auto& row : table_of(markdown, "Pure room", "Sees of the others"))
    rooms[key_of(row)] = quoted_in(row[1]);
  return rooms;
}

}  // namespace kopidocka::architecture
