#include "base/duration.hpp"

#include <cctype>
#include <cstdint>
#include <cstdio>

namespace kopidocka {
namespace {

std::int64_t unit_milliseconds(std::string_view unit) {
  if (unit == "ms") return 1;
  if (unit == "s") return 1000;
  if (unit == "m") return 60'000;
  if (unit == "h") return 3'600'000;
  if (unit == "d") return 86'400'000;
  if (unit == "w") return 604'800'000;
  return 0;
}

Error bad_duration(std::string_view text) {
  return {ErrorKind::invalid, "'" + std::string(text) + "' is not a duration", "write it like 30s, 5m, 1h30m or 2d"};
}

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
  if (text == "0") return Milliseconds(0);
  if (text.empty()) return bad_duration(text);
  std::int64_t total = 0;
  size_t at = 0;
  while (at < text.size()) {
    std::int64_t number = 0;
    const size_t digits = at;
    while (at < text.size() && std::isdigit(static_cast<unsigned char>(text[at])) && at - digits < 9) {
      number = number * 10 + (text[at++] - '0');
    }
    const size_t letters = at;
    while (at < text.size() && std::isalpha(static_cast<unsigned char>(text[at]))) ++at;
    const auto scale = unit_milliseconds(text.substr(letters, at - letters));
    if (letters == digits || scale == 0) return bad_duration(text);
    total += number * scale;
    if (total > unit_milliseconds("d") * 36500) return bad_duration(text);
  }
  return Milliseconds(total);
}

std::string format_duration(Milliseconds duration) {
  const auto total = duration.count();
  if (total <= 0) return "0s";
  if (total < 1000) return std::to_string(total) + "ms";
  if (total < 60'000) {
    if (total % 1000 == 0) return std::to_string(total / 1000) + "s";
    char text[32];
    std::snprintf(text, sizeof text, "%.1fs", static_cast<double>(total) / 1000);
    return text;
  }
  std::string text;
  auto rest = (total + 500) / 1000;
  for (const auto& [seconds, letter] : {std::pair{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}}) {
    if (rest / seconds > 0) text += std::to_string(rest / seconds) + letter;
    rest %= seconds;
  }
  return text;
}

}  // namespace kopidocka
