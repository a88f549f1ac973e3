#pragma once

#include <string>
#include <vector>

#include "docker/types.hpp"

namespace kopidocka {

/// A namespace that a container borrows from another one.
struct BorrowedNamespace {
  std::string kind;   ///< network, pid, ipc
  std::string owner;  ///< id, beginning of an id, or name, as Docker keeps it
};

/// What stands behind "container:" in its network, pid and ipc mode.
std::vector<BorrowedNamespace> borrowed_namespaces(const Container& container);

/// Whether "container:<reference>" means this container: its id, the beginning of one, or its name.
bool is_meant(const std::string& reference, const Container& container);

/// The least length at which the beginning of an id counts as one.
inline constexpr size_t kShortId = 12;

}  // namespace kopidocka
