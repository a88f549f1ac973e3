#include "schedule/cron.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <date/date.h>
#include <string>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kShown = 60;  ///< how much of the user's text an error repeats
constexpr int kMinutesPerDay = 1440;

struct Field {
  std::string_view name;
  int low;
  int high;
  std::string_view allowed;
  std::vector<std::string_view> words;  ///< words[i] means low + i
};

const std::array<Field, 5>& fields() {
  static const std::array<Field, 5> kFields = {{
      {"minute", 0, 59, "0-59", {}},
      {"hour", 0, 23, "0-23", {}},
      {"day-of-month", 1, 31, "1-31", {}},
      {"month",
       1,
       12,
       "1-12 or JAN-DEC",
       {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
      {"day-of-week",
       0,
       7,
       "0-7 (0 and 7 are Sunday) or SUN-SAT",
       {"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
  }};
  return kFields;
}

std::string in_quotes(std::string_view text) { return "'" + printable(text, kShown) + "'"; }

Error wrong(const Field& field, std::string_view item, const std::string& why) {
  return {ErrorKind::invalid, "field " + std::string(field.name) + ": " + in_quotes(item) + " " + why,
          "allowed are " + std::string(field.allowed) +
              ", lists (1,3), ranges (1-5), steps (*/2, 5-59/10) and *"};
}

std::optional<int> number(std::string_view text) {
  if (text.empty() || text.size() > 4) return std::nullopt;
  int value = 0;
  for (const char digit : text) {
    if (digit < '0' || digit > '9') return std::nullopt;
    value = value * 10 + (digit - '0');
  }
  return value;
}

std::optional<int> value_of(const Field& field, std::string_view text) {
  const auto word = std::find(field.words.begin(), field.words.end(), lower(text));
  if (word != field.words.end()) return field.low + static_cast<int>(word - field.words.begin());
  const auto value = number(text);
  return value && *value >= field.low && *value <= field.high ? value : std::nullopt;
}

struct Range {
  int first, last;
};

Result<Range> parse_range(const Field& field, std::string_view item, std::string_view text) {
  if (text == "*") return Range{field.low, field.name == "day-of-week" ? 6 : field.high};
  const auto dash = text.find('-');
  const auto first = value_of(field, text.substr(0, dash));
  if (!first) return wrong(field, item, "is not " + std::string(field.allowed));
  if (dash == std::string_view::npos) return Range{*first, *first};
  auto last = value_of(field, text.substr(dash + 1));
  if (!last) return wrong(field, item, "does not end with " + std::string(field.allowed));
  if (*last == 0 && *first > 0 && field.high == 7) last = 7;
  if (*last < *first)
    return wrong(field, item, "ends before it begins; write two ranges separated by a comma");
  return Range{*first, *last};
}

Result<int> parse_step(const Field& field, std::string_view item, std::string_view text, const Range& range) {
  const auto step = number(text);
  const int most = range.last - range.first + 1;
  if (!step || *step == 0) return wrong(field, item, "has no step of 1 or more after '/'");
  if (*step > most)
    return wrong(field, item,
                 "has a step larger than " + std::to_string(most) + ", the values it steps over");
  return *step;
}

/// Sets the values of one list item ("*/15", "MON-FRI", "7") in `bits`, counted from 0.
template <size_t Size>
std::optional<Error> parse_item(const Field& field, std::string_view item, std::bitset<Size>& bits) {
  if (item.empty()) return wrong(field, item, "is empty");
  const auto slash = item.find('/');
  const auto base = item.substr(0, slash);
  const auto range = parse_range(field, item, base);
  if (!range) return range.error();
  int step = 1;
  if (slash != std::string_view::npos) {
    if (base != "*" && base.find('-') == std::string_view::npos) {
      return wrong(field, item,
                   "has a step without a range; write " + std::string(base) + "-" +
                       std::to_string(field.high) + printable(item.substr(slash, 5)));
    }
    const auto parsed = parse_step(field, item, item.substr(slash + 1), *range);
    if (!parsed) return parsed.error();
    step = *parsed;
  }
  for (int value = range->first; value <= range->last; value += step) {
    bits.set(static_cast<size_t>(value) % (field.high == 7 ? 7 : Size));
  }
  return std::nullopt;
}

template <size_t Size>
std::optional<Error> parse_field(const Field& field, std::string_view text, std::bitset<Size>& bits) {
  for (const auto& item : split(text, ',')) {
    if (auto error = parse_item(field, item, bits)) return error;
  }
  return std::nullopt;
}

std::string_view expand(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNames = {{
      {"@hourly", "0 * * * *"},
      {"@daily", "0 0 * * *"},
      {"@midnight", "0 0 * * *"},
      {"@weekly", "0 0 * * 0"},
      {"@monthly", "0 0 1 * *"},
      {"@yearly", "0 0 1 1 *"},
      {"@annually", "0 0 1 1 *"},
  }};
  for (const auto& [known, expression] : kNames) {
    if (name == known) return expression;
  }
  return {};
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char letter : text) {
    if (letter != ' ' && letter != '\t') {
      word += letter;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

Error wrong_count(std::string_view expression, size_t count) {
  return {ErrorKind::invalid,
          in_quotes(expression) + " has " + std::to_string(count) + (count == 1 ? " field" : " fields") +
              " instead of 5",
          "write minute hour day-of-month month day-of-week, like '0 3 * * *' for every day at 03:00"};
}

Error unknown_name(std::string_view name) {
  static const std::vector<std::string> kKnown = {"@hourly",  "@daily",  "@midnight", "@weekly",
                                                  "@monthly", "@yearly", "@annually", "@every"};
  const auto near = name.size() > 20 ? std::string() : nearest(name, kKnown);
  return {
      ErrorKind::invalid, in_quotes(name) + " is not a known name",
      (near.empty() ? "" : "did you mean " + near + "? ") + std::string("known are ") + join(kKnown, ", ")};
}

/// Whether one of the chosen days exists in one of the chosen months in some year.
bool date_exists(const Cron& cron) {
  static constexpr std::array<size_t, 13> kLength = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  for (size_t month = 1; month <= 12; ++month) {
    for (size_t day = 1; cron.months[month] && day <= kLength[month]; ++day) {
      if (cron.days[day]) return true;
    }
  }
  return false;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view expression) {
  auto parts = words_of(expression);
  if (!parts.empty() && parts[0][0] == '@') {
    const auto expanded = parts.size() == 1 ? expand(parts[0]) : std::string_view();
    if (expanded.empty()) return unknown_name(join(parts, " "));
    parts = words_of(expanded);
  }
  if (parts.size() != 5) return wrong_count(expression, parts.size());
  Cron cron;
  auto error = parse_field(fields()[0], parts[0], cron.minutes);
  if (!error) error = parse_field(fields()[1], parts[1], cron.hours);
  if (!error) error = parse_field(fields()[2], parts[2], cron.days);
  if (!error) error = parse_field(fields()[3], parts[3], cron.months);
  if (!error) error = parse_field(fields()[4], parts[4], cron.weekdays);
  if (error) return *error;
  const auto starred = [&](size_t field) { return parts[field][0] == '*'; };
  cron.either_day = !starred(2) && !starred(4);
  cron.follows_real_time = starred(0) || starred(1);
  if (!cron.either_day && !date_exists(cron)) {
    return Error(
        ErrorKind::invalid,
        "field day-of-month: day " + in_quotes(parts[2]) + " never comes in month " + in_quotes(parts[3]),
        "choose a day that exists, for the last day of every month write 28-31 or 1 (the day after)");
  }
  return cron;
}

bool Cron::matches_day(unsigned day, unsigned month, std::int64_t days_since_epoch) const {
  if (!months[month]) return false;
  const auto weekday =
      static_cast<size_t>(((days_since_epoch + 4) % 7 + 7) % 7);  // 1970-01-01 was a Thursday
  return either_day ? days[day] || weekdays[weekday] : days[day] && weekdays[weekday];
}

std::optional<int> Cron::first_in_day(int minute_of_day) const {
  auto minute = static_cast<size_t>(minute_of_day % 60);
  for (auto hour = static_cast<size_t>(minute_of_day / 60); hour < 24; ++hour, minute = 0) {
    if (!hours[hour]) continue;
    for (; minute < 60; ++minute) {
      if (minutes[minute]) return static_cast<int>(hour * 60 + minute);
    }
  }
  return std::nullopt;
}

std::optional<LocalMinute> Cron::first_match(LocalMinute first, LocalMinute last) const {
  using date::days;
  auto day = date::floor<days>(std::chrono::minutes(first));
  auto minute = static_cast<int>(first - LocalMinute{day.count()} * kMinutesPerDay);
  while (LocalMinute{day.count()} * kMinutesPerDay <= last) {
    const date::year_month_day ymd{date::sys_days(day)};
    const auto month = static_cast<unsigned>(ymd.month());
    if (!months[month]) {
      day = date::sys_days((ymd.year() / ymd.month() + date::months(1)) / 1).time_since_epoch();
      minute = 0;
      continue;
    }
    if (matches_day(static_cast<unsigned>(ymd.day()), month, day.count())) {
      if (const auto found = first_in_day(minute)) {
        const auto match = LocalMinute{day.count()} * kMinutesPerDay + *found;
        return match <= last ? std::optional(match) : std::nullopt;
      }
    }
    day += days(1);
    minute = 0;
  }
  return std::nullopt;
}

}  // namespace kopidocka
