#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace kopidocka {

/// Cuts a stream into lines and hands each on. A line longer than `limit` is cut there and the rest of it dropped.
class LineSplitter {
 public:
  LineSplitter(std::function<void(const std::string&)> on_line, size_t limit, bool split_at_return)
      : on_line_(std::move(on_line)), limit_(limit), split_at_return_(split_at_return) {}

  void add(std::string_view bytes) {
    for (const char byte : bytes) {
      if (byte == '\n' || (split_at_return_ && byte == '\r')) {
        finish();
      } else if (line_.size() < limit_) {
        line_ += byte;
      } else {
        cut_ = true;
      }
    }
  }

  /// Hands on a last line without its end; empty lines are not handed on.
  void finish() {
    if (line_.empty()) return;
    std::string line;
    line.swap(line_);
    on_line_(line);
  }

  bool cut() const { return cut_; }

 private:
  std::function<void(const std::string&)> on_line_;
  size_t limit_;
  bool split_at_return_;
  bool cut_ = false;
  std::string line_;
};

}  // namespace kopidocka
