#include "config/setting_table.hpp"

#include <algorithm>
#include <array>

#include "config/value.hpp"

namespace kopidocka {
namespace {

template <class T>
std::function<Result<void>(Settings&, const std::string&)> into(T Settings::*member,
                                                                Result<T> (*read)(const std::string&)) {
  return [member, read](Settings& settings, const std::string& text) -> Result<void> {
    auto value = read(text);
    if (!value) return value.error();
    settings.*member = std::move(*value);
    return {};
  };
}

Result<ListenAddress> read_listen(const std::string& text) { return parse_listen_address(text); }

std::vector<SettingRow> repository_rows() {
  return {
      {.name = "KOPI_DOCKA_REPOSITORY",
       .type = "URL",
       .fallback = "filesystem:///var/lib/kopi-docka/repository",
       .container_fallback = "filesystem:///repository",
       .example = "filesystem:///mnt/backup/repository",
       .text = "Where the backups are kept. Only the default place is created by itself; any other by "
               "`kopi-docka repository init`.",
       .assign = into(&Settings::repository, read_repository_url)},
      {.name = "KOPI_DOCKA_PASSWORD",
       .type = "text",
       .text = "Password of the repository. When it is not set, one is generated at first start and kept in "
               "the state folder.",
       .secret = true,
       .assign = into(&Settings::password, read_password)},
      {.name = "KOPI_DOCKA_ENGINE",
       .type = "kopia, restic",
       .fallback = "kopia",
       .example = "restic",
       .text = "The program that stores the data.",
       .assign = into(&Settings::engine, read_engine)},
      {.name = "KOPI_DOCKA_HOSTNAME",
       .type = "name",
       .example = "shop-server",
       .text = "Identity of this host in the repository. Default: the Docker Engine's own name in lower "
               "case, pinned in the "
               "state folder at first start, so that a re-created container keeps its history.",
       .assign = into(&Settings::hostname, read_name)},
      {.name = "KOPI_DOCKA_MIN_FREE",
       .type = "size or share",
       .fallback = "1GiB",
       .example = "5%",
       .text = "Free space wanted in the repository (when it is a local folder) before a run; below it the "
               "run is skipped.",
       .assign = into(&Settings::min_free, read_free_space)},
  };
}

std::vector<SettingRow> place_rows() {
  return {
      {.name = "KOPI_DOCKA_STATE_DIR",
       .type = "path",
       .fallback = "/var/lib/kopi-docka",
       .text = "Journal, reports, identity, generated password and control socket. In a container it must be "
               "a mount.",
       .assign = into(&Settings::state_dir, read_absolute_path)},
      {.name = "KOPI_DOCKA_CACHE_DIR",
       .type = "path",
       .fallback = "/var/cache/kopi-docka",
       .text = "The engine's cache; may be lost at any time.",
       .assign = into(&Settings::cache_dir, read_absolute_path)},
      {.name = "KOPI_DOCKA_HOOKS_DIR",
       .type = "path",
       .fallback = "/etc/kopi-docka/hooks",
       .text =
           "Folder with the hook scripts of this installation; labels can name a file in it, never a path.",
       .assign = into(&Settings::hooks_dir, read_absolute_path)},
      {.name = "DOCKER_HOST",
       .type = "URL",
       .fallback = "unix:///var/run/docker.sock",
       .example = "tcp://docker-proxy:2375",
       .text = "Where the Docker Engine answers: a unix socket or tcp without TLS.",
       .assign = into(&Settings::docker_host, read_docker_host)},
  };
}

std::vector<SettingRow> unit_rows() {
  return {
      {.name = "KOPI_DOCKA_WATCH",
       .type = "labelled, all",
       .fallback = "labelled",
       .example = "all",
       .text = "Which stacks are backed up: those that opt in by a label, or all that do not opt out.",
       .assign = into(&Settings::watch, read_watch)},
      {.name = "KOPI_DOCKA_INSTANCE",
       .type = "name",
       .example = "site-a",
       .text = "Name of this installation; a unit whose `instance` label names another one is left alone.",
       .assign = into(&Settings::instance, read_name)},
      {.name = "KOPI_DOCKA_LABEL_PREFIX",
       .type = "label name",
       .fallback = "kopi-docka",
       .example = "org.example.backup",
       .text = "What our labels begin with, without the final dot.",
       .assign = into(&Settings::label_prefix, read_label_prefix)},
      {.name = "KOPI_DOCKA_SCHEDULE",
       .type = "cron",
       .example = "0 3 * * *",
       .text = "Schedule of units that have no `schedule` label. Default: such units run only on request.",
       .assign = into(&Settings::schedule, read_schedule)},
      {.name = "TZ",
       .type = "time zone",
       .fallback = "UTC",
       .example = "Europe/Berlin",
       .text = "Zone of schedules without a `timezone` label, and of the next run that is shown; other times are UTC.",
       .assign = into(&Settings::time_zone, read_time_zone)},
      {.name = "KOPI_DOCKA_RECIPE_ENVIRONMENT",
       .type = "true, false",
       .fallback = "true",
       .example = "false",
       .text = "Whether the encrypted recipe holds the containers' full environment, which a restore on a "
               "new machine needs.",
       .assign = into(&Settings::recipe_environment, read_bool)},
  };
}

std::vector<SettingRow> limit_rows() {
  return {
      {.name = "KOPI_DOCKA_WORKERS",
       .type = "number",
       .fallback = "auto",
       .example = "2",
       .text = "Sources of one unit read at the same time. `auto` is the number of cores, at most 4.",
       .assign = into(&Settings::workers, read_workers)},
      {.name = "KOPI_DOCKA_GATE_WIDTH",
       .type = "number",
       .fallback = "auto",
       .example = "4",
       .text = "Kopia processes of one run that open the repository before the containers stop, about 120 MiB each; sources "
               "beyond that number are opened while they are down. `auto` goes by the memory limit; `0` does without, and "
               "containers then wait for opening and saving too.",
       .assign = into(&Settings::gate_width, read_gate_width)},
      {.name = "KOPI_DOCKA_PARALLEL_RUNS",
       .type = "number",
       .fallback = "2",
       .example = "1",
       .text = "Units backed up at the same time.",
       .assign = into(&Settings::parallel_runs, read_count)},
      {.name = "KOPI_DOCKA_RECONCILE_INTERVAL",
       .type = "duration",
       .fallback = "5m",
       .text = "How often the list of containers is read in full, beside the events.",
       .assign = into(&Settings::reconcile_interval, read_positive_duration)},
      {.name = "KOPI_DOCKA_DOCKER_TIMEOUT",
       .type = "duration",
       .fallback = "30s",
       .text = "Longest wait for one answer of the Docker Engine; a stop may take its own grace time on top.",
       .assign = into(&Settings::docker_timeout, read_positive_duration)},
      {.name = "KOPI_DOCKA_ENGINE_TIMEOUT",
       .type = "duration",
       .fallback = "60s",
       .text = "Longest wait for a short engine call (connect, list, tag).",
       .assign = into(&Settings::engine_timeout, read_positive_duration)},
      {.name = "KOPI_DOCKA_SNAPSHOT_TIMEOUT",
       .type = "duration",
       .fallback = "12h",
       .text = "Longest time one source may take to be read or restored.",
       .assign = into(&Settings::snapshot_timeout, read_positive_duration)},
      {.name = "KOPI_DOCKA_STOP_TIMEOUT",
       .type = "duration",
       .fallback = "30s",
       .text = "Grace time of a container that sets neither its own nor a `stop-timeout` label.",
       .assign = into(&Settings::stop_timeout, read_positive_duration)},
  };
}

std::vector<SettingRow> outside_rows() {
  return {
      {.name = "KOPI_DOCKA_LISTEN",
       .type = "address",
       .fallback = "127.0.0.1:9464",
       .container_fallback = ":9464",
       .example = "off",
       .text = "Where metrics and health are served.",
       .assign = into(&Settings::listen, read_listen)},
      {.name = "KOPI_DOCKA_LOG_LEVEL",
       .type = "trace, debug, info, warn, error",
       .fallback = "info",
       .example = "debug",
       .text = "The least important message that is still logged.",
       .assign = into(&Settings::log_level, read_log_level)},
      {.name = "KOPI_DOCKA_LOG_FORMAT",
       .type = "text, json",
       .fallback = "text",
       .example = "json",
       .text = "One line of text or one JSON object per message.",
       .assign = into(&Settings::log_format, read_log_format)},
      {.name = "KOPI_DOCKA_NOTIFY_URL",
       .type = "URL",
       .text = "Web address that gets every report a unit's `notify` label asks for, as a JSON POST.",
       .secret = true,
       .assign = into(&Settings::notify_url, read_webhook_url)},
  };
}

}  // namespace

const std::vector<SettingRow>& setting_table() {
  static const std::vector<SettingRow> table = [] {
    std::vector<SettingRow> rows;
    for (auto&& part : {repository_rows(), place_rows(), unit_rows(), limit_rows(), outside_rows()}) {
      rows.insert(rows.end(), part.begin(), part.end());
    }
    return rows;
  }();
  return table;
}

bool is_reserved_name(std::string_view name) {
  static constexpr std::array given_to_hooks = {"KOPI_DOCKA_HOOK_TYPE", "KOPI_DOCKA_HOOK_NAME",
                                                "KOPI_DOCKA_UNIT_NAME", "KOPI_DOCKA_BACKUP_ID",
                                                "KOPI_DOCKA_RESULT",    "KOPI_DOCKA_DOWNTIME_SECONDS"};
  // Read by scripts/ and by the files in compose/ from the caller's shell, which may run the program as well.
  static constexpr std::array given_to_scripts = {"KOPI_DOCKA_IMAGE",        "KOPI_DOCKA_BASE_IMAGE",
                                                  "KOPI_DOCKA_KOPIA_IMAGE",  "KOPI_DOCKA_KEEP_IMAGES",
                                                  "KOPI_DOCKA_DEMO_FOLDER",  "KOPI_DOCKA_COMPOSE_FOLDER",
                                                  "KOPI_DOCKA_DOCKER_ROOT",  "KOPI_DOCKA_DOCKER_SOCKET",
                                                  "KOPI_DOCKA_PULL_SECONDS", "KOPI_DOCKA_VERBOSE"};
  return std::find(given_to_hooks.begin(), given_to_hooks.end(), name) != given_to_hooks.end() ||
         std::find(given_to_scripts.begin(), given_to_scripts.end(), name) != given_to_scripts.end() ||
         name.starts_with("KOPI_DOCKA_TEST_");
}

std::string default_repository(bool in_container) {
  for (const auto& row : setting_table()) {
    if (row.name == "KOPI_DOCKA_REPOSITORY") return std::string(row.fallback_for(in_container));
  }
  return {};
}

}  // namespace kopidocka
