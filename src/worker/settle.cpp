#include "worker/settle.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/text.hpp"
#include "worker/file_times.hpp"
#include "worker/folder.hpp"
#include "worker/names.hpp"
#include "worker/source_walk.hpp"

namespace kopidocka {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
/// A store stamps the file before it reaches the page, and may be held up in between.
constexpr std::int64_t kSlack = 2 * kSecond;
/// No single write(2) lasts longer.
constexpr std::int64_t kLongestWrite = 24 * 3'600 * kSecond;
/// They travel in one request.
constexpr size_t kMostMarks = 150'000;
constexpr size_t kMostBytes = 16u << 20;  ///< of all paths of an answer

std::int64_t now(clockid_t clock) {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) throw system_error(errno, "read a clock");
  return time.tv_sec * kSecond + time.tv_nsec;
}

/// The narrowest of a few readings: between two clocks one may be put to sleep.
std::int64_t clock_offset() {
  std::int64_t best = 0, width = -1;
  for (int i = 0; i < 5; ++i) {
    const auto before = now(CLOCK_MONOTONIC), wall = now(CLOCK_REALTIME), after = now(CLOCK_MONOTONIC);
    if (width >= 0 && after - before >= width) continue;
    width = after - before;
    best = wall - before - width / 2;
  }
  return best;
}

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

std::uint64_t mark_of(const std::string& path, const struct stat& info) {
  return std::hash<std::string>()(path + '\0' + std::to_string(info.st_dev) + ' ' + std::to_string(info.st_ino));
}

std::string why_incomplete(const WalkGaps& gaps) {
  if (!gaps.other_file_system.empty()) return "another file system is mounted in it, at " + printable(gaps.other_file_system, 200);
  return std::to_string(gaps.unread) + " of its entries cannot be looked at";
}

void refuse_mounts_below(int folder, std::string& reason) {
  const auto source = path_of(folder);
  for (const auto& mount : mount_points()) {
    if (is_below(mount.path, source)) reason = "another file system is mounted in it, at " + printable(mount.path, 200);
  }
}

FileDescriptor open_quietly(int folder, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  FileDescriptor file(::openat(folder, name.c_str(), kFlags | O_NOATIME));
  if (!file && errno == EPERM) file = FileDescriptor(::openat(folder, name.c_str(), kFlags));
  return file;
}

/// Returns when no write to the file is under way that had begun before: one write stamps a file when it begins and may go on
/// long after. Reading waits for it on xfs, looking for data on ext4 and btrfs. False when it cannot be opened.
bool outwait_writers(const WalkEntry& entry) {
  const auto file = open_quietly(entry.folder, entry.name);
  if (!file) return errno == ENOENT || errno == ELOOP;
  struct stat info {};
  if (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode)) return true;
  constexpr off_t kBehindItsEnd = off_t{1} << 62;
  char byte = 0;
  (void)::lseek(file.get(), 0, SEEK_DATA);
  return ::pread(file.get(), &byte, 1, kBehindItsEnd) >= 0 || errno == EFBIG || errno == EOVERFLOW || errno == EINVAL;
}

/// Two entries of one folder that are exchanged (renameat2) do not get a new ctime there.
bool hides_exchanges(const Settled& settled) { return settled.file_system == "xfs"; }

/// Waits for writers, and notes which folders are where, and where an exchange does not show, which files.
void look_through(int folder, Settled& settled) {
  bool odd_names = false;
  std::uint64_t closed = 0;
  const bool marks_files = hides_exchanges(settled);
  const auto note = [&](const WalkEntry& entry) {
    odd_names = odd_names || entry.name.find('\n') != std::string::npos;
    if (settled.marks.size() <= kMostMarks) settled.marks.push_back(mark_of(entry.path, entry.info));
  };
  const auto wait = [&](const WalkEntry& entry) {
    if (marks_files) note(entry);
    odd_names = odd_names || entry.name.find('\n') != std::string::npos;
    const bool recent = nanoseconds(entry.info.st_ctim) >= settled.since_ns - kLongestWrite;
    if (S_ISREG(entry.info.st_mode) && recent && !outwait_writers(entry)) ++closed;
  };
  auto gaps = SourceWalk(note, wait).walk(folder);
  gaps.unread += closed;
  std::sort(settled.marks.begin(), settled.marks.end());
  if (!gaps.complete()) settled.reason = why_incomplete(gaps);
  if (odd_names) settled.reason = "there are names with a newline in it";
  if (settled.marks.size() > kMostMarks) {
    settled.reason = "it has more than " + std::to_string(kMostMarks) + (marks_files ? " files and folders" : " folders");
  }
}

