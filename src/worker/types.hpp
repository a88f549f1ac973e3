#pragma once

#include <sys/types.h>

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

}  // namespace kopidocka
