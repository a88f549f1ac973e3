#pragma once

#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace kopidocka {

/// Which snapshots of one source the retention lets go, by Kopia's rules: the newest of each UTC hour, day, ISO week,
/// month and year counts, and only within the last N of them before the newest complete snapshot. A retention of all
/// zeros keeps everything; incomplete and pinned snapshots are never named. Units that save the same source have a
/// history each: one must not push out what belongs to the newest point of another.
std::vector<std::string> expired_ids(std::vector<Snapshot> snapshots, const Retention& retention);

}  // namespace kopidocka
