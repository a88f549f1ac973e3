#include "engine/kopia/kopia_review.hpp"

#include <algorithm>
#include <functional>
#include <utility>

namespace kopidocka {
namespace {

std::uint64_t mark_of_content(const std::string& id) { return std::hash<std::string>()(id); }

std::string text_of(const KopiaCounts& counts) {
  return std::to_string(counts.files) + " files, " + std::to_string(counts.links) + " links and " + std::to_string(counts.folders) + " folders";
}

}  // namespace

KopiaReview::KopiaReview(TimePoint since, std::vector<std::string> touched)
    : since_second_(std::chrono::floor<Seconds>(since).time_since_epoch().count()),
      touched_(std::make_move_iterator(touched.begin()), std::make_move_iterator(touched.end())) {
  seen_.folders = 1;  // the source itself is not in the list
}

void KopiaReview::add(const std::string& line) {
  if (unreadable_) return;
  const auto entry = parse_kopia_entry(line);
  if (!entry) {
    unreadable_ = entry.error();
    return;
  }
  note(*entry);
}

void KopiaReview::note(const KopiaEntry& entry) {
  if (entry.kind == KopiaEntry::Kind::folder) {
    ++seen_.folders;
    return;
  }
  const bool file = entry.kind == KopiaEntry::Kind::file;
  ++(file ? seen_.files : seen_.links);
  entries_.push_back({WarmTrust::mark(entry.path, entry.size, entry.mtime_second), mark_of_content(entry.object_id), entry.size, file});
  // The list has whole seconds: any moment of the second may be meant.
  if (entry.mtime_second >= since_second_ || touched_.contains(entry.path)) doubtful_.insert(entry.object_id);
}

Result<void> KopiaReview::check(const KopiaCounts& counts) const {
  if (unreadable_) return *unreadable_;
  for (const auto& path : touched_) {
    if (path.find('\n') != std::string::npos) return Error{ErrorKind::refused, "a file that was touched has a newline in its name"};
  }
  if (seen_ == counts) return {};
  return Error{ErrorKind::refused, "the list of the warm snapshot has " + text_of(seen_) + ", the snapshot " + text_of(counts) +
                                       ": there are names that cannot be told apart"};
}

std::vector<std::string> KopiaReview::doubtful_ids() const {
  std::vector<std::string> ids(doubtful_.begin(), doubtful_.end());
  std::sort(ids.begin(), ids.end());
  return ids;
}

WarmDoubt KopiaReview::verdict() const {
  std::unordered_set<std::uint64_t> out;
  for (const auto& id : doubtful_) out.insert(mark_of_content(id));
  WarmDoubt doubt;
  std::vector<std::uint64_t> kept;
  for (const auto& entry : entries_) {
    if (!out.contains(entry.content)) {
      kept.push_back(entry.mark);
    } else if (entry.file) {
      ++doubt.files;
      doubt.bytes += entry.size;
    }
  }
  doubt.trust = WarmTrust(std::move(kept));
  return doubt;
}

}  // namespace kopidocka
