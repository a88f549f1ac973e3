#pragma once

#include <string>
#include <utility>

namespace kopidocka {

/// A password or token. It has no formatter and no stream operator on purpose: reveal() is the one door, and every call
/// of it is worth a look in review. The bytes are overwritten when it goes.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(const Secret&) = default;
  Secret(Secret&&) = default;
  Secret& operator=(const Secret&) = default;
  Secret& operator=(Secret&&) = default;
  ~Secret() { wipe(); }

  bool empty() const { return value_.empty(); }
  const std::string& reveal() const { return value_; }

 private:
  void wipe() noexcept {
    volatile char* bytes = value_.data();
    for (size_t i = 0; i < value_.size(); ++i) bytes[i] = 0;
  }

  std::string value_;
};

}  // namespace kopidocka
