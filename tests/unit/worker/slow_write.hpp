#pragma once

#include <cstddef>
#include <string>
#include <thread>

#include "base/file.hpp"

namespace kopidocka::test {

/// One write(2) that stays half way until it is let go on: the second half of what it writes is not there yet.
class SlowWrite {
 public:
  /// Overwrites the beginning of the file. Returns when the write is under way.
  explicit SlowWrite(const std::string& path);
  ~SlowWrite();
  SlowWrite(const SlowWrite&) = delete;
  SlowWrite& operator=(const SlowWrite&) = delete;

  bool possible() const { return possible_; }
  /// Returns when it has ended.
  void let_go_on();

  static constexpr size_t kBytes = 64 << 10;

 private:
  bool block();

  FileDescriptor file_, faults_;
  char* memory_ = nullptr;
  std::thread writer_;
  bool possible_ = false;
};

}  // namespace kopidocka::test
