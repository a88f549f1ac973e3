#include "engine/restic/restic_exclude.hpp"

#include <string_view>

namespace kopidocka {
namespace {

/// The root is a name, not a pattern.
std::string escape(const std::string& text) {
  std::string result;
  for (const char byte : text) {
    if (std::string_view("*?[]\\").find(byte) != std::string_view::npos) result += '\\';
    result += byte;
  }
  return result;
}

}  // namespace

std::vector<std::string> restic_patterns(const std::string& root, const std::vector<std::string>& rules) {
  std::vector<std::string> patterns;
  const auto base = escape(root);
  for (const auto& rule : rules) {
    std::string_view rest = rule;
    const bool negated = !rest.empty() && rest[0] == '!';
    if (negated) rest.remove_prefix(1);
    const bool folder = !rest.empty() && rest.back() == '/' && !negated;
    while (!rest.empty() && rest.back() == '/') rest.remove_suffix(1);
    if (rest.empty() || rule[0] == '#') continue;
    const std::string sign = negated ? "!" : "";
    const bool anchored = rest.find('/') != std::string_view::npos;
    while (!rest.empty() && rest[0] == '/') rest.remove_prefix(1);
    // Restic has no pattern for folders only: what is in the folder goes, a file of that name stays.
    const auto tail = std::string(rest) + (folder ? "/*" : "");
    patterns.push_back(sign + base + "/" + tail);
    if (!anchored) patterns.push_back(sign + base + "/**/" + tail);
  }
  return patterns;
}

}  // namespace kopidocka
