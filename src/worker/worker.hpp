#pragma once

#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/task.hpp"
#include "worker/types.hpp"

namespace kopidocka {

/// The only way to a user's path: every call runs `<binary> worker` as a child with a deadline, so that a dead NFS mount
/// costs one deadline and never blocks the daemon. Driven by unit checks, the runner and the recipe.
///
/// Throws Error: timeout (with the path), cancelled, and what the child reported (refused, denied, no_space, not_found,
/// failed). After a timeout or cancel the operation may have happened in part; the place operations are made for that:
/// call the same one again, or swap_back. Of a clone, drop_clone removes the part.
class Worker {
 public:
  /// `binary` is this program; `deadline` bounds the quick calls (probe, read_files, prepare, can_clone).
  explicit Worker(std::string binary, Milliseconds deadline = Milliseconds(20'000));

  /// One PathFacts per path, same order; a path that does not answer in time has `problem`, the others are not affected.
  Task<std::vector<PathFacts>> probe(std::vector<std::string> paths, Cancel cancel) const;
  /// What could be counted until `limit`.
  Task<std::vector<TreeUsage>> usage(std::vector<std::string> paths, Milliseconds limit, Cancel cancel) const;
  /// One FileContent per file, same order; together at most 16 MiB (the ones beyond have `problem`).
  Task<std::vector<FileContent>> read_files(std::vector<FileWanted> files, Cancel cancel) const;
  /// Paths of the regular files in these folders (not below) whose name matches one of the shell patterns; sorted, at
  /// most 500. Folders that cannot be read have none.
  Task<std::vector<std::string>> find_files(std::vector<std::string> folders, std::vector<std::string> patterns,
                                            Cancel cancel) const;

  /// Decides how data comes to `target` and makes an empty staging place. Refuses relative paths, `..`, the root and
  /// system folders, symbolic links in the path, targets of the wrong kind, and targets with another file system
  /// mounted below. Calling it again empties nothing and returns the same place;
  /// busy once swap_in of this run has begun. When the folder of the target is gone (and is not to be made), nothing is
  /// made either: the staging place lies in no folder.
  Task<Place> prepare_place(PlaceRequest request, Cancel cancel) const;
  /// Present data aside, staged data in place, everything made durable. Called again after a crash it completes.
  /// Nested targets: outer first, and prepare the inner one only after that.
  Task<PlaceState> swap_in(Place place, Milliseconds deadline, Cancel cancel) const;
  /// From any state in between back to the data that was there before; the new data goes back to staging.
  /// Where nothing was swapped, or the original was already discarded, it does nothing; nor where somebody removed the
  /// folder of the target. not_found when that folder may come back with a disk.
  Task<PlaceState> swap_back(Place place, Milliseconds deadline, Cancel cancel) const;
  /// Removes what we made for this run, and only that. Original data is refused while the new is not completely in place.
  /// Well when the folder of the target is gone.
  Task<PlaceState> discard(Place place, Discard what, Milliseconds deadline, Cancel cancel) const;
  Task<PlaceState> state(Place place, Cancel cancel) const;

  /// Whether clone_tree can be expected to work for this folder or file; leaves no trace, also when it is killed. Really
  /// shares blocks between files without names, so the answer is the kernel's and not a guess from names. Not possible:
  /// no writable place beside the source on its own file system (it is a mount point), a file system that cannot share
  /// blocks, something mounted in the source, a symbolic link in its place, folders of the host, no right to set owners.
  /// Throws only for a run_id that is none and when there was no answer.
  Task<CloneFacts> can_clone(std::string path, std::string run_id, Cancel cancel) const;
  /// Makes a copy of the tree beside it that shares its blocks: as large as needed, as fast as there are files, and later
  /// changes of the source do not show in it. Links, hard links, holes, owners, modes, times and attributes are as in the
  /// source; flags (immutable) and birth times are not. Entries that runs of ours made are left out, as engines do.
  /// The source is only read, without access times where permitted; the folder above it gets one more hidden entry.
  /// busy when there is a clone of this run already. Any file that cannot be cloned fails it all, with its path; after an
  /// error, timeout or cancel nothing lies where the result would be, but a part of the clone may be there: drop_clone.
  Task<CloneResult> clone_tree(CloneRequest request, Milliseconds deadline, Cancel cancel) const;
  /// Removes what clone_tree made for this source and run, complete or not. May be called again after a timeout or crash.
  /// Well when it is not there, or the folder of the source is gone. Refuses a folder that is not ours or holds something
  /// else too; busy while a clone_tree that outlived its daemon is still at work in it.
  Task<> drop_clone(CloneRequest request, Milliseconds deadline, Cancel cancel) const;

  /// Before a source is read while its writers run: notes the time, then brings everything of its file system to disk and waits
  /// for writes under way in the folder. A file that is read after that, and whose times are older than `since_ns` both then
  /// and later, has not changed in between; a store through a mapping to a page that is still dirty would not show otherwise.
  /// Not exact (with the reason; nothing is synced then): file systems other than ext4, xfs and btrfs, something mounted in the
  /// folder, entries that cannot be looked at, names with a newline, too many folders (on xfs: files and folders). Changes nothing.
  Task<Settled> settle(std::string path, Milliseconds deadline, Cancel cancel) const;
  /// What was touched since, at most `limit` files. Only when nobody writes any more it tells all: what is moved while it looks
  /// may be missed. Also not exact when the clock was set meanwhile.
  Task<Touched> touched(Settled settled, Looked looked, size_t limit, Milliseconds deadline, Cancel cancel) const;

 private:
  Task<std::string> ask(std::string request, std::string what, Milliseconds deadline, Cancel cancel) const;
  Task<std::vector<PathFacts>> probe_alone(std::vector<std::string> paths, Cancel cancel) const;
  Task<> probe_one(PathFacts& facts, Semaphore& slots, Cancel cancel) const;

  std::string binary_;
  Milliseconds deadline_;
};

}  // namespace kopidocka
