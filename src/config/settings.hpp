#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/duration.hpp"
#include "base/listen_address.hpp"
#include "base/secret.hpp"

namespace kopidocka {

enum class EngineChoice { kopia, restic };
enum class WatchMode { labelled, all };
enum class LogLevel { trace, debug, info, warn, error };
enum class LogFormat { text, json };

std::string_view to_string(EngineChoice engine);
std::string_view to_string(WatchMode mode);
std::string_view to_string(LogLevel level);
std::string_view to_string(LogFormat format);

/// Free space wanted on a file system before a run: bytes, or a share of its size.
struct FreeSpaceFloor {
  std::uint64_t bytes = 0;
  unsigned percent = 0;
  std::uint64_t required(std::uint64_t size) const { return percent > 0 ? size / 100 * percent : bytes; }
};

/// How the daemon was set up; a value, complete and checked. Every member belongs to one row of
/// setting_table().
struct Settings {
  std::string repository;
  Secret password;  ///< empty = generated into the state folder at first start
  EngineChoice engine = EngineChoice::kopia;
  std::filesystem::path state_dir;
  std::filesystem::path cache_dir;
  std::filesystem::path hooks_dir;
  std::string hostname;  ///< empty = the engine's own name, pinned in the state folder
  std::string instance;  ///< empty = owns units that name no instance
  ListenAddress listen;
  WatchMode watch = WatchMode::labelled;
  std::string label_prefix;  ///< without the final dot
  std::string schedule;      ///< for units without a schedule label; empty = none
  std::string time_zone;     ///< IANA name
  unsigned workers = 1;
  std::optional<unsigned> gate_width;  ///< nothing = as the memory allows
  unsigned parallel_runs = 2;
  FreeSpaceFloor min_free;
  bool recipe_environment = true;
  Milliseconds reconcile_interval{0};
  Milliseconds docker_timeout{0};
  Milliseconds engine_timeout{0};
  Milliseconds snapshot_timeout{0};
  Milliseconds stop_timeout{0};
  LogLevel log_level = LogLevel::info;
  LogFormat log_format = LogFormat::text;
  Secret notify_url;  ///< empty = no messages
  std::string docker_host;

  std::filesystem::path control_socket() const { return state_dir / "control.sock"; }
};

/// One setting as `kopi-docka config` shows it. `shown` never holds a secret.
struct SettingValue {
  std::string name;
  std::string shown;
  std::string source;  ///< "default", "environment", "file /path"
  std::string text;    ///< what it is for
};

using Environment = std::map<std::string, std::string>;

/// `settings` is there only when nothing is wrong; `problems` then is empty. `values` is there in any case,
/// for display.
struct LoadedSettings {
  std::optional<Settings> settings;
  std::vector<Error> problems;
  std::vector<std::string> warnings;
  std::vector<SettingValue> values;
};

/// The program's own environment as a value.
Environment process_environment();

/// Reads every setting from `environment` and from the file named by KOPI_DOCKA_CONFIG (default
/// /etc/kopi-docka/kopi-docka.conf, which may be absent). The environment wins over the file. Unknown names,
/// wrong values, a secret given twice and unreadable files are all collected. `in_container` chooses the
/// defaults. An empty value counts as not set, except for a secret, where it is an error.
LoadedSettings load_settings(const Environment& environment, bool in_container);

nlohmann::json settings_to_json(const std::vector<SettingValue>& values);

/// The repository that is created by itself.
std::string default_repository(bool in_container);

/// docs/settings.md.
std::string settings_markdown();

}  // namespace kopidocka
