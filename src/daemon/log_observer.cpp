#include "daemon/log_observer.hpp"

#include <spdlog/spdlog.h>

#include "base/duration.hpp"

#include "base/text.hpp"

namespace kopidocka {
namespace {

void log_finished(const RunReport& report) {
  const auto level = report.result == RunResult::success ? spdlog::level::info
                     : report.result == RunResult::failed ? spdlog::level::err
                                                          : spdlog::level::warn;
  const bool cold = report.consistency.empty() || report.consistency == "stop";
  spdlog::log(level, "unit {}: {} {}{}{} in {}, containers down for {}", printable(report.unit), to_string(report.kind),
              to_string(report.result), report.reason.empty() ? "" : " (" + report.reason + ")",
              cold ? "" : ", consistency " + printable(report.consistency) + ",",
              format_duration(Milliseconds(static_cast<std::int64_t>(report.duration_seconds * 1000))),
              format_duration(Milliseconds(static_cast<std::int64_t>(report.downtime_seconds * 1000))));
  for (const auto& problem : report.problems) spdlog::log(level, "unit {}: {}", printable(report.unit), printable(problem));
}

}  // namespace

void LogObserver::on_run_event(const RunEvent& event) {
  const auto unit = printable(event.report.unit);
  const bool pauses = event.report.consistency == "pause";
  switch (event.kind) {
    case RunEvent::Kind::started:
      spdlog::info("unit {}: {} {} begins ({})", unit, to_string(event.report.kind), event.report.backup_id, event.report.trigger);
      break;
    case RunEvent::Kind::step_finished:
      if (event.error.empty()) {
        spdlog::debug("unit {}: {} ({:.2f}s)", unit, printable(event.text), event.seconds);
      } else {
        spdlog::warn("unit {}: {}", unit, printable(event.error));
      }
      break;
    case RunEvent::Kind::member_stopped: spdlog::info("unit {}: {} {}", unit, pauses ? "paused" : "stopped", printable(event.text)); break;
    case RunEvent::Kind::member_started: spdlog::info("unit {}: {} {}", unit, pauses ? "unpaused" : "started", printable(event.text)); break;
    case RunEvent::Kind::finished: log_finished(event.report); break;
    case RunEvent::Kind::hook_ended:
    case RunEvent::Kind::phase:
    case RunEvent::Kind::step_started:
    case RunEvent::Kind::progress: break;
  }
}

}  // namespace kopidocka
