#include <algorithm>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "engine/kopia/kopia_engine.hpp"
#include "engine/kopia/kopia_json.hpp"
#include "engine/request_checks.hpp"

/// Looks into a snapshot, by the object at its top: `show` prints a folder as Kopia keeps it, and a file as it is.
namespace kopidocka {
namespace {

Error nothing_there(const Snapshot& snapshot, const std::string& path) {
  return {ErrorKind::not_found, "snapshot " + snapshot.id + " has no '" + printable(path, 500) + "'",
          "look at the folder above it with 'kopi-docka files'"};
}

/// Of one snapshot as this engine lists them.
Result<void> require_root(const Snapshot& snapshot) {
  const auto& root = snapshot.root;
  const bool plain = !root.empty() && root.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyzI") == std::string::npos;
  if (plain) return {};
  return Error{ErrorKind::invalid, "snapshot " + printable(snapshot.id, 100) + " does not say what is at its top"};
}

SnapshotListing alone(SnapshotEntry entry) {
  SnapshotListing listing;
  listing.entries.push_back(std::move(entry));
  return listing;
}

}  // namespace

Task<SnapshotListing> KopiaEngine::folder_at(Snapshot snapshot, std::string path, Cancel cancel) {
  const auto call = make_call("look into snapshot " + snapshot.id, {"show", path.empty() ? snapshot.root : snapshot.root + "/" + path});
  const auto output = co_await run(call, std::move(cancel));
  SnapshotListing listing;
  listing.folder = true;
  listing.entries = decode_kopia_folder(output).value();
  co_return listing;
}

Task<SnapshotListing> KopiaEngine::browse(Snapshot snapshot, std::string path, Cancel cancel) {
  require_root(snapshot).value();
  path = normal_inner_path(path).value();
  co_await ensure_connected(cancel);
  if (path.empty() && !snapshot.single_file) co_return co_await folder_at(snapshot, path, cancel);
  if (snapshot.single_file) {
    if (!path.empty()) throw nothing_there(snapshot, path);
    SnapshotEntry file;
    file.name = last_part(snapshot.path);
    file.bytes = snapshot.bytes;
    co_return alone(file);
  }
  // What it is stands in the folder above; asked for itself, a file would come with all its content.
  const auto name = last_part(path);
  const auto above = path.size() > name.size() ? path.substr(0, path.size() - name.size() - 1) : std::string();
  SnapshotListing around;
  std::exception_ptr failure;
  try {
    around = co_await folder_at(snapshot, above, cancel);
  } catch (const Error& error) {
    if (above.empty() || error.kind() != ErrorKind::failed) throw;
    failure = std::current_exception();
  }
  if (failure) throw nothing_there(snapshot, path);
  const auto found = std::find_if(around.entries.begin(), around.entries.end(), [&](const auto& entry) { return entry.name == name; });
  if (found == around.entries.end()) throw nothing_there(snapshot, path);
  if (found->type != SnapshotEntry::Type::folder) co_return alone(*found);
  co_return co_await folder_at(snapshot, path, cancel);
}

Task<> KopiaEngine::pin(std::vector<std::string> ids, bool pinned, Cancel cancel) {
  require_ids(ids, 32).value();
  if (ids.empty()) co_return;
  co_await ensure_connected(cancel);
  std::vector<std::string> args{"snapshot", "pin", pinned ? "--add=kopi-docka" : "--remove=kopi-docka"};
  args.insert(args.end(), ids.begin(), ids.end());
  co_await run(make_call(pinned ? "pin snapshots" : "unpin snapshots", std::move(args)), cancel);
}

Task<> KopiaEngine::read_file(Snapshot snapshot, std::string path, int output, Cancel cancel) {
  const auto there = co_await browse(snapshot, path, cancel);
  path = normal_inner_path(path).value();
  if (there.folder || there.entries.front().type != SnapshotEntry::Type::file) throw Error(ErrorKind::refused, "'" + printable(path, 500) + "' in snapshot " + snapshot.id + " is not a file");
  auto call = make_call("read a file of snapshot " + snapshot.id, {"show", path.empty() ? snapshot.root : snapshot.root + "/" + path});
  call.deadline = settings_.deadlines.transfer;
  call.output_to = output;
  (void)co_await run(std::move(call), std::move(cancel));
}

}  // namespace kopidocka
