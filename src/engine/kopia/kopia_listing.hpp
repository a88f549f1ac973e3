#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kopidocka {

/// An entry of a snapshot.
struct KopiaEntry {
  enum class Kind { file, link, folder };
  Kind kind = Kind::file;
  std::uint64_t size = 0;
  std::int64_t mtime_second = 0;  ///< rounded down
  std::string object_id;
  std::string path;  ///< relative to the source; without a slash at its end
};

/// The call whose lines parse_kopia_entry reads: the only one that tells times and contents of a whole snapshot.
std::vector<std::string> kopia_listing_args(const std::string& snapshot_id);

/// Reads one line; refused when it is not exactly of the form this version of Kopia writes, or the name is one that Kopia has
/// changed (bytes that are no UTF-8). The list is made for people: a name with a newline takes two lines, which can look like two
/// entries. Whoever reads a whole list has to compare the numbers of entries with those of the snapshot.
Result<KopiaEntry> parse_kopia_entry(const std::string& line);

}  // namespace kopidocka
