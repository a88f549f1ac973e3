#include "engine/snapshot_gate.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace kopidocka {

void SnapshotGate::reach(State state) {
  state_ = std::max(state_, state);
  changed_.notify();
}

void SnapshotGate::open() {
  open_ = true;
  changed_.notify();
}

void SnapshotGate::save() {
  save_ = true;
  changed_.notify();
}

Task<bool> SnapshotGate::saving() {
  while (!save_ && !ended_) co_await changed_.wait();
  co_return save_ && !ended_;
}

void SnapshotGate::end() {
  ended_ = true;
  changed_.notify();
}

Task<bool> SnapshotGate::arrived(Milliseconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (state_ == State::opening && !ended_) {
    const auto left = std::chrono::ceil<Milliseconds>(until - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !co_await changed_.wait_for(left)) break;
  }
  co_return state_ != State::opening && !ended_;
}

Task<bool> SnapshotGate::opened() {
  while (!open_ && !ended_) co_await changed_.wait();
  co_return open_ && !ended_;
}

Task<bool> SnapshotGate::all_read() {
  while (state_ != State::read && !ended_) co_await changed_.wait();
  co_return state_ == State::read;
}

Task<> wait_outside(SnapshotGate* gate, Cancel cancel) {
  if (gate == nullptr) co_return;
  const auto ended = cancel.on_abort([gate] { gate->end(); });
  gate->arrive();
  const bool let_in = co_await gate->opened();
  if (!let_in) throw Error(ErrorKind::cancelled, "asked to stop before anything was read");
}

}  // namespace kopidocka
