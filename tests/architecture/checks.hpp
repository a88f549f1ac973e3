#pragma once

#include <string>
#include <vector>

#include "architecture/source_tree.hpp"
#include "architecture/tables.hpp"

namespace kopidocka::architecture {

// Each check returns one sentence per violation; empty = the house is in order. Pure.
using Violations = std::vector<std::string>;

/// No room uses one that stands below it in the table, or one that is not there.
Violations check_one_way(const RoomTable& rooms);
/// Every "room/..." include stays within what the table allows and names a file that exists (or is
/// generated).
Violations check_room_includes(const SourceTree& tree, const RoomTable& rooms);
/// Every folder is a room of the table.
Violations check_folders(const SourceTree& tree, const RoomTable& rooms);
/// Headers of libraries stay where the page says.
Violations check_headers(const SourceTree& tree, const std::vector<HeaderRule>& rules);
/// Pure rooms see values of others only, and nothing of the system.
Violations check_pure_rooms(const SourceTree& tree,
                            const std::map<std::string, std::vector<std::string>>& pure);

Violations check_lengths(const SourceTree& tree, size_t ceiling);
/// No Manager, Helper, Handler, Service, Util in a type's name; `known` are exceptions, each of which must
/// still be needed.
Violations check_names(const SourceTree& tree, const std::vector<std::string>& known);
/// A type name that two files define would be one type for the linker.
Violations check_types_unique(const SourceTree& tree);
/// No detached work, no capturing lambda coroutine, no open ends in comments; headers have `#pragma once` and
/// no `using namespace`.
Violations check_words(const SourceTree& tree);

}  // namespace kopidocka::architecture
