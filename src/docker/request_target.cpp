#include "docker/request_target.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace kopidocka {
namespace {

bool is_alphanumeric(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9');
}

bool is_name_letter(char letter) {
  return is_alphanumeric(letter) || letter == '_' || letter == '.' || letter == '-';
}

}  // namespace

Result<std::string> container_segment(std::string_view id) {
  if (id.empty() || id.size() > 255 || !is_alphanumeric(id.front()) ||
      !std::all_of(id.begin(), id.end(), is_name_letter)) {
    return Error(ErrorKind::invalid, "\"" + printable(id, 100) + "\" is not a container id or name");
  }
  return std::string(id);
}

Result<std::string> name_segment(std::string_view name) {
  const auto harmful = [](char letter) {
    return letter == '/' || static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
  };
  if (name.empty() || name.size() > 1024 || name == "." || name == ".." ||
      std::any_of(name.begin(), name.end(), harmful)) {
    return Error(ErrorKind::invalid, "\"" + printable(name, 100) + "\" is not a volume or network name");
  }
  return query_value(name);
}

std::string query_value(std::string_view value) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const char letter : value) {
    if (is_name_letter(letter) || letter == '~') {
      encoded += letter;
    } else {
      const auto byte = static_cast<unsigned char>(letter);
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return encoded;
}

}  // namespace kopidocka
