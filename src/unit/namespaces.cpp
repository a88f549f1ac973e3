#include "unit/namespaces.hpp"

#include <string_view>
#include <utility>

namespace kopidocka {

std::vector<BorrowedNamespace> borrowed_namespaces(const Container& container) {
  constexpr std::string_view prefix = "container:";
  std::vector<BorrowedNamespace> borrowed;
  for (const auto& [kind, mode] : {std::pair("network", &container.network_mode), std::pair("pid", &container.pid_mode),
                                   std::pair("ipc", &container.ipc_mode)}) {
    if (mode->starts_with(prefix) && mode->size() > prefix.size()) borrowed.push_back({kind, mode->substr(prefix.size())});
  }
  return borrowed;
}

bool is_meant(const std::string& reference, const Container& container) {
  return !reference.empty() && (reference == container.id || reference == container.name ||
                                (reference.size() >= kShortId && container.id.starts_with(reference)));
}

}  // namespace kopidocka
