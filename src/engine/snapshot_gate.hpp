#pragma once

#include "base/cancel.hpp"
#include "base/task.hpp"

namespace kopidocka {

/// Between a snapshot and whoever holds the containers that write to its source. The engine opens the repository, arrives,
/// and waits; the holder stops the writers and opens; the engine reads, tells that all is read, and goes on saving while
/// the containers run again. One gate per snapshot; it outlives the call it is given to.
///
/// The call may end anywhere on the way: everybody who waits is then woken, with false where something was asked for.
class SnapshotGate {
 public:
  explicit SnapshotGate(const boost::asio::any_io_executor& executor) : changed_(executor) {}

  // The holder's side.
  /// True once the engine stands before the first byte; false when its call has ended, or `limit` is over, before that.
  Task<bool> arrived(Milliseconds limit);
  /// Lets it read.
  void open();
  /// A snapshot that was held back (SnapshotRequest::held_back) may be saved.
  void save();
  /// True once the last byte is read; false when the call has ended without a word of it.
  Task<bool> all_read();
  bool was_read() const { return state_ == State::read; }
  /// Nothing comes any more: the call is over, or somebody has given it up.
  bool ended() const { return ended_; }

  // The engine's side.
  void arrive() { reach(State::arrived); }
  /// True when it may read; false when the call has ended meanwhile.
  Task<bool> opened();
  void tell_all_read() { reach(State::read); }
  /// True when what is held back may be saved; false when the call has ended meanwhile.
  Task<bool> saving();
  /// The call is over, however it ended: nothing of the source is read any more.
  void end();

 private:
  enum class State { opening, arrived, read };
  void reach(State state);

  State state_ = State::opening;
  bool open_ = false, save_ = false, ended_ = false;
  Signal changed_;
};

/// Ends a gate (if there is one) when the engine's call ends, however that is.
class GateEnd {
 public:
  explicit GateEnd(SnapshotGate* gate) : gate_(gate) {}
  GateEnd(const GateEnd&) = delete;
  GateEnd& operator=(const GateEnd&) = delete;
  ~GateEnd() {
    if (gate_ != nullptr) gate_->end();
  }

 private:
  SnapshotGate* gate_;
};

/// For an engine that cannot wait half way: arrives, and waits before its process is started. Throws ErrorKind::cancelled
/// when the wait was ended. Does nothing without a gate.
Task<> wait_outside(SnapshotGate* gate, Cancel cancel);

}  // namespace kopidocka
