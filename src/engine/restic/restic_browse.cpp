#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "engine/request_checks.hpp"
#include "engine/restic/restic_engine.hpp"

/// Looks into a snapshot. Restic keeps whole paths, from the root of the machine that was backed up.
namespace kopidocka {

Task<std::string> ResticEngine::stored_path(std::string id, std::string path, Cancel cancel) {
  require_ids({id}, 8).value();
  const auto found = co_await read_snapshots(std::vector<std::string>(1, id), cancel);
  if (found.size() != 1 || found.front().stored_paths.size() != 1) {
    throw Error(ErrorKind::not_found, "there is no snapshot " + printable(id, 100) + " of a single source", "list the snapshots and name one of them");
  }
  const auto& top = found.front().stored_paths.front();
  co_return path.empty() ? top : top + "/" + path;
}

Task<SnapshotListing> ResticEngine::browse(Snapshot snapshot, std::string path, Cancel cancel) {
  path = normal_inner_path(path).value();
  co_await open(cancel);
  const auto stored = co_await stored_path(snapshot.id, path, cancel);
  std::vector<SnapshotEntry> below;
  std::optional<SnapshotEntry> itself;
  auto call = make_call("look into snapshot " + snapshot.id, {"ls", "--json", "--no-lock", snapshot.id, stored});
  call.on_output_line = [&](const std::string& line) {
    auto found = decode_restic_entry(line);
    if (!found) return;
    if (found->path == stored) itself = found->entry;
    const bool inside = found->path.size() > stored.size() + 1 && found->path.compare(0, stored.size() + 1, stored + "/") == 0;
    if (inside && found->path.find('/', stored.size() + 1) == std::string::npos) below.push_back(std::move(found->entry));
  };
  co_await run(std::move(call), cancel);
  if (!itself) {
    throw Error(ErrorKind::not_found, "snapshot " + snapshot.id + " has no '" + printable(path, 500) + "'", "look at the folder above it with 'kopi-docka files'");
  }
  SnapshotListing listing;
  listing.folder = itself->type == SnapshotEntry::Type::folder;
  std::sort(below.begin(), below.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  if (!listing.folder) below.assign(1, *itself);
  listing.entries = std::move(below);
  co_return listing;
}

Task<> ResticEngine::read_file(Snapshot snapshot, std::string path, int output, Cancel cancel) {
  const auto there = co_await browse(snapshot, path, cancel);
  const auto stored = co_await stored_path(snapshot.id, normal_inner_path(path).value(), cancel);
  if (there.folder || there.entries.front().type != SnapshotEntry::Type::file) throw Error(ErrorKind::refused, "'" + printable(path, 500) + "' in snapshot " + snapshot.id + " is not a file");
  auto call = make_call("read a file of snapshot " + snapshot.id, {"dump", "--no-lock", snapshot.id, stored});
  call.deadline = settings_.deadlines.transfer;
  call.output_to = output;
  co_await run(std::move(call), std::move(cancel));
}

}  // namespace kopidocka
