#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/engine.hpp"
#include "engine/snapshot_gate.hpp"

namespace kopidocka::testing {

/// A repository in memory. Snapshots take no time unless told; `before_snapshot` may change the world or throw.
class FakeEngine : public SnapshotEngine {
 public:
  std::function<void(const SnapshotRequest&)> before_snapshot;
  std::function<void()> before_list;
  std::uint64_t bytes_free = 0, bytes_total = 0;  ///< of the repository's disk
  std::optional<Error> probe_error, remove_error;
  std::optional<Error> death_at_gate;  ///< of the first snapshot that comes to one, while the next is still on its way there
  std::map<std::string, std::uint64_t> unreadable;  ///< entries by path
  Milliseconds snapshot_takes{0};
  std::vector<Snapshot> snapshots;
  int created = 0;  ///< calls of create()
  std::string host = "here";  ///< new snapshots are of this host, and list() without all_hosts shows no others

  std::string name() const override { return "fake"; }
  Task<RepositoryInfo> probe(Cancel) override {
    if (probe_error) throw *probe_error;
    auto found = info("fake-repository");
    found.bytes_free = bytes_free;
    found.bytes_total = bytes_total;
    co_return found;
  }
  Task<RepositoryInfo> create(Cancel) override {
    ++created;
    co_return info("new-repository");
  }
  Task<> prepare(std::vector<SourcePolicy>, Cancel) override { co_return; }
  Task<Snapshot> snapshot(SnapshotRequest request, Cancel cancel) override {
    const GateEnd gate_end(request.gate);
    if (death_at_gate && request.gate != nullptr) {
      const bool second = std::exchange(dead_, true);
      if (!second) request.gate->arrive();
      co_await sleep_for(Milliseconds(second ? 50 : 1));
      if (!second) throw *death_at_gate;
    }
    co_await wait_outside(request.gate, cancel);
    if (before_snapshot) before_snapshot(request);
    for (Milliseconds waited{0}; waited < snapshot_takes; waited += Milliseconds(2)) {
      if (cancel.grade() == CancelGrade::abort_step) throw Error(ErrorKind::cancelled, "the snapshot was ended");
      co_await sleep_for(Milliseconds(2));
    }
    Snapshot snapshot;
    snapshot.id = "snapshot" + std::to_string(++made_);
    snapshot.host = host;
    snapshot.path = request.source.path;
    snapshot.tags = request.tags;
    const auto errors = unreadable.find(request.source.path);
    snapshot.errors = errors == unreadable.end() ? 0 : errors->second;
    snapshots.push_back(snapshot);
    co_return snapshot;
  }
  Task<std::vector<Snapshot>> list(SnapshotFilter filter, Cancel) override {
    if (before_list) before_list();
    std::vector<Snapshot> found;
    for (const auto& snapshot : snapshots) {
      bool matches = (filter.all_hosts || snapshot.host == host) && (filter.path.empty() || filter.path == snapshot.path);
      for (const auto& [key, value] : filter.tags) matches = matches && snapshot.tags.count(key) != 0 && snapshot.tags.at(key) == value;
      if (matches) found.push_back(snapshot);
    }
    co_return found;
  }
  Task<> restore(RestoreRequest, Cancel) override { co_return; }
  Task<SnapshotListing> browse(Snapshot, std::string, Cancel) override { co_return SnapshotListing(); }
  Task<> read_file(Snapshot, std::string, int, Cancel) override { co_return; }
  Task<> remove(std::vector<std::string> ids, Cancel) override {
    if (remove_error) throw *remove_error;
    for (const auto& id : ids) std::erase_if(snapshots, [&](const Snapshot& snapshot) { return snapshot.id == id; });
    co_return;
  }
  Task<> pin(std::vector<std::string> ids, bool pinned, Cancel) override {
    for (auto& snapshot : snapshots) {
      if (std::find(ids.begin(), ids.end(), snapshot.id) != ids.end()) snapshot.pinned = pinned;
    }
    co_return;
  }
  Task<std::vector<std::string>> expire(std::vector<SourcePolicy>, Cancel) override { co_return std::vector<std::string>(); }
  Task<> verify(std::vector<std::string>, int, Cancel) override { co_return; }
  Task<> maintain(bool, Cancel) override { co_return; }

 private:
  static RepositoryInfo info(const std::string& unique_id) {
    RepositoryInfo info;
    info.unique_id = unique_id;
    return info;
  }
  int made_ = 0;
  bool dead_ = false;
};

}  // namespace kopidocka::testing
