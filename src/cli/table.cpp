#include "cli/table.hpp"

#include <algorithm>
#include <numeric>
#include <ostream>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kWidth = 80;

/// Columns a text takes: UTF-8 continuation bytes take none.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string cut(const std::string& text, size_t width) {
  if (width_of(text) <= width) return text;
  std::string kept;
  size_t columns = 0;
  for (const char c : text) {
    const bool starts = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (starts && ++columns >= width) break;
    kept += c;
  }
  return kept + "~";
}

}  // namespace

void Table::print(std::ostream& out) const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  const auto total = [&] { return std::accumulate(widths.begin(), widths.end(), size_t{0}) + 2 * (widths.size() - 1); };
  while (total() > kWidth) --*std::max_element(widths.begin(), widths.end());
  for (const auto& row : rows_) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const auto text = cut(row[i], widths[i]);
      line += text;
      if (i + 1 < row.size()) line += std::string(widths[i] - width_of(text) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n';
  }
}

std::string wrapped(const std::string& text, const std::string& indent) {
  std::string result, line = indent;
  for (const auto& word : split(text, ' ')) {
    if (line.size() > indent.size() && line.size() + 1 + width_of(word) > kWidth) {
      result += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
  }
  return result + line + "\n";
}

}  // namespace kopidocka
