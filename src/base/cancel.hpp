#pragma once

#include <functional>
#include <list>
#include <memory>

namespace kopidocka {

/// How urgently a run was asked to stop. Cleanup (starting members, closing the journal) never looks at it.
enum class CancelGrade {
  none,
  finish_step,  ///< let the running step end, then clean up
  abort_step,   ///< end the running child process, then clean up
};

/// A request to stop, shared by whoever may ask and whoever must look. One thread; copies share the same request.
class Cancel {
 public:
  Cancel();

  void request(CancelGrade grade);
  CancelGrade grade() const;
  bool requested() const { return grade() != CancelGrade::none; }
  /// Throws ErrorKind::cancelled when a stop was requested.
  void throw_if_requested() const;

  /// Calls `action` once when abort_step is requested (at once when it was already); forgotten when the handle goes.
  class Subscription;
  [[nodiscard]] Subscription on_abort(std::function<void()> action) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

struct Cancel::State {
  CancelGrade grade = CancelGrade::none;
  std::list<std::function<void()>> actions;
};

class Cancel::Subscription {
 public:
  Subscription() = default;
  Subscription(std::shared_ptr<State> state, std::list<std::function<void()>>::iterator at) : state_(std::move(state)), at_(at) {}
  Subscription(Subscription&& other) noexcept : state_(std::move(other.state_)), at_(other.at_) { other.state_ = nullptr; }
  Subscription& operator=(Subscription&&) = delete;
  ~Subscription() {
    if (state_) state_->actions.erase(at_);
  }

 private:
  std::shared_ptr<State> state_;
  std::list<std::function<void()>>::iterator at_;
};

}  // namespace kopidocka
