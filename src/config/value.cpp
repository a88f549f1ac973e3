#include "config/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <thread>

#include "base/text.hpp"
#include "schedule/schedule.hpp"

namespace kopidocka {
namespace {

Error wrong(const std::string& text, const std::string& expected) {
  return {ErrorKind::invalid, "'" + printable(text, 200) + "' is not right: expected " + expected};
}

bool only_letters_digits_and(std::string_view extra, const std::string& text) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           extra.find(c) != std::string_view::npos;
  });
}

template <class T, size_t N>
Result<T> choose(const std::string& text, const std::array<T, N>& values) {
  std::vector<std::string> names;
  for (const auto value : values) {
    if (to_string(value) == text) return value;
    names.emplace_back(to_string(value));
  }
  const auto meant = nearest(text, names);
  return wrong(text, "one of " + join(names, ", ") + (meant.empty() ? "" : " (did you mean " + meant + "?)"));
}

bool has_control_characters(const std::string& text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<unsigned> read_number(const std::string& text, unsigned least, unsigned most) {
  unsigned number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size() || number < least || number > most) {
    return wrong(text, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

}  // namespace

Result<std::string> read_repository_url(const std::string& text) {
  const auto scheme_end = text.find("://");
  if (scheme_end == std::string::npos || scheme_end == 0 || has_control_characters(text)) {
    return wrong(without_user_info(text), "a URL such as filesystem:///repository");
  }
  if (text.substr(0, scheme_end) == "filesystem" &&
      (text.size() <= scheme_end + 3 || text[scheme_end + 3] != '/')) {
    return wrong(text, "an absolute path, filesystem:///repository with three slashes");
  }
  const auto authority = text.substr(scheme_end + 3, text.find('/', scheme_end + 3) - scheme_end - 3);
  const auto at = authority.rfind('@');
  if (at != std::string::npos && authority.substr(0, at).find(':') != std::string::npos) {
    return Error{ErrorKind::invalid,
                 "the repository URL holds a password, which every process listing would show",
                 "take the part between ':' and '@' out of the URL"};
  }
  return text;
}

Result<std::string> read_docker_host(const std::string& text) {
  const bool unix_path = text.starts_with("unix:///") && text.size() > 8;
  const bool tcp = text.starts_with("tcp://") && text.size() > 6;
  if ((!unix_path && !tcp) || has_control_characters(text))
    return wrong(text, "unix:///path/to/docker.sock or tcp://host:port");
  return text;
}

Result<std::string> read_name(const std::string& text) {
  if (text.size() > 253 || text.starts_with('-') || !only_letters_digits_and("._-", text)) {
    return wrong(text, "letters, digits, '.', '_' and '-', at most 253");
  }
  return text;
}

Result<std::string> read_label_prefix(const std::string& text) {
  if (text.size() > 100 || text.starts_with('.') || text.ends_with('.') ||
      !only_letters_digits_and("._-/", text)) {
    return wrong(text, "a label name without the final dot, such as kopi-docka");
  }
  return text;
}

Result<std::string> read_time_zone(const std::string& text) {
  if (!Schedule::parse("@daily", text)) {
    return Error{ErrorKind::invalid, "'" + printable(text, 100) + "' is not a time zone known here",
                 "use an IANA name such as Europe/Berlin, and install tzdata"};
  }
  return text;
}

Result<std::string> read_schedule(const std::string& text) {
  const auto schedule = Schedule::parse(text, "UTC");
  if (!schedule) return schedule.error();
  return text;
}

Result<std::filesystem::path> read_absolute_path(const std::string& text) {
  const std::filesystem::path path(text);
  if (!path.is_absolute() || has_control_characters(text)) return wrong(text, "an absolute path");
  const auto normal = path.lexically_normal();
  return normal.has_filename() ? normal : normal.parent_path();
}

Result<bool> read_bool(const std::string& text) {
  const auto word = lower(text);
  if (word == "true" || word == "yes" || word == "1" || word == "on") return true;
  if (word == "false" || word == "no" || word == "0" || word == "off") return false;
  return wrong(text, "true or false");
}

Result<unsigned> read_workers(const std::string& text) {
  if (text == "auto") return std::clamp(std::thread::hardware_concurrency(), 1u, 4u);
  const auto number = read_number(text, 1, 64);
  if (!number) return wrong(text, "auto or a whole number from 1 to 64");
  return number;
}

Result<std::optional<unsigned>> read_gate_width(const std::string& text) {
  if (text == "auto") return std::optional<unsigned>();
  const auto number = read_number(text, 0, 64);
  if (!number) return wrong(text, "auto or a whole number from 0 to 64");
  return std::optional<unsigned>(*number);
}

Result<unsigned> read_count(const std::string& text) { return read_number(text, 1, 64); }

Result<Milliseconds> read_positive_duration(const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration) return duration.error();
  if (*duration <= Milliseconds::zero()) return wrong(text, "a duration longer than 0, such as 30s or 5m");
  return *duration;
}

Result<std::uint64_t> read_size(const std::string& text) {
  struct Suffix {
    std::string_view name;
    std::uint64_t factor;
  };
  static constexpr std::array<Suffix, 15> suffixes = {{{"", 1},
                                                       {"b", 1},
                                                       {"k", 1000},
                                                       {"kb", 1000},
                                                       {"kib", 1ull << 10},
                                                       {"m", 1000'000},
                                                       {"mb", 1000'000},
                                                       {"mib", 1ull << 20},
                                                       {"g", 1000'000'000},
                                                       {"gb", 1000'000'000},
                                                       {"gib", 1ull << 30},
                                                       {"t", 1000'000'000'000},
                                                       {"tb", 1000'000'000'000},
                                                       {"tib", 1ull << 40},
                                                       {"bytes", 1}}};
  std::uint64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto suffix = lower(trim(std::string_view(end, text.data() + text.size())));
  const auto found =
      std::find_if(suffixes.begin(), suffixes.end(), [&](const Suffix& s) { return s.name == suffix; });
  if (code != std::errc() || found == suffixes.end() ||
      number > std::numeric_limits<std::uint64_t>::max() / found->factor) {
    return wrong(text, "a size such as 500MB or 1GiB");
  }
  return number * found->factor;
}

Result<FreeSpaceFloor> read_free_space(const std::string& text) {
  FreeSpaceFloor floor;
  if (text.ends_with('%')) {
    const auto percent = read_number(text.substr(0, text.size() - 1), 0, 99);
    if (!percent) return wrong(text, "a share from 0% to 99%");
    floor.percent = *percent;
    return floor;
  }
  const auto bytes = read_size(text);
  if (!bytes) return wrong(text, "a size such as 1GiB, or a share such as 5%");
  floor.bytes = *bytes;
  return floor;
}

Result<EngineChoice> read_engine(const std::string& text) {
  return choose(text, std::array{EngineChoice::kopia, EngineChoice::restic});
}
Result<WatchMode> read_watch(const std::string& text) {
  return choose(text, std::array{WatchMode::labelled, WatchMode::all});
}
Result<LogLevel> read_log_level(const std::string& text) {
  return choose(
      text, std::array{LogLevel::trace, LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error});
}
Result<LogFormat> read_log_format(const std::string& text) {
  return choose(text, std::array{LogFormat::text, LogFormat::json});
}

Result<Secret> read_password(const std::string& text) {
  if (has_control_characters(text)) {
    return Error{ErrorKind::invalid, "the password holds a line break or another control character",
                 "use one line of printable characters"};
  }
  return Secret(text);
}

Result<Secret> read_webhook_url(const std::string& text) {
  if ((!text.starts_with("http://") && !text.starts_with("https://")) || has_control_characters(text) ||
      text.find(' ') != std::string::npos) {
    return Error{ErrorKind::invalid, "the value is not a web address", "write it as https://host/path"};
  }
  return Secret(text);
}

std::string without_user_info(const std::string& url) {
  const auto scheme_end = url.find("://");
  if (scheme_end == std::string::npos) return url;
  const auto start = scheme_end + 3;
  const auto at = url.substr(start, url.find('/', start) - start).rfind('@');
  if (at == std::string::npos) return url;
  return url.substr(0, start) + "***" + url.substr(start + at);
}

}  // namespace kopidocka
