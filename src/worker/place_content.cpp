#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "base/text.hpp"
#include "worker/folder.hpp"
#include "worker/place_kinds.hpp"
#include "worker/root_metadata.hpp"

namespace kopidocka {
namespace {

// In our own scratch folder:
constexpr auto kStaged = "new";
constexpr auto kAside = "old";
constexpr auto kAsideDraft = "old.draft";
constexpr auto kDone = "done";  ///< mark: the target holds the new content, completely

std::string scratch_name(const Place& place) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char letter : place.target) hash = (hash ^ static_cast<unsigned char>(letter)) * 1099511628211u;
  char hex[17];
  std::snprintf(hex, sizeof hex, "%016llx", static_cast<unsigned long long>(hash));
  return "restore-" + place.run_id + "." + hex;
}

FileDescriptor open_scratch(const Place& place, bool create) {
  const auto folder = open_folder(path_components(place.scratch), create);
  const auto name = scratch_name(place);
  if (create && ::mkdirat(folder.get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    throw system_error(errno, "create " + printable(place.scratch + "/" + name));
  }
  if (!look_at(folder.get(), name)) return {};
  return open_folder_in(folder.get(), name);
}

bool has(const FileDescriptor& scratch, const char* piece) { return scratch && look_at(scratch.get(), piece).has_value(); }

FileDescriptor open_file(int folder, const std::string& name, int flags) {
  FileDescriptor file(::openat(folder, name.c_str(), flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  if (!file) throw system_error(errno, "open " + printable(path_of(folder) + "/" + name));
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) throw system_error(errno, "look at " + printable(name));
  if (!S_ISREG(info.st_mode)) throw Error{ErrorKind::refused, printable(path_of(folder) + "/" + name) + " is not a regular file"};
  return file;
}

/// Content and metadata; the destination's inode stays, as a mounted file demands.
void copy_file(const FileDescriptor& from, const FileDescriptor& to) {
  if (::ftruncate(to.get(), 0) != 0) throw system_error(errno, "empty " + printable(path_of(to.get())));
  char buffer[65536];
  while (true) {
    const auto count = ::read(from.get(), buffer, sizeof buffer);
    if (count < 0) throw system_error(errno, "read " + printable(path_of(from.get())));
    if (count == 0) break;
    for (ssize_t done = 0; done < count;) {
      const auto written = ::write(to.get(), buffer + done, static_cast<size_t>(count - done));
      if (written < 0) throw system_error(errno, "write " + printable(path_of(to.get())));
      done += written;
    }
  }
  apply_metadata(to.get(), read_metadata(from.get()), false);
  sync_handle(to.get());
}

void forget(const FileDescriptor& scratch, const char* name) {
  if (::unlinkat(scratch.get(), name, 0) != 0 && errno != ENOENT) throw system_error(errno, std::string("remove ") + name);
  sync_handle(scratch.get());
}

void keep_original(const OpenPlace& open, const FileDescriptor& scratch) {
  if (has(scratch, kAside)) return;
  copy_file(open_file(open.parent.get(), open.name, O_RDONLY), open_file(scratch.get(), kAsideDraft, O_WRONLY | O_CREAT));
  move_entry(scratch.get(), kAsideDraft, scratch.get(), kAside);
  sync_handle(scratch.get());
}

}  // namespace

std::string stage_content(const OpenPlace& open) {
  const auto scratch = open_scratch(open.place, true);
  if (has(scratch, kAside) || has(scratch, kDone)) {
    throw Error{ErrorKind::busy, "this restore has already begun to replace " + printable(open.place.target),
                "finish it or put the original back first"};
  }
  return path_of(scratch.get()) + "/" + kStaged;
}

void swap_in_content(const OpenPlace& open) {
  const auto scratch = open_scratch(open.place, false);
  if (has(scratch, kDone)) return;
  if (!has(scratch, kStaged)) throw Error{ErrorKind::failed, "nothing is staged for " + printable(open.place.target)};
  const auto staged = open_file(scratch.get(), kStaged, O_RDONLY);
  keep_original(open, scratch);
  copy_file(staged, open_file(open.parent.get(), open.name, O_WRONLY));
  write_record(scratch.get(), kDone, "");
}

void swap_back_content(const OpenPlace& open) {
  const auto scratch = open_scratch(open.place, false);
  if (!has(scratch, kAside)) return;
  forget(scratch, kDone);
  copy_file(open_file(scratch.get(), kAside, O_RDONLY), open_file(open.parent.get(), open.name, O_WRONLY));
  forget(scratch, kAside);
}

void discard_content(const OpenPlace& open, Discard what) {
  const auto scratch = open_scratch(open.place, false);
  if (!scratch) return;
  if (what != Discard::staged && has(scratch, kAside) && !has(scratch, kDone)) {
    throw Error{ErrorKind::refused, "the new content of " + printable(open.place.target) + " is not in place: the original is kept",
                "finish the restore or put the original back first"};
  }
  if (what != Discard::staged) forget(scratch, kAside);
  if (what != Discard::aside) forget(scratch, kStaged);
  if (has(scratch, kAside)) return;
  forget(scratch, kAsideDraft);
  if (has(scratch, kStaged) && !has(scratch, kDone)) return;
  for (const auto* piece : {kStaged, kDone}) forget(scratch, piece);
  const auto folder = open_folder(path_components(open.place.scratch));
  ::unlinkat(folder.get(), scratch_name(open.place).c_str(), AT_REMOVEDIR);
}

PlaceState state_content(const OpenPlace& open) {
  const auto scratch = open_scratch(open.place, false);
  PlaceState state;
  state.target = look_at(open.parent.get(), open.name).has_value();
  state.staged = has(scratch, kStaged) && !has(scratch, kDone);
  state.aside = has(scratch, kAside);
  state.touched = state.aside;
  state.swapped = state.aside && has(scratch, kDone);
  return state;
}

}  // namespace kopidocka
