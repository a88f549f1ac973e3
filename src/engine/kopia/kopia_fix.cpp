#include "engine/kopia/kopia_fix.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kSnapshotDigits = 32;
/// Kopia's hashes are of 16 to 32 bytes.
constexpr size_t kFewestDigits = 32, kMostDigits = 64;
constexpr size_t kMostIds = 40'000;
/// Linux gives arguments and environment a quarter of the stack's limit, 2 MiB as a rule; each has a pointer of 8 bytes too.
constexpr size_t kMostBytes = 1'800'000;

bool is_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char digit) { return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'); });
}

Error refusal(const std::string& why) { return {ErrorKind::refused, "take files out of a warm snapshot: " + why}; }

}  // namespace

bool is_kopia_snapshot_id(std::string_view text) { return text.size() == kSnapshotDigits && is_hex(text); }

bool is_kopia_file_id(std::string_view text) {
  // Large files are lists of contents (I, and the list's own prefix x), in several levels when need be; Z is an old format's.
  if (text.starts_with('Z')) {
    text.remove_prefix(1);
  } else {
    const auto levels = std::min(text.find_first_not_of('I'), text.size());
    text.remove_prefix(levels);
    if (levels > 0 && text.starts_with('x')) text.remove_prefix(1);
  }
  return text.size() >= kFewestDigits && text.size() <= kMostDigits && text.size() % 2 == 0 && is_hex(text);
}

Result<std::vector<std::string>> kopia_remove_files_args(const std::string& snapshot_id, const std::vector<std::string>& object_ids) {
  if (!is_kopia_snapshot_id(snapshot_id)) return refusal("'" + printable(snapshot_id, 100) + "' is not the id of a snapshot");
  if (object_ids.empty()) return refusal("no file is named");
  if (object_ids.size() > kMostIds) return refusal("too many files (" + std::to_string(object_ids.size()) + ")");
  std::vector<std::string> args{"snapshot", "fix", "remove-files", "--manifest-id=" + snapshot_id, "--commit",
                                "--invalid-directory-handling=fail"};
  size_t bytes = 0;
  for (const auto& id : object_ids) {
    if (!is_kopia_file_id(id)) return refusal("'" + printable(id, 100) + "' is not the id of a file's content");
    args.push_back("--object-id=" + id);
    bytes += args.back().size() + 1 + sizeof(char*);
  }
  if (bytes > kMostBytes) return refusal("too many files (" + std::to_string(object_ids.size()) + ")");
  return args;
}

}  // namespace kopidocka
