#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kopidocka {

/// The id of a snapshot: 32 lower-case hex digits.
bool is_kopia_snapshot_id(std::string_view text);

/// The id of an object with the content of a file or link. Never that of a folder.
bool is_kopia_file_id(std::string_view text);

/// The arguments that take the files with these contents out of one snapshot.
///
/// Kopia rewrites *every snapshot of every client* when this call names no snapshot, and the files are gone from all of them. So
/// nothing comes out of here but one call that names exactly one snapshot and at least one content, each of them by an id that
/// holds nothing else. Refused also when they are more than a call can hold.
Result<std::vector<std::string>> kopia_remove_files_args(const std::string& snapshot_id, const std::vector<std::string>& object_ids);

}  // namespace kopidocka
