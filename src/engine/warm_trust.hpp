#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace kopidocka {

/// What a warm snapshot vouches for: an engine does not read a file again whose path, size and time are as recorded there.
///
/// Asked once more when the containers are down: a file that was touched since the warm pass and that it still vouches for
/// (its time was put back, or its folder took the place of another) would be saved with an old content.
class WarmTrust {
 public:
  WarmTrust() = default;
  explicit WarmTrust(std::vector<std::uint64_t> marks);

  static std::uint64_t mark(std::string_view path, std::uint64_t size, std::int64_t mtime_second);

  /// `path` is relative to the source, as bytes. Never false for what it vouches for; also true for names that Kopia's
  /// listing does not show as they are.
  bool vouches_for(std::string_view path, std::uint64_t size, std::int64_t mtime_second) const;
  size_t size() const { return marks_.size(); }
  /// Sorted.
  const std::vector<std::uint64_t>& marks() const { return marks_; }

 private:
  std::vector<std::uint64_t> marks_;
};

}  // namespace kopidocka