/// What has another place since, its times do not always tell: a folder that was renamed keeps those of all that is in it.
///
/// Whether it is where it was is told by its number. Beforehand that is not enough: it may have been elsewhere while the warm
/// pass came by, and be back. Then the folder around it has changed, and where the file system does that, it has itself.
class TouchedFinder {
 public:
  TouchedFinder(const Settled& settled, size_t limit, Looked looked)
      : settled_(settled), limit_(limit), beforehand_(looked == Looked::beforehand), hides_exchanges_(hides_exchanges(settled)) {}

  void enter(const WalkEntry& entry) {
    const bool changed = is_recent(entry);
    const bool may_have_been_away = beforehand_ && parent_changed(entry) && (changed || hides_exchanges_);
    parents_.push_back({entry.path, changed});
    // What was removed, added or renamed in it changed the folder.
    moved = moved || changed;
    if (!strange_.empty() && is_below(entry.path, strange_)) return;
    strange_.clear();
    const bool here = is_marked(entry);
    if (here && !may_have_been_away) return;
    strange_ = entry.path;
    moved = moved || !here;
    all_strange_ = all_strange_ || entry.path.empty();
  }

  /// Links can be replaced, too.
  void see(const WalkEntry& entry) {
    moved = moved || is_recent(entry);
    if (!S_ISREG(entry.info.st_mode) && !S_ISLNK(entry.info.st_mode)) return;
    bool came = all_strange_ || (!strange_.empty() && is_below(entry.path, strange_));
    if (hides_exchanges_) came = came || !is_marked(entry) || (beforehand_ && parent_changed(entry));
    if (!came && !is_recent(entry)) return;
    if (touched.files.size() >= limit_ || paths_ + entry.path.size() > kMostBytes) {
      touched.truncated = true;
      return;
    }
    paths_ += entry.path.size();
    touched.bytes += static_cast<std::uint64_t>(entry.info.st_size);
    touched.files.push_back({entry.path, static_cast<std::uint64_t>(entry.info.st_size), entry.info.st_mtim.tv_sec});
  }

  Touched touched;
  bool moved = false;  ///< anything at all

 private:
  struct Parent {
    std::string path;
    bool changed;
  };

  bool is_recent(const WalkEntry& entry) const { return nanoseconds(entry.info.st_ctim) >= settled_.since_ns; }
  bool is_marked(const WalkEntry& entry) const {
    return std::binary_search(settled_.marks.begin(), settled_.marks.end(), mark_of(entry.path, entry.info));
  }
  /// The walk goes down first, so that the folder around an entry is the last that was entered and is above it.
  bool parent_changed(const WalkEntry& entry) {
    while (!parents_.empty() && !parents_.back().path.empty() && !is_below(entry.path, parents_.back().path)) parents_.pop_back();
    return !parents_.empty() && parents_.back().changed;
  }

  const Settled& settled_;
  size_t limit_, paths_ = 0;
  bool beforehand_, hides_exchanges_;
  std::vector<Parent> parents_;
  std::string strange_;  ///< the folder we are in that was not here, or not this one, when the source was settled
  bool all_strange_ = false;
};

}  // namespace

Settled settle(const std::string& path) {
  Settled settled;
  settled.path = path;
  const auto folder = open_folder(path_components(path));
  settled.clock_offset_ns = clock_offset();
  // Before the sync begins: noted after it, what was stored meanwhile would look old.
  settled.since_ns = now(CLOCK_REALTIME_COARSE) - kSlack;
  const auto times = file_times_of(folder.get());
  settled.file_system = times.file_system;
  settled.reason = times.reason;
  if (settled.reason.empty()) refuse_mounts_below(folder.get(), settled.reason);
  if (settled.reason.empty()) {
    sync_file_system(folder.get());
    look_through(folder.get(), settled);
  }
  settled.exact = settled.reason.empty();
  if (!settled.exact) settled.marks.clear();
  return settled;
}

Touched touched_since(const Settled& settled, size_t limit, Looked looked) {
  const auto folder = open_folder(path_components(settled.path));
  TouchedFinder finder(settled, limit, looked);
  auto gaps = SourceWalk([&](const WalkEntry& entry) { finder.enter(entry); }, [&](const WalkEntry& entry) { finder.see(entry); }).walk(folder.get());
  auto touched = std::move(finder.touched);
  if (!gaps.complete()) touched.reason = why_incomplete(gaps);
  refuse_mounts_below(folder.get(), touched.reason);
  if (touched.truncated) touched.reason = "more than " + std::to_string(touched.files.size()) + " files were touched";
  touched.clock_offset_ns = clock_offset();
  if (std::abs(touched.clock_offset_ns - settled.clock_offset_ns) > kClockTolerance.count()) touched.reason = "the clock was set meanwhile";
  touched.exact = settled.exact && touched.reason.empty();
  touched.still = touched.exact && !finder.moved;
  return touched;
}

}  // namespace kopidocka
