#include "engine/kopia/kopia_progress.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace kopidocka {
namespace {

/// The size in the first parentheses after `word`.
std::optional<std::uint64_t> size_after(const std::string& line, std::string_view word) {
  const auto at = line.find(word);
  const auto open = at == std::string::npos ? at : line.find('(', at);
  if (open == std::string::npos) return std::nullopt;
  char* end = nullptr;
  const double number = std::strtod(line.c_str() + open + 1, &end);
  static constexpr std::array<std::pair<std::string_view, double>, 5> kUnits{
      {{" B", 1.0}, {" KB", 1e3}, {" MB", 1e6}, {" GB", 1e9}, {" TB", 1e12}}};
  const std::string_view rest(end);
  for (const auto& [unit, factor] : kUnits) {
    if (rest.substr(0, unit.size()) == unit && number >= 0) return static_cast<std::uint64_t>(number * factor);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::uint64_t> kopia_bytes_done(const std::string& line) {
  if (const auto restored = size_after(line, "Processed ")) return restored;
  const auto hashed = size_after(line, " hashed (");
  const auto cached = size_after(line, " cached (");
  if (!hashed && !cached) return std::nullopt;
  return hashed.value_or(0) + cached.value_or(0);
}

std::optional<std::uint64_t> kopia_restored_files(const std::string& line) {
  unsigned long long files = 0;
  int used = 0;
  const bool fits = std::sscanf(line.c_str(), "Restored %llu files, %n", &files, &used) == 1 && used > 0;
  return fits ? std::optional<std::uint64_t>(files) : std::nullopt;
}

}  // namespace kopidocka
