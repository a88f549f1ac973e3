#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace kopidocka {

/// Cuts the body of /events into records, however the network has split it: newline-delimited JSON, and
/// json-seq whose records begin with RS (0x1e). Keeps only the unfinished record.
class EventLines {
 public:
  explicit EventLines(size_t limit) : limit_(limit) {}

  /// Calls `on_record` for every record that is complete now, in order. False when a record is longer than
  /// the limit: the rest of the stream cannot be trusted then.
  [[nodiscard]] bool append(std::string_view bytes, const std::function<void(std::string_view)>& on_record);

 private:
  size_t limit_;
  std::string unfinished_;
};

}  // namespace kopidocka
