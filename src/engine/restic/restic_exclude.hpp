#pragma once

#include <string>
#include <vector>

namespace kopidocka {

/// Kopia's ignore rules, which are relative to the source, as restic's patterns. Restic matches whole paths from the
/// root of everything: an unanchored "data" would leave out all of /var/lib/docker/volumes/data.
std::vector<std::string> restic_patterns(const std::string& root, const std::vector<std::string>& rules);

}  // namespace kopidocka
