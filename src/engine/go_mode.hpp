#pragma once

#include <cstdint>

namespace kopidocka {

/// The rights of a file as Go's os.FileMode has them, which both engines write, as Unix has them.
inline std::uint32_t unix_mode(std::uint64_t go_mode) {
  constexpr std::uint64_t kSetuid = 1u << 23, kSetgid = 1u << 22, kSticky = 1u << 20;
  return static_cast<std::uint32_t>(go_mode & 0777) | ((go_mode & kSetuid) != 0 ? 04000u : 0u) | ((go_mode & kSetgid) != 0 ? 02000u : 0u) |
         ((go_mode & kSticky) != 0 ? 01000u : 0u);
}

}  // namespace kopidocka
