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

/// What we defined ourselves at one source.
struct KopiaOurs {
  std::vector<std::string> ignore;            ///< ignore rules
  std::map<std::string, std::string> fields;  ///< by the name of the flag that set it, as KopiaPolicy
  bool operator==(const KopiaOurs&) const = default;
};

/// What we defined ourselves, by source path: only that may be changed or taken away again. A lost record means that
/// rules stay which nobody wants any more, never that somebody else's go.
class KopiaRecord {
 public:
  static KopiaRecord read(const std::string& file);
  const KopiaOurs& of(const std::string& path) const;
  void set(const std::string& path, KopiaOurs ours);
  /// Writes the file when something changed since it was read or written.
  Result<void> write();

 private:
  std::string file_;
  std::map<std::string, KopiaOurs> sources_;
  bool changed_ = false;
};

}  // namespace kopidocka
