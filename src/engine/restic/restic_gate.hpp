#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/task.hpp"

namespace kopidocka {

/// Restic forgets, tags and prunes only while nobody else uses the repository, and fails at once when somebody does. This
/// keeps the calls of one program apart: many may use the repository, or one alone. Whoever wants it alone gives way to
/// backups, those at work and for a while those announced, because containers are down while a backup waits.
class ResticGate {
 public:
  class Pass {
   public:
    Pass(ResticGate& gate, bool alone) : gate_(gate), alone_(alone) {}
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() { gate_.leave(alone_); }

   private:
    ResticGate& gate_;
    bool alone_;
  };

  /// Backups of these paths are about to begin.
  void announce(const std::vector<std::string>& paths);
  /// They are not: their run has come to its end.
  void retract(const std::vector<std::string>& paths);
  /// Called at once when backups are announced, until it is replaced: a long work alone can be given up for them.
  void on_announce(std::function<void()> give_way) { give_way_ = std::move(give_way); }

  /// A place among many; `path` is no longer announced. ErrorKind::busy when somebody was alone inside until the limit,
  /// cancelled when an abort was requested.
  Task<std::unique_ptr<Pass>> enter(std::string path, Milliseconds limit, Cancel cancel);
  /// The place alone; null when others were inside or announced until the limit. Without a limit, for what takes a moment,
  /// only those inside count.
  Task<std::unique_ptr<Pass>> enter_alone(Milliseconds limit, Cancel cancel);

 private:
  using Clock = std::chrono::steady_clock;

  Task<bool> wait(Clock::time_point until, Cancel cancel);
  bool expects_backups();
  void leave(bool alone);

  std::unique_ptr<Signal> left_;
  std::map<std::string, Clock::time_point> announced_;
  std::function<void()> give_way_;
  size_t inside_ = 0;
  bool alone_ = false;
};

}  // namespace kopidocka
