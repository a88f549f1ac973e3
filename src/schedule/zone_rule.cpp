#include "schedule/zone_rule.hpp"

#include <algorithm>
#include <cctype>
#include <date/date.h>

namespace kopidocka {

/// Takes the parts of a rule off the front of the text; after the first that does not fit `ok` stays false.
struct ZoneRule::Reader {
  std::string_view rest;
  bool ok = true;

  bool skip(char letter) {
    if (rest.empty() || rest.front() != letter) return false;
    rest.remove_prefix(1);
    return true;
  }

  void expect(char letter) { ok = skip(letter) && ok; }

  std::string name() {
    const bool quoted = skip('<');
    size_t length = 0;
    const auto belongs = [&](char letter) {
      return quoted ? letter != '>' : std::isalpha(static_cast<unsigned char>(letter)) != 0;
    };
    while (length < rest.size() && belongs(rest[length])) ++length;
    std::string name(rest.substr(0, length));
    rest.remove_prefix(length);
    if (quoted) expect('>');
    ok = ok && length >= 3;
    return name;
  }

  unsigned number(unsigned low, unsigned high) {
    unsigned value = 0;
    size_t digits = 0;
    for (; digits < rest.size() && digits < 3 && std::isdigit(static_cast<unsigned char>(rest[digits]));
         ++digits) {
      value = value * 10 + static_cast<unsigned>(rest[digits] - '0');
    }
    rest.remove_prefix(digits);
    ok = ok && digits > 0 && value >= low && value <= high;
    return value;
  }

  /// [+-]h[:m[:s]], up to a week as RFC 8536 allows
  Seconds time() {
    const bool negative = skip('-');
    if (!negative) skip('+');
    Seconds time = std::chrono::hours(number(0, 167));
    if (skip(':')) time += std::chrono::minutes(number(0, 59));
    if (skip(':')) time += Seconds(number(0, 59));
    return negative ? -time : time;
  }

  Change change() {
    Change change;
    expect(',');
    expect('M');
    change.month = number(1, 12);
    expect('.');
    change.week = number(1, 5);
    expect('.');
    change.weekday = number(0, 6);
    if (skip('/')) change.time = time();
    return change;
  }
};

std::optional<ZoneRule> ZoneRule::parse(std::string_view line) {
  Reader reader{line};
  ZoneRule rule;
  rule.standard_.abbreviation = reader.name();
  rule.standard_.offset = -reader.time();  // POSIX counts westwards
  if (reader.ok && !reader.rest.empty()) {
    Local summer{reader.name(), rule.standard_.offset + std::chrono::hours(1)};
    if (!reader.rest.empty() && reader.rest.front() != ',') summer.offset = -reader.time();
    rule.begin_ = reader.change();
    rule.end_ = reader.change();
    rule.summer_ = summer;
  }
  return reader.ok && reader.rest.empty() ? std::optional(rule) : std::nullopt;
}

UtcSeconds ZoneRule::in_year(const Change& change, int year, Seconds offset_before) {
  const auto month = date::year(year) / date::month(change.month);
  const date::weekday weekday(change.weekday);
  const auto day = change.week == 5 ? date::sys_days(month / weekday[date::last])
                                    : date::sys_days(month / weekday[change.week]);
  return UtcSeconds(day) + change.time - offset_before;
}

Zone::Span ZoneRule::at(UtcSeconds time) const {
  const auto* now = &standard_;
  Zone::Span span{UtcSeconds::min(), UtcSeconds::max(), Seconds(0), {}};
  if (summer_) {
    const auto this_year = static_cast<int>(date::year_month_day(date::floor<date::days>(time)).year());
    // A year before and after, because the change may be in the other half of the world's year.
    for (int year = this_year - 1; year <= this_year + 1; ++year) {
      for (const bool to_summer : {true, false}) {
        const auto change =
            to_summer ? in_year(begin_, year, standard_.offset) : in_year(end_, year, summer_->offset);
        if (change > time) {
          span.end = std::min(span.end, change);
        } else if (change > span.begin) {
          span.begin = change;
          now = to_summer ? &*summer_ : &standard_;
        }
      }
    }
  }
  span.offset = now->offset;
  span.abbreviation = now->abbreviation;
  return span;
}

}  // namespace kopidocka
