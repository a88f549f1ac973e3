#include "schedule/zone.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include "schedule/zone_rule.hpp"

namespace kopidocka {
namespace {

UtcSeconds utc(const char* text) { return std::chrono::floor<Seconds>(from_iso8601(text)); }

TEST(Zone, KnowsWhatTheSystemKnows) {
  for (const auto* name :
       {"UTC", "Etc/UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "CET"}) {
    EXPECT_TRUE(zone_exists(name)) << name;
  }
}

TEST(Zone, RefusesEverythingElse) {
  for (const auto* name : {"", " ", "Mars/Olympus", "europe/berlin", "Europe", "/etc/passwd",
                           "../../../etc/passwd", "Europe/../Europe/Berlin", "zone.tab", "zonenow.tab",
                           "tzdata.zi", "leapseconds", "right/Europe/Berlin", "+02:00", "\xff\xfe"}) {
    EXPECT_FALSE(zone_exists(name)) << name;
  }
  EXPECT_FALSE(zone_exists(std::string("UTC\0", 4)));
  EXPECT_FALSE(zone_exists(std::string(100'000, 'E')));
}

TEST(Zone, NamesTheNearestZone) {
  const auto error = Zone::find("Europe/Berln").error();
  EXPECT_EQ(error.kind(), ErrorKind::invalid);
  EXPECT_EQ(error.message(), "time zone 'Europe/Berln' is not known");
  EXPECT_EQ(error.next_step(), "did you mean Europe/Berlin?");
  EXPECT_EQ(Zone::find("europe/berlin").error().next_step(), "did you mean Europe/Berlin?");
  EXPECT_EQ(Zone::find("berlin").error().next_step(), "did you mean Europe/Berlin?");
  EXPECT_EQ(Zone::find("utc").error().next_step(), "did you mean UTC?");
  EXPECT_EQ(Zone::find("xyzzy-plugh-nothing-like-it").error().next_step(),
            "write an IANA name like Europe/Berlin or UTC");
}

TEST(Zone, TellsOffsetAbbreviationAndWhenItEnds) {
  const auto zone = Zone::find("Europe/Berlin").value();
  const auto summer = zone.at(utc("2026-07-01T00:00:00Z"));
  EXPECT_EQ(summer.offset, Seconds(7200));
  EXPECT_EQ(summer.abbreviation, "CEST");
  EXPECT_EQ(summer.begin, utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(summer.end, utc("2026-10-25T01:00:00Z"));
}

TEST(Zone, AgreesWithTheCLibraryAlsoAfterTheLastListedChange) {
  for (const auto* name :
       {"America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu", "Europe/Dublin",
        "America/Nuuk", "America/Santiago", "Pacific/Chatham", "Africa/Cairo", "Antarctica/Troll",
        "Pacific/Easter", "Asia/Jerusalem", "Africa/Casablanca"}) {
    const auto zone = Zone::find(name).value();
    ::setenv("TZ", name, 1);
    ::tzset();
    for (auto time = utc("2026-01-01T00:30:00Z"); time < utc("2060-01-01T00:00:00Z");
         time += std::chrono::hours(11)) {
      const auto seconds = std::chrono::system_clock::to_time_t(time);
      std::tm local{};
      localtime_r(&seconds, &local);
      const auto span = zone.at(time);
      ASSERT_EQ(span.offset.count(), local.tm_gmtoff) << name << " at " << to_iso8601(time);
      ASSERT_EQ(span.abbreviation, local.tm_zone) << name << " at " << to_iso8601(time);
      ASSERT_LE(span.begin, time);
      ASSERT_GT(span.end, time);
    }
  }
}

TEST(ZoneRule, ReadsTheFormsThatZoneFilesUse) {
  for (const auto* line : {"UTC0", "<+0545>-5:45", "EST5EDT,M3.2.0,M11.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1",
                           "<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"}) {
    EXPECT_TRUE(ZoneRule::parse(line).has_value()) << line;
  }
}

TEST(ZoneRule, IgnoresWhatItCannotRead) {
  for (const auto* line :
       {"", "C", "CET", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M13.5.0,M10.5.0", "<+05", "1CET",
        "CET-1CEST,J60,J300", "CET-1 ", "CET-9999", "CET-1CEST,M3.5.0,M10.5.0/3x", "\xff\xff\xff-1"}) {
    EXPECT_FALSE(ZoneRule::parse(line).has_value()) << line;
  }
}

TEST(ZoneRule, CarriesAZoneWithoutListedChanges) {
  const auto rule = ZoneRule::parse("CET-1CEST,M3.5.0,M10.5.0/3").value();
  const auto summer = rule.at(utc("2026-07-01T00:00:00Z"));
  EXPECT_EQ(summer.offset, Seconds(7200));
  EXPECT_EQ(summer.begin, utc("2026-03-29T01:00:00Z"));
  EXPECT_EQ(summer.end, utc("2026-10-25T01:00:00Z"));
  const auto winter = rule.at(utc("2026-12-31T23:59:59Z"));
  EXPECT_EQ(winter.abbreviation, "CET");
  EXPECT_EQ(winter.end, utc("2027-03-28T01:00:00Z"));
}

}  // namespace
}  // namespace kopidocka
