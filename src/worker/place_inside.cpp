#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"
#include "worker/folder.hpp"
#include "worker/place_kinds.hpp"
#include "worker/root_metadata.hpp"

namespace kopidocka {
namespace {

// In our folder inside the target:
constexpr auto kStaged = "new";
constexpr auto kAside = "old";
constexpr auto kStrangers = "strangers";
constexpr auto kGoneStaged = "gone-new";
constexpr auto kGoneAside = "gone-old";
constexpr auto kStagedRoot = "new-root";  ///< record: metadata of the restored root, before the first entry left it
constexpr auto kAsideRoot = "old-root";   ///< record: metadata of the original root; there from the first move on
constexpr auto kMovedOut = "moved-out";   ///< mark: every original entry is aside, so entries in place are new ones

std::string our_name(const OpenPlace& open) { return ".kopi-docka-" + open.place.run_id; }

/// The target folder and ours in it.
struct Inside {
  explicit Inside(const OpenPlace& open) : name(our_name(open)), target(open_folder_in(open.parent.get(), open.name)) {
    if (look_at(target.get(), name)) own = open_folder_in(target.get(), name);
  }
  bool has(const std::string& piece) const { return own && look_at(own.get(), piece).has_value(); }
  FileDescriptor folder(const std::string& piece) const {
    if (::mkdirat(own.get(), piece.c_str(), 0700) != 0 && errno != EEXIST) {
      throw system_error(errno, "create " + printable(path_of(own.get()) + "/" + piece));
    }
    return open_folder_in(own.get(), piece);
  }
  bool staged_empty() const { return !has(kStaged) || is_empty(open_folder_in(own.get(), kStaged).get()); }
  bool touched() const { return has(kAsideRoot) && has(kAside); }
  bool swapped() const { return touched() && has(kMovedOut) && staged_empty(); }

