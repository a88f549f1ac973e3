#include "run/open_snapshots.hpp"

#include <utility>

#include "base/text.hpp"

namespace kopidocka {

OpenSnapshots::OpenSnapshots(const boost::asio::any_io_executor& executor, SnapshotEngine& engine, size_t width, size_t readers)
    : executor_(executor), engine_(engine), places_(executor, width), readers_(executor, readers), under_way_(executor) {}

OpenSnapshots::Sitting& OpenSnapshots::sitting(const std::string& path) const {
  const auto found = sittings_.find(path);
  if (found == sittings_.end()) throw Error(ErrorKind::internal, "no snapshot of " + printable(path) + " was opened");
  return *found->second;
}

Task<> OpenSnapshots::carry_out(Sitting& sitting, SnapshotRequest request) {
  try {
    sitting.snapshot = co_await engine_.snapshot(std::move(request), sitting.cancel);
  } catch (...) {
    sitting.failure = std::current_exception();
  }
  // Also after an engine that never came to its gate.
  sitting.gate.end();
  sitting.ended = true;
  sitting.changed.notify();
  places_.release();
}

Task<> OpenSnapshots::open(SnapshotRequest request, Milliseconds limit, Cancel cancel) {
  co_await places_.acquire();
  const auto path = request.source.path;
  auto& sitting = *(sittings_[path] = std::make_unique<Sitting>(executor_, cancel));
  request.gate = &sitting.gate;
  under_way_.spawn(carry_out(sitting, std::move(request)));
  const bool here = co_await sitting.gate.arrived(limit);
  if (here) co_return;
  const bool late = !sitting.gate.ended();
  sitting.cancel.request(CancelGrade::abort_step);
  while (!sitting.ended) co_await sitting.changed.wait();
  if (late) {
    throw Error(ErrorKind::timeout, engine_.name() + " has not opened the repository for " + printable(path) + " after " + format_duration(limit),
                "look whether the repository's storage is slow or hangs; KOPI_DOCKA_ENGINE_TIMEOUT gives it more time");
  }
  if (sitting.failure) std::rethrow_exception(sitting.failure);
  throw Error(ErrorKind::failed, engine_.name() + " took a snapshot of " + printable(path) + " without waiting for its turn");
}

void OpenSnapshots::require_waiting() const {
  for (const auto& [path, one] : sittings_) {
    if (!one->ended) continue;
    if (one->failure) std::rethrow_exception(one->failure);
    throw Error(ErrorKind::failed, engine_.name() + " did not wait with the snapshot of " + printable(path), "run it again");
  }
}

Task<> OpenSnapshots::read(std::string path) {
  auto& one = sitting(path);
  co_await readers_.acquire();
  one.gate.open();
  const bool all = co_await one.gate.all_read();
  readers_.release();
  if (all) co_return;
  if (one.cancel.grade() == CancelGrade::abort_step) throw Error(ErrorKind::cancelled, "the snapshot of " + printable(path) + " was ended");
  // An end without a word: it failed, and the sooner the run knows the sooner its containers are up.
  while (!one.ended) co_await one.changed.wait();
  if (one.failure) std::rethrow_exception(one.failure);
}

Task<Snapshot> OpenSnapshots::saved(std::string path) {
  auto& one = sitting(path);
  while (!one.ended) co_await one.changed.wait();
  if (one.failure) std::rethrow_exception(one.failure);
  co_return one.snapshot;
}

Task<std::string> OpenSnapshots::give_up(std::string path) {
  auto& one = sitting(path);
  one.cancel.request(CancelGrade::abort_step);
  while (!one.ended) co_await one.changed.wait();
  auto id = one.snapshot.id;
  sittings_.erase(path);
  co_return id;
}

Task<> OpenSnapshots::read_ahead(SnapshotRequest request, Milliseconds limit, Cancel cancel) {
  co_await places_.acquire();
  const auto path = request.source.path;
  auto owned = std::make_unique<Sitting>(executor_, cancel);
  auto& one = *owned;
  ahead_[path] = std::move(owned);
  request.gate = &one.gate;
  request.held_back = true;
  under_way_.spawn(carry_out(one, std::move(request)));
  const bool here = co_await one.gate.arrived(limit);
  bool all_read = false;
  if (here) {
    one.gate.open();
    all_read = co_await one.gate.all_read();
  }
  if (!all_read) drop_ahead(path);
}

void OpenSnapshots::dismiss(std::unique_ptr<Sitting> sitting) {
  sitting->cancel.request(CancelGrade::abort_step);
  dismissed_.push_back(std::move(sitting));
}

void OpenSnapshots::drop_ahead(const std::string& path) {
  const auto found = ahead_.find(path);
  if (found == ahead_.end()) return;
  auto one = std::move(found->second);
  ahead_.erase(found);
  dismiss(std::move(one));
}

void OpenSnapshots::keep_ahead(const std::string& path) {
  const auto found = ahead_.find(path);
  if (found == ahead_.end()) throw Error(ErrorKind::internal, "nothing of " + printable(path) + " was read ahead");
  auto one = std::move(found->second);
  ahead_.erase(found);
  one->gate.save();
  auto& place = sittings_[path];
  if (place) dismiss(std::move(place));
  place = std::move(one);
}

Task<> OpenSnapshots::close() {
  for (const auto* all : {&sittings_, &ahead_}) {
    for (const auto& [path, one] : *all) {
      if (!one->ended) one->cancel.request(CancelGrade::abort_step);
    }
  }
  co_await under_way_.join();
}

}  // namespace kopidocka
