#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "engine/engine.hpp"
#include "engine/kopia/kopia_json.hpp"
#include "engine/kopia/kopia_listing.hpp"

namespace kopidocka {

/// Reads the list of a warm snapshot's entries, line by line, and tells what of it is in doubt. Pure.
class KopiaReview {
 public:
  /// In doubt is what has a time of `since` or later, and what is in `touched`.
  KopiaReview(TimePoint since, std::vector<std::string> touched);

  void add(const std::string& line);
  /// Refused when a line could not be read, a name of `touched` cannot stand in the list as it is, or the list does not have as
  /// many entries as the snapshot: some name then took two lines, or two names are one to Kopia.
  Result<void> check(const KopiaCounts& counts) const;

  /// Of the contents in doubt, each once.
  std::vector<std::string> doubtful_ids() const;
  /// What stays when these contents are taken out, and how much goes; the twins of doubtful files go too. Without the id.
  WarmDoubt verdict() const;

 private:
  struct Entry {
    std::uint64_t mark, content, size;
    bool file;
  };
  void note(const KopiaEntry& entry);

  std::int64_t since_second_;
  std::unordered_set<std::string> touched_;
  std::vector<Entry> entries_;  ///< files and links
  std::unordered_set<std::string> doubtful_;
  KopiaCounts seen_;
  std::optional<Error> unreadable_;
};

}  // namespace kopidocka
