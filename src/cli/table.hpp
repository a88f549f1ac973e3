#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace kopidocka {

/// A table for people: left-aligned columns, at most 80 wide; the widest column gives way and is cut with "~".
class Table {
 public:
  explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() < 2; }
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// Text in lines of at most 80 columns, each with `indent`.
std::string wrapped(const std::string& text, const std::string& indent);

}  // namespace kopidocka
