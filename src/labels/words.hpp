#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace kopidocka {

/// Splits a command into its arguments without any shell. Spaces separate; '...' is taken as it is; "..." knows \" and
/// \\; outside of quotes a backslash takes the next character as it is. Everything else ($, `, ~, *) is an ordinary
/// character. Refuses an open quote, a lonely backslash at the end, and words that only a shell would understand
/// (|, >, &&, ;), because they would silently become arguments.
Result<std::vector<std::string>> split_words(std::string_view text);

/// A command: a JSON array of strings when the text begins with '[', else words.
Result<std::vector<std::string>> parse_argv(std::string_view text);

/// A list: a JSON array of strings when the text begins with '["' or is '[]', else parts between commas, trimmed. No
/// part may be empty.
Result<std::vector<std::string>> parse_list(std::string_view text);

/// Whether `text` is valid UTF-8 without control characters (NUL, newline, ESC, C1).
bool plain_text(std::string_view text);

}  // namespace kopidocka
