#include "cli/table.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <numeric>
#include <ostream>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kWidth = 80;
constexpr size_t kLeast = 8;  ///< a column that is cut keeps this much

std::string cut(const std::string& text, size_t width) {
  if (columns_of(text) <= width) return text;
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

size_t terminal_width() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) != 1) return 0;
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : kWidth;
}

size_t columns_of(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

Table::Table(std::vector<std::string> head, std::set<size_t> may_be_cut) : may_be_cut_(std::move(may_be_cut)) { add(std::move(head)); }

std::vector<size_t> Table::widths(size_t room) const {
  std::vector<size_t> widths(rows_.front().cells.size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.cells.size(); ++i) widths[i] = std::max(widths[i], columns_of(row.cells[i]));
  }
  const auto total = [&] { return std::accumulate(widths.begin(), widths.end(), size_t{0}) + 2 * (widths.size() - 1); };
  while (room > 0 && total() > room) {
    size_t* widest = nullptr;
    for (const auto i : may_be_cut_) {
      if (widths[i] > kLeast && (widest == nullptr || widths[i] > *widest)) widest = &widths[i];
    }
    if (widest == nullptr) break;
    --*widest;
  }
  return widths;
}

void Table::print(std::ostream& out, const std::string& indent, size_t width) const {
  const auto columns = widths(width > indent.size() ? width - indent.size() : width);
  for (const auto& row : rows_) {
    std::string line = indent;
    for (size_t i = 0; i < row.cells.size(); ++i) {
      const auto text = cut(row.cells[i], columns[i]);
      line += text;
      if (i + 1 < row.cells.size()) line += std::string(columns[i] - columns_of(text) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out << line << '\n' << row.note;
  }
}

std::string wrapped(const std::string& text, const std::string& indent) {
  std::string result, line = indent;
  for (const auto& word : split(text, ' ')) {
    if (line.size() > indent.size() && columns_of(line) + 1 + columns_of(word) > kWidth) {
      result += line + "\n";
      line = indent;
    }
    line += (line.size() > indent.size() ? " " : "") + word;
  }
  return result + line + "\n";
}

}  // namespace kopidocka
