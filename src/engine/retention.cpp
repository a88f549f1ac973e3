#include "engine/retention.hpp"

#include <algorithm>
#include <map>
#include <array>
#include <chrono>
#include <set>

namespace kopidocka {
namespace {

using namespace std::chrono;

TimePoint calendar_ago(TimePoint from, int years_back, int months_back) {
  const auto day = floor<days>(from);
  const year_month_day date(day);
  const auto month = year_month(date.year(), date.month()) - years(years_back) - months(months_back);
  // Days a shorter month lacks run over into the next one.
  const auto moved = sys_days(month / 1) + (static_cast<unsigned>(date.day()) - 1) * days(1);
  return moved + (from - day);
}

int iso_week_id(sys_days day) {
  const auto monday = day - (weekday(day).iso_encoding() - 1) * days(1);
  const auto thursday_year = year_month_day(monday + days(3)).year();
  const auto week = (monday + days(3) - sys_days(thursday_year / 1 / 1)).count() / 7 + 1;
  return static_cast<int>(thursday_year) * 100 + static_cast<int>(week);
}

struct Rule {
  int keep;
  TimePoint cutoff;
  long (*bucket)(TimePoint);
  std::set<long> seen{};
};

long hour_of(TimePoint time) { return duration_cast<hours>(floor<hours>(time).time_since_epoch()).count(); }
long day_of(TimePoint time) { return floor<days>(time).time_since_epoch().count(); }
long week_of(TimePoint time) { return iso_week_id(floor<days>(time)); }
long month_of(TimePoint time) {
  const year_month_day date(floor<days>(time));
  return static_cast<int>(date.year()) * 100L + static_cast<long>(static_cast<unsigned>(date.month()));
}
long year_of(TimePoint time) { return static_cast<int>(year_month_day(floor<days>(time)).year()); }

std::vector<std::string> expired_of_one(std::vector<Snapshot> snapshots, const Retention& retention) {
  std::erase_if(snapshots, [](const auto& snapshot) { return !snapshot.usable(); });
  if (snapshots.empty() || retention == Retention{0, 0, 0, 0, 0, 0}) return {};
  std::sort(snapshots.begin(), snapshots.end(), [](const auto& a, const auto& b) { return a.start_time > b.start_time; });
  const auto newest = snapshots.front().start_time;
  std::array<Rule, 5> rules{{
      {retention.hourly, newest - hours(retention.hourly), hour_of},
      {retention.daily, newest - days(retention.daily), day_of},
      {retention.weekly, newest - days(7L * retention.weekly), week_of},
      {retention.monthly, calendar_ago(newest, 0, retention.monthly), month_of},
      {retention.annual, calendar_ago(newest, retention.annual, 0), year_of},
  }};
  std::vector<std::string> result;
  for (size_t i = 0; i < snapshots.size(); ++i) {
    const auto time = snapshots[i].start_time;
    bool kept = static_cast<long>(i) < retention.latest;
    for (auto& rule : rules) {
      if (time < rule.cutoff || static_cast<long>(rule.seen.size()) >= rule.keep) continue;
      kept = rule.seen.insert(rule.bucket(time)).second || kept;
    }
    if (!kept && !snapshots[i].pinned) result.push_back(snapshots[i].id);
  }
  return result;
}

}  // namespace

std::vector<std::string> expired_ids(std::vector<Snapshot> snapshots, const Retention& retention) {
  std::map<std::string, std::vector<Snapshot>> histories;
  for (auto& snapshot : snapshots) {
    const auto unit = snapshot.tags.find("unit");
    histories[unit == snapshot.tags.end() ? std::string() : unit->second].push_back(std::move(snapshot));
  }
  std::vector<std::string> gone;
  for (auto& [unit, history] : histories) {
    for (auto& id : expired_of_one(std::move(history), retention)) gone.push_back(std::move(id));
  }
  return gone;
}

}  // namespace kopidocka
