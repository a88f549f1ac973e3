#pragma once

#include "base/result.hpp"
#include "cli/verbs.hpp"

namespace kopidocka {

/// Reads what stands after the verb. ErrorKind::usage names what is wrong and the nearest known option.
Result<Arguments> parse_arguments(const VerbSpec& verb, const std::vector<std::string>& words);

}  // namespace kopidocka
