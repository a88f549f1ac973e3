#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "control/target.hpp"
#include "daemon/coordinator.hpp"

namespace kopidocka {

/// Answers the verbs of the command line, whether they come through the control socket or from `--inline` in the same
/// process. Every answer is JSON; the command line makes tables of it.
class Service : public ControlTarget {
 public:
  /// `next_run` asks the scheduler, absent when there is none (`--inline`).
  Service(Coordinator& coordinator, std::function<std::optional<TimePoint>(const std::string& unit)> next_run);

  /// Whether the daemon is ready for use; not set with `--inline`. Until the daemon has paid the debts of cut-off runs
  /// only `health` and `doctor` are answered.
  std::function<bool()> ready;
  /// Called when a pause has begun or was ended; not set with `--inline`.
  std::function<void()> pauses_changed;

  Task<ControlReply> handle(ControlRequest request, ProgressSink progress, Cancel cancel) override;

 private:
  using Json = nlohmann::json;
  Task<ControlReply> list(const Json& args);
  Task<ControlReply> backup(const Json& args, ProgressSink progress, Cancel cancel);
  Task<ControlReply> snapshots(const Json& args);
  Task<ControlReply> files(const Json& args, Cancel cancel);
  Task<ControlReply> cancel_run(const Json& args);
  Task<ControlReply> pause(const Json& args);
  ControlReply resume(const Json& args);
  Json pauses_json() const;
  Task<ControlReply> pin(const Json& args, bool pinned, Cancel cancel);
  Task<ControlReply> remove_points(const Json& args, Cancel cancel);
  Task<ControlReply> cat(const Json& args, Cancel cancel);
  Task<ControlReply> restore(const Json& args, ProgressSink progress, Cancel cancel);
  Task<ControlReply> status();
  Task<ControlReply> history(const Json& args);
  Task<ControlReply> repository(const Json& args, Cancel cancel);
  Task<ControlReply> recover();
  Task<ControlReply> doctor(Cancel cancel);
  ControlReply health() const;
  void refuse_while_starting() const;

  Task<std::vector<std::string>> wanted_units(const Json& args);
  std::optional<TimePoint> next_run_of(const Unit& unit) const;

  Coordinator& coordinator_;
  std::function<std::optional<TimePoint>(const std::string&)> next_run_;
};

/// Turns what the runner tells into progress lines for one client.
class ProgressObserver : public RunObserver {
 public:
  explicit ProgressObserver(ProgressSink sink) : sink_(std::move(sink)) {}
  void on_run_event(const RunEvent& event) override;

 private:
  ProgressSink sink_;
};

}  // namespace kopidocka
