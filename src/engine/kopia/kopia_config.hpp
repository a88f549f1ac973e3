#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace kopidocka {

/// The part of Kopia's config file that says where it is connected to, and as whom.
struct KopiaConfig {
  std::string storage_type, storage_path, hostname, username;
};

/// Nothing when there is no such file; an error naming it when it cannot be read.
Result<std::optional<KopiaConfig>> read_kopia_config(const std::string& file);

/// The ignore rules we added ourselves, by source path: only those may be taken away again. A lost record means that
/// rules stay which nobody wants any more, never that somebody else's go.
class KopiaExcludeRecord {
 public:
  static KopiaExcludeRecord read(const std::string& file);
  const std::vector<std::string>& of(const std::string& path) const;
  void add(const std::string& path, const std::vector<std::string>& patterns);
  void set(const std::string& path, const std::vector<std::string>& patterns);
  /// Writes the file when something changed since it was read or written.
  Result<void> write();

 private:
  std::string file_;
  std::map<std::string, std::vector<std::string>> patterns_;
  bool changed_ = false;
};

}  // namespace kopidocka
