#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace kopidocka {

/// Bytes done by one line of Kopia's progress, which is made for people: the sizes in "12 hashed (1.2 MB), 4 cached
/// (20 B)" or "Processed 15 (52.5 MB) of 20 (104.9 MB)". Nothing for other lines.
std::optional<std::uint64_t> kopia_bytes_done(const std::string& line);

/// Files brought back, by the last line of a restore: "Restored 4 files, 2 directories and 1 symbolic links (7 B)."
std::optional<std::uint64_t> kopia_restored_files(const std::string& line);

}  // namespace kopidocka
