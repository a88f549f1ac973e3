#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <functional>
#include <string>

namespace kopidocka {

/// An entry as the walk comes by it; what it refers to is gone afterwards.
struct WalkEntry {
  int folder;               ///< open, holds the entry
  const std::string& name;  ///< in it
  const std::string& path;  ///< relative to the source; "" is the source itself
  const struct stat& info;  ///< links are not followed
};

/// What a walk could not see.
struct WalkGaps {
  std::uint64_t unread = 0;        ///< entries that could not be read, or lie too deep
  std::string other_file_system;   ///< a folder that lies on another one, which is not entered; empty = none
  bool complete() const { return unread == 0 && other_file_system.empty(); }
};

/// Comes by all entries of a source that change while it goes: what has gone meanwhile is passed over. Folders come before what
/// is in them. `enter` is asked for every folder, `see` is told of all else.
class SourceWalk {
 public:
  SourceWalk(std::function<void(const WalkEntry&)> enter, std::function<void(const WalkEntry&)> see)
      : enter_(std::move(enter)), see_(std::move(see)) {}

  /// `source` is an open folder.
  WalkGaps walk(int source);

 private:
  void walk_in(int folder, const std::string& path, int depth);
  void come_by(int folder, const std::string& name, const std::string& path, int depth);

  std::function<void(const WalkEntry&)> enter_, see_;
  WalkGaps gaps_;
  dev_t device_{};
};

}  // namespace kopidocka
