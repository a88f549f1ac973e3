#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "labels/contract.hpp"

namespace kopidocka {

/// The value of a label by its type: bool; integer; duration; one text (schedule, zone, choice, name, file name, user,
/// path); several texts (words, moments, globs, patterns, names, argv, environment).
using LabelValue = std::variant<bool, std::int64_t, Milliseconds, std::string, std::vector<std::string>>;

/// Reads the text of a label by its declaration. Schedules are checked in `zone`. The error says what is wrong and what
/// was expected; commands and environments are never quoted in it, as people put passwords there.
Result<LabelValue> parse_label_value(const LabelSpec& spec, std::string_view text, std::string_view zone);

/// The text as an error may show it: quoted, printable and short; "something else" where it may hold a secret.
std::string shown_value(const LabelSpec& spec, std::string_view text);

/// The value in one normal form, to compare it with others.
std::string to_text(const LabelValue& value);

}  // namespace kopidocka
