#include "engine/warm_trust.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

namespace kopidocka {

WarmTrust::WarmTrust(std::vector<std::uint64_t> marks) : marks_(std::move(marks)) { std::sort(marks_.begin(), marks_.end()); }

/// 8 bytes a file: a source may have millions of them.
std::uint64_t WarmTrust::mark(std::string_view path, std::uint64_t size, std::int64_t mtime_second) {
  std::string text(path);
  text += '\0' + std::to_string(size) + ' ' + std::to_string(mtime_second);
  return std::hash<std::string>()(text);
}

bool WarmTrust::vouches_for(std::string_view path, std::uint64_t size, std::int64_t mtime_second) const {
  if (path.find('\n') != std::string_view::npos) return true;
  return std::binary_search(marks_.begin(), marks_.end(), mark(path, size, mtime_second));
}

}  // namespace kopidocka
