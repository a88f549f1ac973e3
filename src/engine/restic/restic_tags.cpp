#include "engine/restic/restic_tags.hpp"

#include <cctype>
#include <cstdlib>
#include <string_view>

namespace kopidocka {
namespace {

constexpr const char* kOurs = "kopi-docka";
constexpr const char* kSource = "kopi-docka-source";
constexpr const char* kErrors = "kopi-docka-errors";
constexpr const char* kPinned = "kopi-docka-pinned";

/// Bytes above 0x7f are encoded as well: restic's JSON replaces those that are not UTF-8.
bool stays(unsigned char byte) { return byte > 0x20 && byte < 0x7f && byte != ',' && byte != '%' && byte != '='; }

std::string encode(const std::string& text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string result;
  for (const unsigned char byte : text) {
    if (stays(byte)) {
      result += static_cast<char>(byte);
    } else {
      result += '%';
      result += kDigits[byte >> 4];
      result += kDigits[byte & 15];
    }
  }
  return result;
}

std::string decode(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
                        std::isxdigit(static_cast<unsigned char>(text[i + 2]));
    if (!escape) {
      result += text[i];
      continue;
    }
    result += static_cast<char>(std::strtol(std::string(text.substr(i + 1, 2)).c_str(), nullptr, 16));
    i += 2;
  }
  return result;
}

}  // namespace

std::string restic_errors_tag(std::uint64_t errors) { return std::string(kErrors) + "=" + std::to_string(errors); }

std::string restic_pin_tag() { return kPinned; }

std::vector<std::string> encode_restic_tags(const Tags& tags, const ResticMarks& marks) {
  std::vector<std::string> result{kOurs};
  if (!marks.source.empty()) result.push_back(std::string(kSource) + "=" + encode(marks.source));
  if (marks.errors > 0) result.push_back(restic_errors_tag(marks.errors));
  if (marks.pinned) result.emplace_back(kPinned);
  for (const auto& [key, value] : tags) result.push_back(encode(key) + "=" + encode(value));
  return result;
}

void decode_restic_tags(const std::vector<std::string>& texts, Tags& tags, ResticMarks& marks) {
  for (const auto& text : texts) {
    const auto sign = text.find('=');
    const auto key = decode(text.substr(0, sign));
    const auto value = sign == std::string::npos ? std::string() : decode(text.substr(sign + 1));
    if (text == kOurs) {
      marks.ours = true;
    } else if (text == kPinned) {
      marks.pinned = true;
    } else if (key == kSource) {
      marks.source = value;
    } else if (key == kErrors) {
      marks.errors = std::strtoull(value.c_str(), nullptr, 10);
    } else {
      tags[key] = value;
    }
  }
}

}  // namespace kopidocka
