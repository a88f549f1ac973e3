#pragma once

#include <string>
#include <vector>

#include "engine/engine.hpp"

namespace kopidocka {

/// What restic cannot keep by itself, kept as tags of ours beside the user's.
struct ResticMarks {
  std::string source;        ///< identity path when it is not the path restic read from
  std::uint64_t errors = 0;  ///< entries that could not be read
  bool ours = false;         ///< made by this program: retention touches no other
  bool pinned = false;       ///< no retention lets it go
};

/// One tag a text "name=value"; what restic would split or other programs stumble on is percent-encoded.
std::vector<std::string> encode_restic_tags(const Tags& tags, const ResticMarks& marks);

/// The tag that marks `errors`, for adding it later.
std::string restic_errors_tag(std::uint64_t errors);

/// The tag that pins a snapshot.
std::string restic_pin_tag();

/// Free-form tags of others come back as names with an empty value.
void decode_restic_tags(const std::vector<std::string>& texts, Tags& tags, ResticMarks& marks);

}  // namespace kopidocka
