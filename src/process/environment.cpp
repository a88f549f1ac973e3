#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "process/process.hpp"

namespace kopidocka {
namespace {

constexpr std::array<std::string_view, 14> kForeignPrefixes = {
    "KOPI_DOCKA_", "KOPIA_", "RESTIC_", "AWS_", "AZURE_", "ARM_",   "B2_",   "GOOGLE_",
    "GCLOUD_",     "GCS_",   "OS_",     "ST_",  "RCLONE_", "SWIFT_"};

}  // namespace

std::vector<std::string> clean_environment() {
  std::vector<std::string> result;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view text(*entry);
    const bool foreign = std::any_of(kForeignPrefixes.begin(), kForeignPrefixes.end(),
                                     [&](auto prefix) { return text.substr(0, prefix.size()) == prefix; });
    if (!foreign) result.emplace_back(text);
  }
  return result;
}

}  // namespace kopidocka
