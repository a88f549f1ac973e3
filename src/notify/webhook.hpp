#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "base/secret.hpp"
#include "labels/policy.hpp"
#include "run/event.hpp"

namespace kopidocka {

struct WebhookOptions {
  Milliseconds timeout{10'000};  ///< of one try
  unsigned tries = 3;
  Milliseconds pause{2'000};        ///< before the second try; doubled before each further one
  size_t waiting = 64;              ///< messages kept while one is being sent; more are dropped and counted
  Milliseconds last_moment{3'000};  ///< what the destructor grants to messages still waiting
};

/// Posts the report of a finished run as JSON to a web address: {"text": one sentence, "report": {...}}.
/// Works in a thread of its own; on_run_event only puts the message into a bounded queue and never fails.
class Webhook : public RunObserver {
 public:
  using LevelOf = std::function<NotifyLevel(const std::string& unit)>;
  /// Called in the webhook's thread after a message was given up; `problem` never names the address.
  using OnFailure = std::function<void(const std::string& problem)>;

  /// `level_of` is asked in the thread of the run.
  Webhook(Secret url, LevelOf level_of, OnFailure on_failure = {}, WebhookOptions options = {});
  ~Webhook() override;

  void on_run_event(const RunEvent& event) override;
  /// For runs that recovery reports.
  void tell(const RunReport& report);

  struct Counts {
    std::uint64_t delivered = 0, failed = 0, dropped = 0;
  };
  Counts counts() const;

 private:
  void work();
  void deliver(const std::string& message);
  bool pause_before_try(unsigned number);

  Secret url_;
  LevelOf level_of_;
  OnFailure on_failure_;
  WebhookOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> queue_;
  Counts counts_;
  bool busy_ = false;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

/// Whether a run with this result is worth a message.
bool wants_message(NotifyLevel level, RunResult result);

}  // namespace kopidocka
