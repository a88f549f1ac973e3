#include "worker/place.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/text.hpp"
#include "worker/folder.hpp"
#include "worker/names.hpp"
#include "worker/place_kinds.hpp"

namespace kopidocka {
namespace {

void refuse_system_path(const std::string& path) {
  if (!belongs_to_host(path)) return;
  throw Error{ErrorKind::refused, "\"" + printable(path, 200) + "\" belongs to the host: nothing is restored onto it",
              "restore into a folder of your choice with --to"};
}

std::string joined(const std::vector<std::string>& components) { return "/" + join(components, "/"); }

/// The target with the trusted links of its folders resolved.
std::string resolve_target(const std::string& target, bool create) {
  auto components = path_components(target);
  refuse_system_path(joined(components));
  const auto name = components.back();
  components.pop_back();
  const auto resolved = path_of(open_folder(components, create).get()) + "/" + name;
  refuse_system_path(resolved);
  return resolved;
}

bool is_mount_point(const std::vector<MountPoint>& mounts, const std::string& path) {
  return std::any_of(mounts.begin(), mounts.end(), [&](const MountPoint& mount) { return mount.path == path; });
}

void refuse_mounts_below(const std::vector<MountPoint>& mounts, const std::string& path) {
  for (const auto& mount : mounts) {
    if (!is_below(mount.path, path)) continue;
    throw Error{ErrorKind::refused,
                "a file system is mounted below the target, at " + printable(mount.path) + ": it would be moved aside with it",
                "unmount it, or restore with --to into another folder"};
  }
}

/// The folder a place lies in does not exist any more, or its disk is not mounted.
bool lost_its_folder(const Place& place) {
  try {
    (void)open_place(place);
    return false;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::not_found) throw;
    return true;
  }
}

/// Somebody removed the folder, as far as can be told. Below an empty folder, or where disks are mounted, it may come back.
bool was_removed(const Place& place) {
  auto components = path_components(place.target);
  while (!components.empty()) {
    components.pop_back();
    try {
      const auto folder = open_folder(components);
      const auto path = joined(components);
      const bool volumes = path == "/var/lib/docker/volumes";
      const bool shared = is_shared_folder(path);
      const bool for_disks = is_below(path, "/mnt") || is_below(path, "/media");
      return (volumes || (!shared && !for_disks)) && !is_empty(folder.get());
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) throw;
    }
  }
  return false;
}

PlaceMode choose_mode(const OpenPlace& open, const PlaceRequest& request) {
  const auto& target = open.place.target;
  const auto mounts = mount_points();
  refuse_mounts_below(mounts, target);
  const auto info = look_at(open.parent.get(), open.name);
  if (info && !S_ISDIR(info->st_mode) && !S_ISREG(info->st_mode)) {
    throw Error{ErrorKind::refused, printable(target) + " is neither a folder nor a regular file",
                "move it away, then restore again"};
  }
  struct stat parent{};
  if (::fstat(open.parent.get(), &parent) != 0) throw system_error(errno, "look at the folder of " + printable(target));
  const bool movable = !is_mount_point(mounts, target) && (!info || info->st_dev == parent.st_dev);
  const int unwritable = ::faccessat(open.parent.get(), ".", W_OK, AT_EACCESS) == 0 ? 0 : errno;
  if (movable && unwritable == 0) return PlaceMode::rename;
  if (!info) throw system_error(unwritable, "create " + printable(target), "mount its folder writable into this container");
  if (S_ISDIR(info->st_mode) == request.single_file) {
    throw Error{ErrorKind::refused, printable(target) + (request.single_file ? " is a mounted folder, the snapshot is a file"
                                                                             : " is a mounted file, the snapshot is a folder")};
  }
  if (::faccessat(open.parent.get(), open.name.c_str(), W_OK, AT_EACCESS) != 0) {
    throw system_error(errno, "write to " + printable(target), "mount it writable into this container");
  }
  return S_ISDIR(info->st_mode) ? PlaceMode::inside : PlaceMode::content;
}

}  // namespace

std::string_view to_string(PlaceMode mode) {
  switch (mode) {
    case PlaceMode::rename: return "rename";
    case PlaceMode::inside: return "inside";
    case PlaceMode::content: return "content";
  }
  return "rename";
}

std::optional<PlaceMode> place_mode_from(std::string_view text) {
  for (const auto mode : {PlaceMode::rename, PlaceMode::inside, PlaceMode::content}) {
    if (to_string(mode) == text) return mode;
  }
  return std::nullopt;
}

OpenPlace open_place(const Place& place) {
  check_run_id(place.run_id);
  auto components = path_components(place.target);
  refuse_system_path(joined(components));
  auto name = components.back();
  components.pop_back();
  return {place, open_folder(components), std::move(name)};
}

void clear_the_way(int folder, const std::string& name, int to, const std::string& aside_name) {
  if (::unlinkat(folder, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return;
  move_entry(folder, name, to, aside_name);
}

Place prepare_place(const PlaceRequest& request) {
  check_run_id(request.run_id);
  if (!request.host_path.empty()) refuse_system_path(joined(path_components(request.host_path)));
  Place place{.mode = PlaceMode::rename,
              .target = request.target,
              .run_id = request.run_id,
              .staging = request.target + "/.kopi-docka-" + request.run_id,
              .scratch = request.scratch,
              .single_file = request.single_file};
  if (!request.make_parents && lost_its_folder(place)) return place;
  place.target = resolve_target(request.target, request.make_parents);
  const auto open = open_place(place);
  place.mode = choose_mode(open, request);
  switch (place.mode) {
    case PlaceMode::rename: place.staging = stage_beside(open); break;
    case PlaceMode::inside: place.staging = stage_inside(open); break;
    case PlaceMode::content: place.staging = stage_content(open); break;
  }
  return place;
}

PlaceState swap_in(const Place& place) {
  const auto open = open_place(place);
  switch (place.mode) {
    case PlaceMode::rename: swap_in_beside(open); break;
    case PlaceMode::inside: swap_in_inside(open); break;
    case PlaceMode::content: swap_in_content(open); break;
  }
  return state_of(place);
}

PlaceState swap_back(const Place& place) {
  if (lost_its_folder(place)) {
    if (was_removed(place)) return {};
    throw Error{ErrorKind::not_found, "the folder of " + printable(place.target) + " does not exist: the data from before cannot be put back",
                "mount its disk and run 'kopi-docka recover'; if it is gone for good, create that folder first"};
  }
  const auto open = open_place(place);
  switch (place.mode) {
    case PlaceMode::rename: swap_back_beside(open); break;
    case PlaceMode::inside: swap_back_inside(open); break;
    case PlaceMode::content: swap_back_content(open); break;
  }
  return state_of(place);
}

PlaceState discard(const Place& place, Discard what) {
  if (lost_its_folder(place)) return {};
  const auto open = open_place(place);
  switch (place.mode) {
    case PlaceMode::rename: discard_beside(open, what); break;
    case PlaceMode::inside: discard_inside(open, what); break;
    case PlaceMode::content: discard_content(open, what); break;
  }
  return state_of(place);
}

PlaceState state_of(const Place& place) {
  const auto open = open_place(place);
  switch (place.mode) {
    case PlaceMode::rename: return state_beside(open);
    case PlaceMode::inside: return state_inside(open);
    case PlaceMode::content: return state_content(open);
  }
  return {};
}

}  // namespace kopidocka
