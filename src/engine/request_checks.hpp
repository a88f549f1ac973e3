#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/engine.hpp"
#include "engine/settings.hpp"

namespace kopidocka {

/// The identity may hold nothing that separates its parts in user@host:path.
Result<void> require_identity(const EngineSettings& settings);

/// Both paths must be absolute and not the root of everything.
Result<void> require_source(const SnapshotSource& source);

/// Tag names are letters, digits, '.', '_' and '-': the engines separate names from values in different ways.
Result<void> require_tags(const Tags& tags);

/// Ids are hexadecimal and of at least `digits`: engines take other texts for paths or for several snapshots at once.
Result<void> require_ids(const std::vector<std::string>& ids, size_t digits);

/// The ignore rules of a source: the policy's, and what a restore of ours keeps inside the data for a while.
std::vector<std::string> exclude_rules(const SourcePolicy& policy);

/// A path inside a snapshot without slashes at its ends or twice in a row; refused with "." or ".." in it.
Result<std::string> normal_inner_path(const std::string& path);
/// What stands behind the last slash.
std::string last_part(const std::string& path);

/// The repository must be the one that was there before; an empty `pinned` accepts any.
Result<void> require_pinned(const std::string& pinned, const RepositoryInfo& info);

/// Path and tags of the filter; the host is for the engine to judge.
bool matches(const SnapshotFilter& filter, const Snapshot& snapshot);

/// A reader of progress lines that reports at most about once a second; empty when nobody listens.
std::function<void(const std::string&)> progress_lines(std::function<void(std::uint64_t)> on_progress,
                                                       std::optional<std::uint64_t> (*bytes_of)(const std::string&));

}  // namespace kopidocka
