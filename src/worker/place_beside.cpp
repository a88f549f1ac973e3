#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"
#include "worker/folder.hpp"
#include "worker/names.hpp"
#include "worker/place_kinds.hpp"

namespace kopidocka {
namespace {

struct Names {
  explicit Names(const OpenPlace& open) {
    const auto stem = stem_beside(open.place.run_id, open.name);
    staged = stem + ".new";
    aside = stem + ".old";
    absent = stem + ".absent";
    stranger = stem + ".stranger";
    gone_staged = stem + ".gone-new";
    gone_aside = stem + ".gone-old";
  }
  std::string staged, aside;
  std::string absent;  ///< a mark: there was no original
  std::string stranger;
  std::string gone_staged, gone_aside;  ///< being removed, never looked at again
};

struct Pieces {
  Pieces(const OpenPlace& open, const Names& names)
      : target(look_at(open.parent.get(), open.name).has_value()),
        staged(look_at(open.parent.get(), names.staged).has_value()),
        aside(look_at(open.parent.get(), names.aside).has_value()),
        absent(look_at(open.parent.get(), names.absent).has_value()) {}

  bool touched() const { return aside || absent; }
  bool swapped() const { return touched() && target && !staged; }

  bool target, staged, aside, absent;
};

void move_in(const OpenPlace& open, const std::string& from, const std::string& to) {
  move_entry(open.parent.get(), from, open.parent.get(), to);
  sync_handle(open.parent.get());
}

void check_staged_kind(const OpenPlace& open, const Names& names) {
  const auto info = look_at(open.parent.get(), names.staged);
  const bool right = info && (open.place.single_file ? S_ISREG(info->st_mode) : S_ISDIR(info->st_mode));
  if (right) return;
  throw Error{ErrorKind::refused, "what was restored for " + printable(open.place.target) + " is not a " +
                                      (open.place.single_file ? "regular file" : "folder")};
}

void remove_piece(const OpenPlace& open, const std::string& name, const std::string& gone) {
  const int folder = open.parent.get();
  // Under its first name a half-removed tree could be taken for data.
  remove_tree(folder, gone);
  if (look_at(folder, name)) move_in(open, name, gone);
  remove_tree(folder, gone);
}

}  // namespace

std::string stage_beside(const OpenPlace& open) {
  const Names names(open);
  if (Pieces(open, names).touched()) {
    throw Error{ErrorKind::busy, "this restore has already begun to replace " + printable(open.place.target),
                "finish it or put the original back first"};
  }
  const bool made = open.place.single_file || ::mkdirat(open.parent.get(), names.staged.c_str(), 0700) == 0 || errno == EEXIST;
  if (!made) throw system_error(errno, "create the staging folder beside " + printable(open.place.target));
  sync_handle(open.parent.get());
  return path_of(open.parent.get()) + "/" + names.staged;
}

void swap_in_beside(const OpenPlace& open) {
  const Names names(open);
  const Pieces pieces(open, names);
  if (pieces.swapped()) return sync_handle(open.parent.get());
  if (!pieces.staged) throw Error{ErrorKind::failed, "nothing is staged for " + printable(open.place.target)};
  check_staged_kind(open, names);
  sync_file_system(open.parent.get());
  if (pieces.touched()) {
    if (pieces.target) clear_the_way(open.parent.get(), open.name, open.parent.get(), names.stranger);
  } else if (pieces.target) {
    move_in(open, open.name, names.aside);
  } else {
    write_record(open.parent.get(), names.absent, "");
  }
  move_in(open, names.staged, open.name);
}

void swap_back_beside(const OpenPlace& open) {
  const Names names(open);
  const Pieces pieces(open, names);
  if (!pieces.touched()) return;
  if (pieces.target && pieces.staged) {
    clear_the_way(open.parent.get(), open.name, open.parent.get(), names.stranger);
  } else if (pieces.target) {
    move_in(open, open.name, names.staged);
  }
  if (pieces.aside) return move_in(open, names.aside, open.name);
  ::unlinkat(open.parent.get(), names.absent.c_str(), 0);
  sync_handle(open.parent.get());
}

void discard_beside(const OpenPlace& open, Discard what) {
  const Names names(open);
  const Pieces pieces(open, names);
  if (what != Discard::staged && pieces.touched() && !pieces.swapped()) {
    throw Error{ErrorKind::refused, "the new data of " + printable(open.place.target) + " is not in place: the original is kept",
                "finish the restore or put the original back first"};
  }
  if (what != Discard::staged) {
    remove_piece(open, names.aside, names.gone_aside);
    ::unlinkat(open.parent.get(), names.absent.c_str(), 0);
  }
  if (what != Discard::aside) remove_piece(open, names.staged, names.gone_staged);
  ::unlinkat(open.parent.get(), (names.absent + ".draft").c_str(), 0);
  ::unlinkat(open.parent.get(), names.stranger.c_str(), AT_REMOVEDIR);
  sync_handle(open.parent.get());
}

PlaceState state_beside(const OpenPlace& open) {
  const Names names(open);
  const Pieces pieces(open, names);
  PlaceState state{.target = pieces.target,
                   .staged = pieces.staged,
                   .aside = pieces.touched(),
                   .swapped = pieces.swapped(),
                   .touched = pieces.touched(),
                   .strangers = {}};
  if (look_at(open.parent.get(), names.stranger)) state.strangers.push_back(path_of(open.parent.get()) + "/" + names.stranger);
  return state;
}

}  // namespace kopidocka
