#include "base/cancel.hpp"

#include <iterator>
#include <utility>

#include "base/error.hpp"

namespace kopidocka {

Cancel::Cancel() : state_(std::make_shared<State>()) {}

void Cancel::request(CancelGrade grade) {
  if (grade <= state_->grade) return;
  state_->grade = grade;
  if (grade != CancelGrade::abort_step) return;
  for (auto& action : state_->actions) {
    if (action) std::exchange(action, nullptr)();
  }
}

CancelGrade Cancel::grade() const { return state_->grade; }

void Cancel::throw_if_requested() const {
  if (requested()) throw Error(ErrorKind::cancelled, "asked to stop");
}

Cancel::Subscription Cancel::on_abort(std::function<void()> action) const {
  if (state_->grade == CancelGrade::abort_step) {
    action();
    return {};
  }
  state_->actions.push_back(std::move(action));
  return {state_, std::prev(state_->actions.end())};
}

}  // namespace kopidocka
