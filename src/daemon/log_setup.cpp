#include "daemon/log_setup.hpp"

#include <spdlog/formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace kopidocka {
namespace {

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace: return "trace";
    case spdlog::level::debug: return "debug";
    case spdlog::level::warn: return "warning";
    case spdlog::level::err:
    case spdlog::level::critical: return "error";
    default: return "info";
  }
}

/// One line a message: control characters of names that slipped through cannot forge another one.
class LineFormatter : public spdlog::formatter {
 public:
  LineFormatter(LogFormat format, std::function<void(std::string_view)> counted) : format_(format), counted_(std::move(counted)) {}

  void format(const spdlog::details::log_msg& message, spdlog::memory_buf_t& out) override {
    const auto time = to_iso8601(message.time).substr(0, 19) + "Z";
    const auto level = level_name(message.level);
    const std::string text(message.payload.data(), message.payload.size());
    std::string line;
    if (format_ == LogFormat::json) {
      const nlohmann::json json = {{"time", time}, {"level", level}, {"message", text}};
      line = json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    } else {
      line = time + " " + std::string(level) + " " + printable(text, 16384);
    }
    line += '\n';
    out.append(line.data(), line.data() + line.size());
    if (counted_) counted_(level);
  }

  std::unique_ptr<spdlog::formatter> clone() const override { return std::make_unique<LineFormatter>(format_, counted_); }

 private:
  LogFormat format_;
  std::function<void(std::string_view)> counted_;
};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return spdlog::level::trace;
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warn: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void set_up_log(const Settings& settings, std::function<void(std::string_view)> counted) {
  auto logger = std::make_shared<spdlog::logger>("kopi-docka", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<LineFormatter>(settings.log_format, std::move(counted)));
  logger->set_level(spdlog_level(settings.log_level));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace kopidocka
