#pragma once

#include <cstdlib>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "cli/cli.hpp"
#include "cli/table.hpp"

namespace kopidocka::testing {

struct Ran {
  int exit_code = -1;
  std::string out, err;
};

/// The whole command line, in this process.
inline Ran run(const std::vector<std::string>& words) {
  std::ostringstream out, err;
  Ran ran;
  ran.exit_code = run_cli(words, out, err);
  ran.out = out.str();
  ran.err = err.str();
  return ran;
}

/// Sets a variable for as long as it lives.
class Variable {
 public:
  Variable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) before_ = before;
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { before_ ? ::setenv(name_.c_str(), before_->c_str(), 1) : ::unsetenv(name_.c_str()); }

 private:
  std::string name_;
  std::optional<std::string> before_;
};

/// The first line with more columns than `limit`; empty when there is none.
inline std::string longest_line(const std::string& text, size_t limit) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (columns_of(line) > limit) return line;
  }
  return {};
}

}  // namespace kopidocka::testing
