#pragma once

#include <string>
#include <string_view>

namespace kopidocka {

/// Bytes that are perhaps no UTF-8 travel through JSON as hex.
std::string to_hex(std::string_view bytes);
/// Throws ErrorKind::invalid.
std::string from_hex(std::string_view text);

}  // namespace kopidocka