  std::string name;
  FileDescriptor target;
  FileDescriptor own;
};

/// Moves every entry (but our folder) from one folder to the other; what stands in the way there goes to the strangers.
void move_all(const Inside& inside, int from, int to) {
  for (const auto& name : names_in(from)) {
    if (from == inside.target.get() && name == inside.name) continue;
    if (look_at(to, name)) clear_the_way(to, name, inside.folder(kStrangers).get(), name);
    move_entry(from, name, to, name);
  }
  sync_handle(from);
  sync_handle(to);
}

/// The target's entries away to `to`; where one of that name is there already, the target's is the stranger.
void move_out(const Inside& inside, int to) {
  for (const auto& name : names_in(inside.target.get())) {
    if (name == inside.name) continue;
    if (look_at(to, name)) {
      clear_the_way(inside.target.get(), name, inside.folder(kStrangers).get(), name);
    } else {
      move_entry(inside.target.get(), name, to, name);
    }
  }
  sync_handle(inside.target.get());
  sync_handle(to);
}

RootMetadata record_of(const Inside& inside, const char* name) {
  const auto record = read_record(inside.own.get(), name);
  if (!record) throw Error{ErrorKind::internal, std::string("the record ") + name + " of the restore is gone"};
  return metadata_from_record(*record);
}

void forget(const Inside& inside, const char* name) {
  if (::unlinkat(inside.own.get(), name, 0) != 0 && errno != ENOENT) throw system_error(errno, std::string("remove ") + name);
  sync_handle(inside.own.get());
}

void remove_piece(const Inside& inside, const char* name, const char* gone) {
  // Under its first name a half-removed tree could be taken for data.
  remove_tree(inside.own.get(), gone);
  if (inside.has(name)) move_entry(inside.own.get(), name, inside.own.get(), gone);
  sync_handle(inside.own.get());
  remove_tree(inside.own.get(), gone);
}

/// Our folder goes when it holds nobody's data any more; the target's times do not change by it.
void remove_own_folder(const Inside& inside) {
  const auto times = read_metadata(inside.target.get());
  for (const auto* empty : {kStaged, kAside, kStrangers}) ::unlinkat(inside.own.get(), empty, AT_REMOVEDIR);
  if (inside.has(kAside) || inside.has(kStaged)) return;
  for (const auto* record : {kMovedOut, kAsideRoot, kStagedRoot}) {
    forget(inside, record);
    forget(inside, (std::string(record) + ".draft").c_str());
  }
  ::unlinkat(inside.target.get(), inside.name.c_str(), AT_REMOVEDIR);
  apply_times(inside.target.get(), times);
  sync_handle(inside.target.get());
}

}  // namespace

std::string stage_inside(const OpenPlace& open) {
  Inside inside(open);
  if (inside.has(kAsideRoot)) {
    throw Error{ErrorKind::busy, "this restore has already begun to replace " + printable(open.place.target),
                "finish it or put the original back first"};
  }
  if (!inside.own) {
    const auto times = read_metadata(inside.target.get());
    if (::mkdirat(inside.target.get(), inside.name.c_str(), 0700) != 0) {
      throw system_error(errno, "create the staging folder in " + printable(open.place.target));
    }
    apply_times(inside.target.get(), times);
    inside.own = open_folder_in(inside.target.get(), inside.name);
  }
  inside.folder(kAside);
  const auto staging = path_of(inside.folder(kStaged).get());
  sync_handle(inside.own.get());
  sync_handle(inside.target.get());
  return staging;
}

void swap_in_inside(const OpenPlace& open) {
  const Inside inside(open);
  if (inside.has(kAsideRoot) && !inside.has(kAside)) return;  // complete, and the original already discarded
  if (!inside.has(kStaged) || !inside.has(kAside)) {
    throw Error{ErrorKind::failed, "nothing is staged for " + printable(open.place.target)};
  }
  const auto staged = inside.folder(kStaged), aside = inside.folder(kAside);
  sync_file_system(inside.target.get());
  if (!inside.has(kAsideRoot)) {
    write_record(inside.own.get(), kStagedRoot, to_record(read_metadata(staged.get())));
    write_record(inside.own.get(), kAsideRoot, to_record(read_metadata(inside.target.get())));
  }
  if (!inside.has(kMovedOut)) {
    move_out(inside, aside.get());
    write_record(inside.own.get(), kMovedOut, "");
  }
  move_all(inside, staged.get(), inside.target.get());
  apply_metadata(inside.target.get(), record_of(inside, kStagedRoot), false);
  sync_handle(inside.target.get());
}

void swap_back_inside(const OpenPlace& open) {
  const Inside inside(open);
  if (!inside.touched()) return;
  const auto staged = inside.folder(kStaged), aside = inside.folder(kAside);
  if (inside.has(kMovedOut)) {
    move_out(inside, staged.get());
    forget(inside, kMovedOut);
  }
  move_all(inside, aside.get(), inside.target.get());
  apply_metadata(staged.get(), record_of(inside, kStagedRoot), true);
  apply_metadata(inside.target.get(), record_of(inside, kAsideRoot), true);
  sync_handle(inside.target.get());
  forget(inside, kAsideRoot);
}

void discard_inside(const OpenPlace& open, Discard what) {
  const Inside inside(open);
  if (!inside.own) return;
  const bool touched = inside.touched();
  const bool in_place = inside.swapped() || (inside.has(kAsideRoot) && !touched);
  if (what != Discard::staged && touched && !in_place) {
    throw Error{ErrorKind::refused, "the new data of " + printable(open.place.target) + " is not in place: the original is kept",
                "finish the restore or put the original back first"};
  }
  if (what != Discard::staged && touched) remove_piece(inside, kAside, kGoneAside);
  if (what != Discard::aside) remove_piece(inside, kStaged, kGoneStaged);
  remove_tree(inside.own.get(), kGoneAside);
  remove_tree(inside.own.get(), kGoneStaged);
  const bool keep_aside = touched && what == Discard::staged;
  const bool keep_staged = !in_place && what == Discard::aside;
  if (!keep_aside && !keep_staged) remove_own_folder(inside);
}

PlaceState state_inside(const OpenPlace& open) {
  PlaceState state;
  if (!look_at(open.parent.get(), open.name)) return state;
  const Inside inside(open);
  state.target = true;
  state.staged = !inside.swapped() && inside.has(kStaged);
  state.aside = inside.touched();
  state.swapped = inside.swapped();
  state.touched = inside.touched();
  if (inside.has(kStrangers)) state.strangers.push_back(path_of(inside.own.get()) + "/" + kStrangers);
  return state;
}

}  // namespace kopidocka
