#pragma once

#include <iosfwd>
#include <set>
#include <string>
#include <vector>

namespace kopidocka {

/// Columns of the terminal that standard output is; 0 when it is none (a pipe, a file): then nothing is cut.
size_t terminal_width();

/// A table for people: left-aligned columns. On a terminal that is too narrow, the columns that may be cut give way
/// ("~"); all others are printed whole, even if a line then is longer than the terminal.
class Table {
 public:
  explicit Table(std::vector<std::string> head, std::set<size_t> may_be_cut = {});
  void add(std::vector<std::string> row) { rows_.push_back({std::move(row), {}}); }
  /// Lines that follow the row added last, whole as they are.
  void note(std::string lines) { rows_.back().note += lines; }
  bool empty() const { return rows_.size() < 2; }
  /// `width` 0 = no limit. Every line begins with `indent`.
  void print(std::ostream& out, const std::string& indent = {}, size_t width = terminal_width()) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string note;
  };
  std::vector<size_t> widths(size_t room) const;

  std::vector<Row> rows_;
  std::set<size_t> may_be_cut_;
};

/// Text in lines of at most 80 columns, each with `indent`.
std::string wrapped(const std::string& text, const std::string& indent);

/// Columns a text takes: UTF-8 continuation bytes take none.
size_t columns_of(const std::string& text);

}  // namespace kopidocka
