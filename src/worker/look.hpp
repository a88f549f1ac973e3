#pragma once

#include <chrono>

#include "worker/types.hpp"

namespace kopidocka {

/// What the worker child reads of users' paths. Nothing here throws for a path that is missing or unreadable: that is
/// part of the answer.
PathFacts probe_path(const std::string& path);
/// As in PathFacts, without opening anything; throws Error when the system does not tell its mounts.
std::string file_system_of(const std::string& path);
/// Counts until `until`; links are not followed, other file systems not entered.
TreeUsage measure_tree(const std::string& path, std::chrono::steady_clock::time_point until);
/// Regular files (links followed) of the folders themselves whose names match.
std::vector<std::string> find_user_files(const std::vector<std::string>& folders, const std::vector<std::string>& patterns);
/// Reads regular files only; a FIFO or device never blocks it.
FileContent read_user_file(const FileWanted& wanted);

}  // namespace kopidocka
