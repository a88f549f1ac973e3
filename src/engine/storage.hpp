#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kopidocka {

/// Where a repository is kept. Only folders for now: other schemes are refused by name.
struct Storage {
  std::string path;
  /// "filesystem:/repository"
  std::string text() const { return "filesystem:" + path; }
};

/// Reads "filesystem:///path"; errors name the setting.
Result<Storage> parse_storage(std::string_view url);

/// An absolute path without "." and ".." parts, doubled or trailing slashes: how sources are named in repositories.
std::string normal_path(std::string_view path);

}  // namespace kopidocka
