#include "schedule/zone.hpp"

#include <algorithm>
#include <date/tz.h>
#include <optional>
#include <vector>

#include "base/file.hpp"
#include "base/text.hpp"
#include "schedule/zone_rule.hpp"

namespace kopidocka {
namespace {

constexpr size_t kLongestName = 64;
constexpr size_t kLargestFile = 64 * 1024;
constexpr std::string_view kZoneFolder = "/usr/share/zoneinfo/";

Error no_zone_data(const std::string& why) {
  return {ErrorKind::failed, "cannot read the time zone data: " + why, "install the package tzdata"};
}

/// What the user may have meant: the right name in another case, a city without its continent, or a slip of
/// the hand.
std::string meant_zone(std::string_view name, const date::tzdb& data) {
  if (name.empty() || name.size() > kLongestName) return {};
  const auto wanted = lower(name);
  std::vector<std::string> known{"UTC"};
  for (const auto& zone : data.zones) known.push_back(zone.name());
  for (const auto& zone : known) {
    if (lower(zone) == wanted || lower(zone).ends_with("/" + wanted)) return zone;
  }
  return nearest(name, known);
}

Error unknown_zone(std::string_view name, const date::tzdb& data) {
  const auto meant = meant_zone(name, data);
  return {ErrorKind::invalid, "time zone '" + printable(name, kLongestName) + "' is not known",
          meant.empty() ? "write an IANA name like Europe/Berlin or UTC" : "did you mean " + meant + "?"};
}

const date::time_zone* find_data(std::string_view name, const date::tzdb& data) {
  const auto found = std::find_if(data.zones.begin(), data.zones.end(),
                                  [&](const date::time_zone& zone) { return zone.name() == name; });
  return found == data.zones.end() ? nullptr : &*found;
}

std::optional<ZoneRule> rule_of(std::string_view content) {
  if (!content.ends_with('\n')) return std::nullopt;
  content.remove_suffix(1);
  return ZoneRule::parse(content.substr(content.rfind('\n') + 1));
}

}  // namespace

Result<Zone> Zone::find(std::string_view name) {
  Zone zone;
  if (name == "UTC" || name == "Etc/UTC") {
    zone.name_ = name;
    return zone;
  }
  try {
    const auto& data = date::get_tzdb();
    zone.data_ = find_data(name, data);
    if (zone.data_ == nullptr) return unknown_zone(name, data);
    const auto content = read_file(std::string(kZoneFolder) + std::string(name), kLargestFile);
    if (!content) return Error(content.error());
    if (!content->starts_with("TZif")) return unknown_zone(name, data);
    if (auto rule = rule_of(*content)) zone.rule_ = std::make_shared<const ZoneRule>(std::move(*rule));
    zone.name_ = name;
    zone.at(UtcSeconds{});  // the library reads the file at the first use: a damaged one must fail here
    return zone;
  } catch (const std::exception& error) {
    return no_zone_data(error.what());
  }
}

Zone::Span Zone::at(UtcSeconds time) const {
  if (data_ == nullptr) return {UtcSeconds::min(), UtcSeconds::max(), Seconds(0), "UTC"};
  const auto listed = data_->get_info(time);
  static const date::sys_seconds kOpenEnd = date::sys_days(date::year::max() / date::December / 31);
  if (listed.end < kOpenEnd || rule_ == nullptr)
    return {listed.begin, listed.end, listed.offset, listed.abbrev};
  auto ruled = rule_->at(time);
  ruled.begin = std::max(ruled.begin, listed.begin);
  return ruled;
}

bool zone_exists(std::string_view name) { return Zone::find(name).has_value(); }

}  // namespace kopidocka
