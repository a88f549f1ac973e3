#include "oracle.hpp"

#include <cstdlib>
#include <sstream>

namespace kopidocka::oracle {
namespace {

int value(std::string text) {
  static const std::string kNames =
      "JAN01FEB02MAR03APR04MAY05JUN06JUL07AUG08SEP09OCT10NOV11DEC12"
      "SUN00MON01TUE02WED03THU04FRI05SAT06";
  const auto at = text.size() == 3 ? kNames.find(text) : std::string::npos;
  return std::stoi(at == std::string::npos ? text : kNames.substr(at + 3, 2));
}

/// Whether one field of an expression holds `number`, by reading it anew.
bool holds(const std::string& field, int low, int high, int number) {
  std::istringstream items(field);
  for (std::string item; std::getline(items, item, ',');) {
    int step = 1, first = low, last = high;
    if (const auto slash = item.find('/'); slash != std::string::npos) {
      step = std::stoi(item.substr(slash + 1));
      item.resize(slash);
    }
    if (item != "*") {
      const auto dash = item.find('-');
      first = value(item.substr(0, dash));
      last = dash == std::string::npos ? first : value(item.substr(dash + 1));
    }
    for (int each = first; each <= last; each += step) {
      if (each == number) return true;
    }
  }
  return false;
}

}  // namespace

MinuteByMinute::MinuteByMinute(const std::vector<std::string>& expressions) : runs(expressions.size()) {
  for (size_t i = 0; i < expressions.size(); ++i) {
    const auto bit = std::uint32_t{1} << i;
    std::istringstream words(expressions[i]);
    std::array<std::string, 5> field;
    for (auto& word : field) words >> word;
    for (int m = 0; m < 60; ++m) minute_.at(m) |= holds(field[0], 0, 59, m) ? bit : 0;
    for (int h = 0; h < 24; ++h) hour_.at(h) |= holds(field[1], 0, 23, h) ? bit : 0;
    for (int d = 1; d < 32; ++d) day_.at(d) |= holds(field[2], 1, 31, d) ? bit : 0;
    for (int m = 1; m < 13; ++m) month_.at(m) |= holds(field[3], 1, 12, m) ? bit : 0;
    for (int d = 0; d < 7; ++d) {
      weekday_.at(d) |= holds(field[4], 0, 6, d) || (d == 0 && holds(field[4], 8, 8, 7)) ? bit : 0;
    }
    if (field[2][0] != '*' && field[4][0] != '*') either_ |= bit;
    if (field[0][0] == '*' || field[1][0] == '*') wild_ |= bit;
  }
}

std::uint32_t MinuteByMinute::jobs_at(const std::tm& local) const {
  const auto day = day_[local.tm_mday], weekday = weekday_[local.tm_wday];
  return minute_[local.tm_min] & hour_[local.tm_hour] & month_[local.tm_mon + 1] &
         ((day & weekday) | (either_ & (day | weekday)));
}

std::uint32_t MinuteByMinute::jobs_at(std::int64_t local_minute) const {
  const std::time_t seconds = local_minute * 60;
  std::tm calendar{};
  gmtime_r(&seconds, &calendar);
  return jobs_at(calendar);
}

/// What cronie does when it wakes at a new minute: compares the wall clock with the last minute it has dealt
/// with.
std::uint32_t MinuteByMinute::wake(std::int64_t local_minute, const std::tm& local) {
  const auto difference = local_minute - virtual_time_;
  if (difference == 1 || difference > 180 || difference < -180) {
    virtual_time_ = local_minute;
    return jobs_at(local);
  }
  if (difference <= 0) return jobs_at(local) & wild_;
  std::uint32_t jobs = difference <= 5 ? 0 : jobs_at(local) & wild_;
  while (virtual_time_ < local_minute) {
    const auto found = jobs_at(++virtual_time_);
    jobs |= difference <= 5 ? found : found & ~wild_;
  }
  return jobs;
}

void MinuteByMinute::sit(const std::string& zone, std::time_t begin, std::time_t end) {
  ::setenv("TZ", zone.c_str(), 1);
  ::tzset();
  std::tm local{};
  localtime_r(&begin, &local);
  auto offset = local.tm_gmtoff;
  virtual_time_ = (begin + offset) / 60 - 1;
  for (auto now = begin; now < end; now += 60) {
    localtime_r(&now, &local);
    if (local.tm_gmtoff != offset) changes.push_back(now);
    offset = local.tm_gmtoff;
    auto jobs = wake((now + offset) / 60, local);
    for (size_t i = 0; jobs != 0; ++i, jobs >>= 1) {
      if (jobs & 1) runs[i].push_back(now);
    }
  }
}

}  // namespace kopidocka::oracle
