#include "config/settings.hpp"

#include <unistd.h>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "config/setting_table.hpp"

namespace kopidocka {

std::string_view to_string(EngineChoice engine) { return engine == EngineChoice::kopia ? "kopia" : "restic"; }
std::string_view to_string(WatchMode mode) { return mode == WatchMode::all ? "all" : "labelled"; }
std::string_view to_string(LogFormat format) { return format == LogFormat::json ? "json" : "text"; }

std::string_view to_string(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return "trace";
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warn:
      return "warn";
    case LogLevel::error:
      return "error";
  }
  return "info";
}

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

nlohmann::json settings_to_json(const std::vector<SettingValue>& values) {
  auto list = nlohmann::json::array();
  for (const auto& value : values) {
    list.push_back({{"name", value.name},
                    {"value", printable(value.shown)},
                    {"source", printable(value.source)},
                    {"text", value.text}});
  }
  return list;
}

std::string settings_markdown() {
  std::string text =
      "# Settings\n\nEvery setting is an environment variable; the same names may stand in a file, one `NAME "
      "= value` per line "
      "(`" +
      std::string(kDefaultConfigFile) + "`, or the file named by `" + std::string(kConfigFileSetting) +
      "`). The environment wins over the file. In the file a value is taken as it stands, "
      "backslashes included; spaces around it are dropped, and a line that begins with `#` or `!` is a comment. For a secret, `NAME_FILE` names a file that holds it.\n\n"
      "An unknown name or a wrong value stops the start, and all of them are reported at once. `kopi-docka "
      "config` shows every "
      "setting with its value and where it came from.\nThis page is generated from "
      "`src/config/setting_table.cpp`.\n\n"
      "| Setting | Values | Default | What it is for |\n|---|---|---|---|\n";
  for (const auto& row : setting_table()) {
    std::string fallback = row.fallback.empty() ? "-" : "`" + std::string(row.fallback) + "`";
    if (!row.container_fallback.empty())
      fallback += ", in a container `" + std::string(row.container_fallback) + "`";
    text += "| `" + std::string(row.name) + "`" +
            (row.secret ? ", `" + std::string(row.name) + "_FILE`" : "") + " | " + std::string(row.type) +
            (row.secret ? " (secret)" : "") + " | " + fallback + " | " + std::string(row.text) +
            (row.example.empty() ? "" : " Example: `" + std::string(row.example) + "`.") + " |\n";
  }
  return text;
}

}  // namespace kopidocka
