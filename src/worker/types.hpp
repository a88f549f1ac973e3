#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace kopidocka {

enum class PathKind { missing, folder, file, other };

/// What a path of a user is like. Symbolic links are followed, as Docker does with the source of a bind.
struct PathFacts {
  std::string path;
  PathKind kind = PathKind::missing;
  bool symlink = false;      ///< the last component is one
  bool mount_point = false;  ///< something is mounted exactly here, in our view
  bool writable = false;
  bool empty = false;  ///< a folder without entries, a file without bytes
  std::uint64_t device = 0, inode = 0;
  std::uint64_t bytes_free = 0, bytes_total = 0;  ///< of its file system, for unprivileged use
  std::string file_system;                        ///< "ext4", "nfs", ...; hex of the magic number when not known
  std::string problem;                            ///< why the rest is not known ("did not answer within 10s")
};

/// Size of a tree, on its own file system, links not followed.
struct TreeUsage {
  std::string path;
  std::uint64_t bytes = 0;      ///< sizes of its regular files, as `du -b` counts them
  std::uint64_t allocated = 0;  ///< what they take on disk (less when sparse)
  std::uint64_t entries = 0;
  bool complete = true;  ///< false: the deadline came first, or something could not be read
};

struct FileWanted {
  std::string path;
  size_t limit = 4u << 20;  ///< bytes; a larger file is a problem, never a cut text
};

/// A regular file (links followed); of anything else only the problem.
struct FileContent {
  std::string path;
  std::string content;
  mode_t mode = 0;
  std::int64_t mtime_seconds = 0;
  bool missing = false;
  std::string problem;  ///< empty = content holds the whole file
};

/// How restored data comes into its place.
enum class PlaceMode {
  rename,   ///< staged beside the target, put in place by two renames
  inside,   ///< target is a mount point: staged in a folder inside it, put in place entry by entry
  content,  ///< target is a file mounted by itself: staged in our own folder, its content is replaced
};

std::string_view to_string(PlaceMode mode);
std::optional<PlaceMode> place_mode_from(std::string_view text);

struct PlaceRequest {
  std::string target;     ///< absolute, as this process sees it; may be gone
  std::string host_path;  ///< the same on the Docker host, checked as well; empty = not known
  std::string run_id;     ///< of the restore: letters, digits, '-', '_'; at most 64. Names all we make
  bool single_file = false;  ///< what is restored is one regular file
  std::string scratch;       ///< folder of ours that survives a crash (content mode only)
  bool make_parents = false;  ///< create missing folders above the target (0755)
};

/// A place that was prepared. A plain value: keep it in the journal before swap_in, it is all that recovery needs.
struct Place {
  PlaceMode mode = PlaceMode::rename;
  std::string target;
  std::string run_id;
  std::string staging;    ///< where the engine restores to: an empty folder, or the path of a file that is not there yet
  std::string scratch;    ///< the request's
  bool single_file = false;
};

/// Which pieces of a place exist.
struct PlaceState {
  bool target = false;   ///< something is in place
  bool staged = false;   ///< new data (or what is left of it to put in place)
  bool aside = false;    ///< original data (or the record that there was none)
  bool swapped = false;  ///< the new data is in place, completely
  bool touched = false;  ///< swap_in has begun: swap_back has something to do
  std::vector<std::string> strangers;  ///< what somebody put in the way meanwhile; kept, never removed by us
};

enum class Discard { staged, aside, both };

/// What is cloned, and for whom. A plain value: keep it in the journal before clone_tree, it is all that dropping needs.
struct CloneRequest {
  std::string source;  ///< absolute, as this process sees it: a folder, or one regular file
  std::string run_id;  ///< letters, digits, '-', '_'; at most 64. Names all we make
};

struct CloneFacts {
  bool possible = false;
  std::string path;         ///< what an engine would read: last component as the source's; empty when not possible
  std::string file_system;  ///< the source's, as in PathFacts
  std::string reason;       ///< why it is not possible, for the user; empty when it is
};

/// A clone that is complete.
struct CloneResult {
  std::string path;            ///< what an engine reads: of the kind and with the name of the source
  std::uint64_t entries = 0;   ///< in it, its root included
  std::uint64_t bytes = 0;     ///< sizes of its regular files, each once however many names it has
  std::uint64_t left_out = 0;  ///< sockets, and devices that we are not permitted to make
  std::uint64_t vanished = 0;  ///< entries that somebody removed while the tree was walked
};

/// A source at a moment from which on every change of a file shows in its times. Give it to touched() as it is.
struct Settled {
  std::string path;
  bool exact = false;       ///< touched() can tell all that changes from now on
  std::string reason;       ///< why not, for the user; empty when it can
  std::string file_system;  ///< as the system names it
  std::int64_t since_ns = 0;         ///< wall clock; a file with older times has in it what it had then
  std::int64_t clock_offset_ns = 0;  ///< wall clock minus the one that is never set
  std::vector<std::uint64_t> marks;  ///< of what is where: its folders, on xfs also its files; sorted, empty when not exact

  std::chrono::system_clock::time_point since() const {
    return std::chrono::system_clock::time_point(std::chrono::duration_cast<std::chrono::system_clock::duration>(std::chrono::nanoseconds(since_ns)));
  }
};

/// The wall clock may be off from the other by so much more or less before it counts as set: less than the slack in since_ns.
constexpr std::chrono::nanoseconds kClockTolerance = std::chrono::milliseconds(500);

/// When it is asked what was touched.
enum class Looked {
  beforehand,  ///< after a warm pass, while writers run: tells also what may have been elsewhere when that pass came by
  held,        ///< when nobody writes any more: tells what is not as it was
};

struct TouchedFile {
  std::string path;  ///< relative to the source, as bytes
  std::uint64_t size = 0;
  std::int64_t mtime_second = 0;  ///< rounded down
};

/// Files and symbolic links that were written, made, renamed, linked or given other times or rights since a source was settled,
/// and those in folders that came to their place since. Without what was removed.
struct Touched {
  std::vector<TouchedFile> files;
  std::uint64_t bytes = 0;
  bool exact = false;      ///< these are all
  bool truncated = false;  ///< there were more than the limit
  bool still = false;      ///< exact, and nothing else was touched, removed or added either: all is as when it was settled
  std::string reason;      ///< why they may not be all; empty when they are
  std::int64_t clock_offset_ns = 0;
};

}  // namespace kopidocka
