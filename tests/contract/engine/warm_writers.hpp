#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace kopidocka::testing {

/// Programs that write to their files in all the ways that may escape a backup: through shared mappings to pages that are dirty
/// already, in long single writes, with the time put back, by rename, through hard links, by exchanging folders. Each works in
/// bursts and rests in between, so that for each the last write may come at any moment.
class WarmWriters {
 public:
  explicit WarmWriters(std::filesystem::path folder) : folder_(std::move(folder)) {}
  ~WarmWriters() { stop(); }
  WarmWriters(const WarmWriters&) = delete;
  WarmWriters& operator=(const WarmWriters&) = delete;

  /// Begins with files that have not had these times before. `seed` makes the next round another one.
  void start(std::uint32_t seed);
  /// Nobody does anything until thaw(); what is mapped stays mapped.
  void freeze();
  void thaw();
  /// Killed and waited for: nobody writes any more.
  void stop();

 private:
  std::filesystem::path folder_;
  std::vector<pid_t> programs_;
};

/// What all files and links below a folder hold, by relative path.
std::map<std::string, std::string> contents_of(const std::filesystem::path& folder);

}  // namespace kopidocka::testing
