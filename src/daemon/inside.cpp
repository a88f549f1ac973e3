#include "daemon/inside.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/text.hpp"
#include "catalog/locate.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

const char* word(SnapshotEntry::Type type) {
  switch (type) {
    case SnapshotEntry::Type::file: return "file";
    case SnapshotEntry::Type::folder: return "folder";
    case SnapshotEntry::Type::link: return "link";
    case SnapshotEntry::Type::other: break;
  }
  return "other";
}

json entry_json(const SnapshotEntry& entry) {
  return {{"name", entry.name}, {"type", word(entry.type)}, {"bytes", entry.bytes}, {"mode", entry.mode},
          {"uid", entry.uid},   {"gid", entry.gid},         {"mtime", to_iso8601(entry.mtime)}};
}

/// A volume or bind by its name, the other snapshots by their kind: as they are named in a place.
json member_json(const PointMember& member) {
  const bool data = member.type == SnapshotType::volume || member.type == SnapshotType::bind;
  const bool file = member.snapshot.single_file;
  return {{"name", data ? member.name : std::string(to_string(member.type))},
          {"type", file ? "file" : "folder"},
          {"bytes", member.snapshot.bytes},
          {"mtime", to_iso8601(member.snapshot.start_time)}};
}

/// Our end of the pipe. Its other end is open already, so nobody waits here.
FileDescriptor open_pipe(const std::string& path) {
  FileDescriptor pipe(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC));
  if (!pipe) throw system_error(errno, "open the pipe " + printable(path));
  struct stat info {};
  if (::fstat(pipe.get(), &info) != 0 || !S_ISFIFO(info.st_mode)) throw Error(ErrorKind::refused, printable(path) + " is not a pipe");
  ::unlink(path.c_str());
  // The engine's process writes as it would to any pipe: it waits while the reader is slow.
  ::fcntl(pipe.get(), F_SETFL, 0);
  return pipe;
}

}  // namespace

Task<nlohmann::json> list_place(Coordinator& coordinator, PlaceWish wish, Cancel cancel) {
  const auto point = co_await coordinator.point_of(wish.unit, wish.at, wish.machine);
  const auto found = locate(point, wish.place);
  if (!found) throw found.error();
  json value = {{"unit", point.unit}, {"backup_id", point.backup_id}, {"host", point.host}, {"time", to_iso8601(point.time)},
                {"place", wish.place}, {"folder", true}, {"entries", json::array()}};
  if (found->member == nullptr) {
    for (const auto& member : point.members) value["entries"].push_back(member_json(member));
    co_return value;
  }
  const auto listing = co_await coordinator.assembly().engine->browse(found->member->snapshot, found->path, cancel);
  value["folder"] = listing.folder;
  for (const auto& entry : listing.entries) value["entries"].push_back(entry_json(entry));
  co_return value;
}

Task<> send_file(Coordinator& coordinator, PlaceWish wish, std::string pipe, Cancel cancel) {
  const auto point = co_await coordinator.point_of(wish.unit, wish.at, wish.machine);
  const auto found = locate(point, wish.place);
  if (!found) throw found.error();
  if (found->member == nullptr) throw Error(ErrorKind::usage, "no file is named", "kopi-docka cat UNIT PLACE; 'kopi-docka files' shows what there is");
  const auto output = open_pipe(pipe);
  co_await coordinator.assembly().engine->read_file(found->member->snapshot, found->path, output.get(), cancel);
}

}  // namespace kopidocka
