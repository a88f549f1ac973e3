#include "daemon/own_mounts.hpp"

#include <algorithm>
#include <vector>

#include "base/text.hpp"
#include "unit/host_paths.hpp"

namespace kopidocka {
namespace {

constexpr size_t kAnonymousName = 64;

/// The kernel writes blanks of paths as \040 and the like.
std::string unescaped(const std::string& text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto octal = text.substr(i + 1, 3);
    const bool escape = text[i] == '\\' && octal.size() == 3 && octal.find_first_not_of("01234567") == std::string::npos;
    plain += escape ? static_cast<char>(std::stoi(octal, nullptr, 8)) : text[i];
    if (escape) i += 3;
  }
  return plain;
}

/// ".../volumes/<64 hex digits>/_data" is how Docker names a volume nobody named.
bool is_anonymous_volume(const std::string& root) {
  const auto parts = split(root, '/');
  return std::any_of(parts.begin(), parts.end(), [](const std::string& part) {
    return part.size() == kAnonymousName && part.find_first_not_of("0123456789abcdef") == std::string::npos;
  });
}

}  // namespace

Survival survives_container(std::string_view mountinfo, const std::string& path) {
  std::string point, root, type;
  for (const auto& line : split(mountinfo, '\n')) {
    const auto fields = split(line, ' ');
    const auto dash = std::find(fields.begin(), fields.end(), "-");
    if (fields.size() < 5 || dash == fields.end() || dash + 1 == fields.end()) continue;
    const auto here = unescaped(fields[4]);
    // Of several on one point the last one is on top.
    if (!is_within(path, here) || here.size() < point.size()) continue;
    point = here;
    root = unescaped(fields[3]);
    type = *(dash + 1);
  }
  if (point.empty() || point == "/" || type == "tmpfs" || type == "ramfs") return Survival::own_layer;
  return is_anonymous_volume(root) ? Survival::anonymous : Survival::yes;
}

}  // namespace kopidocka
