#include "schedule/zone.hpp"

#include <date/tz.h>

#include <vector>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kLongestName = 64;

Error no_zone_data(const std::string& why) {
  return {ErrorKind::failed, "cannot read the time zone data: " + why, "install the package tzdata"};
}

Error unknown_zone(std::string_view name, const date::tzdb& data) {
  std::vector<std::string> known;
  for (const auto& zone : data.zones) known.push_back(zone.name());
  const auto near = name.size() > kLongestName ? std::string() : nearest(name, known);
  return {ErrorKind::invalid, "time zone '" + printable(name, kLongestName) + "' is not known",
          near.empty() ? "write an IANA name like Europe/Berlin or UTC" : "did you mean " + near + "?"};
}

const date::time_zone* find_data(std::string_view name, const date::tzdb& data) {
  for (const auto& zone : data.zones) {
    if (zone.name() == name) return &zone;
  }
  return nullptr;
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
    zone.name_ = name;
    zone.at(UtcSeconds{});  // the library reads the file at the first use: a damaged one must fail here
    return zone;
  } catch (const std::exception& error) {
    return no_zone_data(error.what());
  }
}

Zone::Span Zone::at(UtcSeconds time) const {
  if (data_ == nullptr) return {UtcSeconds::min(), UtcSeconds::max(), Seconds(0), "UTC"};
  const auto info = data_->get_info(time);
  return {info.begin, info.end, info.offset, info.abbrev};
}

bool zone_exists(std::string_view name) { return Zone::find(name).has_value(); }

}  // namespace kopidocka
