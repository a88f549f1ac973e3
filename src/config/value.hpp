#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "config/settings.hpp"

namespace kopidocka {

// One function per type of value. Each refuses with ErrorKind::invalid and says what was expected.
Result<std::string> read_repository_url(const std::string& text);
Result<std::string> read_docker_host(const std::string& text);
Result<std::string> read_name(const std::string& text);
Result<std::string> read_label_prefix(const std::string& text);
Result<std::string> read_time_zone(const std::string& text);
Result<std::string> read_schedule(const std::string& text);
Result<std::filesystem::path> read_absolute_path(const std::string& text);
Result<bool> read_bool(const std::string& text);
Result<unsigned> read_workers(const std::string& text);
Result<std::optional<unsigned>> read_gate_width(const std::string& text);  ///< nothing for auto
Result<unsigned> read_count(const std::string& text);
Result<Milliseconds> read_positive_duration(const std::string& text);
Result<FreeSpaceFloor> read_free_space(const std::string& text);
Result<EngineChoice> read_engine(const std::string& text);
Result<WatchMode> read_watch(const std::string& text);
Result<LogLevel> read_log_level(const std::string& text);
Result<LogFormat> read_log_format(const std::string& text);
Result<Secret> read_password(const std::string& text);
Result<Secret> read_webhook_url(const std::string& text);

/// "1GiB", "500MB", "42" (bytes).
Result<std::uint64_t> read_size(const std::string& text);

/// A URL without what stands before '@' in its authority, for display.
std::string without_user_info(const std::string& url);

}  // namespace kopidocka
