#include "notify/webhook.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "notify/http.hpp"

namespace kopidocka {
namespace {

std::string sentence(const RunReport& report) {
  std::string text = std::string(to_string(report.kind)) + " of " + report.unit + ": " +
                     std::string(to_string(report.result));
  if (!report.reason.empty()) text += " (" + report.reason + ")";
  if (!report.consistency.empty() && report.consistency != "stop") text += ", consistency " + report.consistency;
  if (!report.problems.empty()) text += ": " + report.problems.front();
  return text;
}

std::string message_of(const RunReport& report) {
  const nlohmann::json message = {{"text", sentence(report)}, {"report", to_json(report)}};
  return message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

bool worth_another_try(long status) { return status >= 500 || status == 429 || status == 408; }

}  // namespace

bool wants_message(NotifyLevel level, RunResult result) {
  return level == NotifyLevel::always || (level == NotifyLevel::failure && result != RunResult::success);
}

Webhook::Webhook(Secret url, LevelOf level_of, OnFailure on_failure, WebhookOptions options)
    : url_(std::move(url)),
      level_of_(std::move(level_of)),
      on_failure_(std::move(on_failure)),
      options_(options),
      thread_([this] { work(); }) {}

Webhook::~Webhook() {
  {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, options_.last_moment, [this] { return queue_.empty() && !busy_; });
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Webhook::on_run_event(const RunEvent& event) {
  if (event.kind == RunEvent::Kind::finished) tell(event.report);
}

void Webhook::tell(const RunReport& report) {
  if (!wants_message(level_of_(report.unit), report.result)) return;
  auto message = message_of(report);
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() >= options_.waiting) {
      ++counts_.dropped;
      return;
    }
    queue_.push_back(std::move(message));
  }
  changed_.notify_all();
}

Webhook::Counts Webhook::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void Webhook::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (stop_) return;
    const auto message = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    deliver(message);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void Webhook::deliver(const std::string& message) {
  std::string problem;
  for (unsigned number = 1; number <= options_.tries; ++number) {
    if (number > 1 && !pause_before_try(number)) break;
    const auto answer = http_post_json(url_.reveal(), message, options_.timeout, stop_);
    if (answer && answer->status >= 200 && answer->status < 300) {
      const std::lock_guard lock(mutex_);
      ++counts_.delivered;
      return;
    }
    problem = answer ? "HTTP status " + std::to_string(answer->status) : answer.error().text();
    if (answer && !worth_another_try(answer->status)) break;
    if (stop_) break;
  }
  {
    const std::lock_guard lock(mutex_);
    ++counts_.failed;
  }
  if (on_failure_) on_failure_("a message to the notify address was given up: " + problem);
}

bool Webhook::pause_before_try(unsigned number) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, options_.pause * (1u << (number - 2)), [this] { return stop_.load(); });
  return !stop_;
}

}  // namespace kopidocka
