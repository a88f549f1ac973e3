#include "worker/hex.hpp"

#include "base/error.hpp"

namespace kopidocka {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

unsigned digit(char letter) {
  const auto value = kDigits.find(letter);
  if (value == std::string_view::npos) throw Error{ErrorKind::invalid, "not a hex text"};
  return static_cast<unsigned>(value);
}

}  // namespace

std::string to_hex(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char letter : bytes) {
    const auto byte = static_cast<unsigned char>(letter);
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string from_hex(std::string_view text) {
  if (text.size() % 2 != 0) throw Error{ErrorKind::invalid, "not a hex text"};
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (size_t i = 0; i < text.size(); i += 2) bytes += static_cast<char>(digit(text[i]) << 4 | digit(text[i + 1]));
  return bytes;
}

}  // namespace kopidocka
