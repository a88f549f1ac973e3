#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace kopidocka::architecture {

using Row = std::vector<std::string>;

/// The rows below the Markdown table head whose first two cells are these; throws when there is no such
/// table.
std::vector<Row> table_of(const std::string& markdown, const std::string& first, const std::string& second);

/// What stands between backticks in a cell.
std::vector<std::string> quoted_in(const std::string& cell);

/// The one-way order: every room with the rooms it names, in the order of the table.
struct Room {
  std::string name;
  std::set<std::string> uses;
  bool operator==(const Room&) const = default;
};
using RoomTable = std::vector<Room>;

RoomTable rooms_of_page(const std::string& markdown);
RoomTable rooms_of_cmake(const std::string& text);

/// Every room with all it may include: itself, what it names, and what those may include in turn.
std::map<std::string, std::set<std::string>> reachable(const RoomTable& rooms);

/// Which files may include a header that begins so; globs of paths below src/.
struct HeaderRule {
  std::string header;
  std::vector<std::string> only_in;
};
std::vector<HeaderRule> header_rules_of(const std::string& markdown);

/// What a pure room may see of other rooms; globs of include paths.
std::map<std::string, std::vector<std::string>> pure_rooms_of(const std::string& markdown);

}  // namespace kopidocka::architecture
