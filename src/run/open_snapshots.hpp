#pragma once

#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "engine/snapshot_gate.hpp"

namespace kopidocka {

/// The snapshots of a run that are on their way: opened before the hold, read inside it, saved after it. Owned by the run,
/// which closes it in the end: nothing is then left running.
class OpenSnapshots {
 public:
  /// At most `width` are under way at a time, from their opening until they are saved; `readers` of them read.
  OpenSnapshots(const boost::asio::any_io_executor& executor, SnapshotEngine& engine, size_t width, size_t readers);

  /// Begins the snapshot of a source and returns when the engine waits at its gate. Throws what the engine threw, and
  /// ErrorKind::timeout after `limit`.
  Task<> open(SnapshotRequest request, Milliseconds limit, Cancel cancel);
  bool is_open(const std::string& path) const { return sittings_.count(path) != 0; }
  /// Lets it read and returns when the last byte is read. Throws what the engine threw, and ErrorKind::cancelled at once when
  /// it was told to end: what it leaves is cleaned up later, not while containers are down.
  Task<> read(std::string path);
  /// Has a second snapshot of the source read from beginning to end, while everything is up, and held back. Returns when all is
  /// read; when that fails there is none, and nobody needs to know.
  Task<> read_ahead(SnapshotRequest request, Milliseconds limit, Cancel cancel);
  bool is_ahead(const std::string& path) const { return ahead_.count(path) != 0; }
  /// What was read ahead is what counts: it is saved, and the one that waits at its gate is ended.
  void keep_ahead(const std::string& path);
  /// Ends what was read ahead.
  void drop_ahead(const std::string& path);
  /// Throws what the engine threw that was to wait at its gate and has ended.
  void require_waiting() const;
  /// Returns when it is saved. Throws what the engine threw.
  Task<Snapshot> saved(std::string path);
  /// Ends the snapshot of a source and forgets it; the id of what it has saved all the same, which is to be removed.
  Task<std::string> give_up(std::string path);
  /// Whether one was ended that may have saved something all the same.
  bool any_dismissed() const { return !dismissed_.empty(); }
  /// Ends what is still under way and waits for its end. Never throws what became of it.
  Task<> close();

 private:
  struct Sitting {
    Sitting(const boost::asio::any_io_executor& executor, const Cancel& run)
        : gate(executor), changed(executor), subscription(run.on_abort([this] {
            cancel.request(CancelGrade::abort_step);
            // Whoever waits for the last byte waits no longer, however long the engine takes to die: what it has read is void.
            gate.end();
          })) {}
    SnapshotGate gate;
    Signal changed;
    Cancel cancel;  ///< of this snapshot; also when the run's is requested
    Cancel::Subscription subscription;
    bool ended = false;
    Snapshot snapshot;
    std::exception_ptr failure;
  };

  Task<> carry_out(Sitting& sitting, SnapshotRequest request);
  Sitting& sitting(const std::string& path) const;

  boost::asio::any_io_executor executor_;
  SnapshotEngine& engine_;
  Semaphore places_, readers_;
  TaskGroup under_way_;
  void dismiss(std::unique_ptr<Sitting> sitting);

  std::map<std::string, std::unique_ptr<Sitting>> sittings_;  ///< by the path of the source
  std::map<std::string, std::unique_ptr<Sitting>> ahead_;     ///< the same, those that were read and are held back
  std::vector<std::unique_ptr<Sitting>> dismissed_;           ///< told to end; nobody asks what became of them
};

}  // namespace kopidocka
