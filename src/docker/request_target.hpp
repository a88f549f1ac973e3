#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kopidocka {

/// Parts of a request target. Names come from labels, files and other people's containers: nothing that could
/// change the path (slash, dots alone, query, control characters) ever gets into it.

/// A container id or name as Docker forms them, [A-Za-z0-9][A-Za-z0-9_.-]*; anything else is
/// ErrorKind::invalid.
Result<std::string> container_segment(std::string_view id);

/// A volume or network name: unusual characters are percent-encoded; empty, ".", ".." and names with a slash
/// or a control character are ErrorKind::invalid.
Result<std::string> name_segment(std::string_view name);

/// Percent-encodes everything but [A-Za-z0-9_.~-], for a query value.
std::string query_value(std::string_view value);

}  // namespace kopidocka
