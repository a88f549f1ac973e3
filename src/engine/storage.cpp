#include "engine/storage.hpp"

#include <filesystem>

#include "base/text.hpp"

namespace kopidocka {

namespace {
constexpr std::string_view kScheme = "filesystem://";
constexpr const char* kNextStep = "set KOPI_DOCKA_REPOSITORY to filesystem:///path/of/the/repository";
}  // namespace

Result<Storage> parse_storage(std::string_view url) {
  if (url.empty()) return Error{ErrorKind::invalid, "no repository is set", kNextStep};
  if (url.substr(0, kScheme.size()) != kScheme) {
    // Not the whole address: other schemes may carry a password.
    const auto scheme = url.substr(0, url.find(':'));
    return Error{ErrorKind::invalid, "repository scheme '" + printable(scheme, 40) + "' is not supported yet", kNextStep};
  }
  const auto path = url.substr(kScheme.size());
  if (path.empty() || path[0] != '/') {
    return Error{ErrorKind::invalid, "the repository's path is not absolute: " + printable(path), kNextStep};
  }
  return Storage{normal_path(path)};
}

std::string normal_path(std::string_view path) {
  auto text = std::filesystem::path(path).lexically_normal().string();
  while (text.size() > 1 && text.back() == '/') text.pop_back();
  return text;
}

}  // namespace kopidocka
