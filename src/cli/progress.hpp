#pragma once

#include <iosfwd>
#include <string>

namespace kopidocka {

/// Shows what a run does while it goes on: one plain line a step. Silent with --json.
class ProgressPrinter {
 public:
  ProgressPrinter(std::ostream& err, bool quiet);
  void show(const std::string& json_line);
  void say(const std::string& sentence);
  void end();

 private:
  std::ostream& err_;
  bool quiet_;
  bool terminal_;
  bool open_line_ = false;
};

}  // namespace kopidocka
