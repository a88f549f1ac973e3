#include "docker/event_lines.hpp"

namespace kopidocka {
namespace {

constexpr size_t kKeptCapacity = 16u << 10;

std::string_view strip(std::string_view record) {
  while (!record.empty() && std::string_view("\x1e\r\n\t ").find(record.front()) != std::string_view::npos)
    record.remove_prefix(1);
  while (!record.empty() && std::string_view("\r\t ").find(record.back()) != std::string_view::npos)
    record.remove_suffix(1);
  return record;
}

}  // namespace

bool EventLines::append(std::string_view bytes, const std::function<void(std::string_view)>& on_record) {
  for (auto end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    if (unfinished_.size() + end > limit_) return false;
    unfinished_.append(bytes.substr(0, end));
    if (const auto record = strip(unfinished_); !record.empty()) on_record(record);
    unfinished_.clear();
    if (unfinished_.capacity() > kKeptCapacity) std::string().swap(unfinished_);
    bytes.remove_prefix(end + 1);
  }
  if (unfinished_.size() + bytes.size() > limit_) return false;
  unfinished_.append(bytes);
  return true;
}

}  // namespace kopidocka
