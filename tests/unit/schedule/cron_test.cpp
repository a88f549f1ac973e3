#include "schedule/cron.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kopidocka {
namespace {

using testing::HasSubstr;

Error refused(std::string_view expression) {
  const auto cron = Cron::parse(expression);
  EXPECT_FALSE(cron.has_value()) << expression;
  return cron.error();
}

template <size_t Size>
std::vector<int> values(const std::bitset<Size>& bits) {
  std::vector<int> set;
  for (size_t i = 0; i < Size; ++i) {
    if (bits[i]) set.push_back(static_cast<int>(i));
  }
  return set;
}

TEST(Cron, ReadsListsRangesStepsAndNames) {
  const auto cron = Cron::parse("5-59/10 0,6-8 1,15 jan-MAR,12 Mon-Fri").value();
  EXPECT_EQ(values(cron.minutes), (std::vector<int>{5, 15, 25, 35, 45, 55}));
  EXPECT_EQ(values(cron.hours), (std::vector<int>{0, 6, 7, 8}));
  EXPECT_EQ(values(cron.days), (std::vector<int>{1, 15}));
  EXPECT_EQ(values(cron.months), (std::vector<int>{1, 2, 3, 12}));
  EXPECT_EQ(values(cron.weekdays), (std::vector<int>{1, 2, 3, 4, 5}));
  EXPECT_TRUE(cron.either_day);
  EXPECT_FALSE(cron.follows_real_time);
}

TEST(Cron, TakesSevenForSunday) {
  EXPECT_EQ(values(Cron::parse("0 0 * * 7").value().weekdays), (std::vector<int>{0}));
  EXPECT_EQ(values(Cron::parse("0 0 * * 5-7").value().weekdays), (std::vector<int>{0, 5, 6}));
  EXPECT_EQ(values(Cron::parse("0 0 * * FRI-SUN").value().weekdays), (std::vector<int>{0, 5, 6}));
  EXPECT_EQ(values(Cron::parse("0 0 * * */2").value().weekdays), (std::vector<int>{0, 2, 4, 6}));
}

TEST(Cron, KnowsTheNamedSchedules) {
  for (const auto& [name, same] : {std::pair{"@hourly", "0 * * * *"},
                                   {"@daily", "0 0 * * *"},
                                   {"@midnight", "0 0 * * *"},
                                   {"@weekly", "0 0 * * 0"},
                                   {"@monthly", "0 0 1 * *"},
                                   {"@yearly", "0 0 1 1 *"},
                                   {"@annually", "0 0 1 1 *"}}) {
    const auto cron = Cron::parse(name).value(), expected = Cron::parse(same).value();
    EXPECT_EQ(cron.minutes, expected.minutes) << name;
    EXPECT_EQ(cron.hours, expected.hours) << name;
    EXPECT_EQ(cron.days, expected.days) << name;
    EXPECT_EQ(cron.months, expected.months) << name;
    EXPECT_EQ(cron.weekdays, expected.weekdays) << name;
  }
}

TEST(Cron, NamesTheFieldAndWhatIsAllowed) {
  EXPECT_EQ(refused("61 3 * * *").message(), "field minute: '61' is not 0-59");
  EXPECT_THAT(refused("61 3 * * *").next_step(), HasSubstr("allowed are 0-59, lists"));
  EXPECT_EQ(refused("0 24 * * *").message(), "field hour: '24' is not 0-23");
  EXPECT_EQ(refused("0 0 0 * *").message(), "field day-of-month: '0' is not 1-31");
  EXPECT_EQ(refused("0 0 * 13 *").message(), "field month: '13' is not 1-12 or JAN-DEC");
  EXPECT_EQ(refused("0 0 * * 8").message(),
            "field day-of-week: '8' is not 0-7 (0 and 7 are Sunday) or SUN-SAT");
  EXPECT_EQ(refused("0 0 * * MONDAY").message(),
            "field day-of-week: 'MONDAY' is not 0-7 (0 and 7 are Sunday) or SUN-SAT");
  EXPECT_EQ(refused("MON 0 * * *").message(), "field minute: 'MON' is not 0-59");
}

TEST(Cron, RefusesRangesAndStepsThatMeanSomethingElse) {
  EXPECT_THAT(refused("0 22-4 * * *").message(), HasSubstr("field hour: '22-4' ends before it begins"));
  EXPECT_THAT(refused("0 0 * * SAT-MON").message(), HasSubstr("ends before it begins"));
  EXPECT_THAT(refused("5/10 * * * *").message(), HasSubstr("write 5-59/10"));
  EXPECT_THAT(refused("5/\x1b[0m * * * *").message(), HasSubstr("write 5-59/\\x1b[0m"));
  EXPECT_THAT(refused("*/0 * * * *").message(), HasSubstr("has no step of 1 or more"));
  EXPECT_THAT(refused("*/ * * * *").message(), HasSubstr("has no step of 1 or more"));
  EXPECT_THAT(refused("*/90 * * * *").message(), HasSubstr("has a step larger than 60"));
  EXPECT_TRUE(Cron::parse("*/60 * * * *").has_value()) << "means what it seems to mean";
}

TEST(Cron, RefusesWhatIsNoFiveFields) {
  EXPECT_EQ(refused("0 3 * *").message(), "'0 3 * *' has 4 fields instead of 5");
  EXPECT_EQ(refused("0 0 3 * * *").message(), "'0 0 3 * * *' has 6 fields instead of 5");
  EXPECT_EQ(refused("").message(), "'' has 0 fields instead of 5");
  for (const auto* text :
       {"? * * * *",           "0 0 L * *",   "0 0 15W * *",   "0 0 * * 5#3",
        "- * * * *",           "1- * * * *",  "-1 * * * *",    "1,,2 * * * *",
        ",1 * * * *",          "1, * * * *",  "1-2-3 * * * *", "*/2/3 * * * *",
        "+1 * * * *",          "1.5 * * * *", "0x1 * * * *",   "99999999999999999999 * * * *",
        "** * * * *",          "*-5 * * * *", "/5 * * * *",    "1-5/5/5 * * * *",
        "\xef\xbc\x91 * * * *"}) {
    refused(text);
  }
}

TEST(Cron, SuggestsTheNearestName) {
  EXPECT_THAT(refused("@dayly").next_step(), HasSubstr("did you mean @daily?"));
  EXPECT_THAT(refused("@reboot").message(), HasSubstr("'@reboot' is not a known name"));
  EXPECT_THAT(refused("@daily @hourly").message(), HasSubstr("is not a known name"));
}

TEST(Cron, RefusesDatesThatNeverCome) {
  EXPECT_EQ(refused("0 0 31 2 *").message(), "field day-of-month: day '31' never comes in month '2'");
  for (const auto* text :
       {"0 0 30 2 *", "0 0 31 4 *", "0 0 31 APR,JUN,SEP,NOV *", "0 0 30,31 FEB *", "0 0 30-31 2 */2"}) {
    EXPECT_THAT(refused(text).message(), HasSubstr("never comes")) << text;
  }
  for (const auto* text : {"0 0 29 2 *", "0 0 31 2,3 *", "0 0 30 4 *", "0 0 31 2 MON"}) {
    EXPECT_TRUE(Cron::parse(text).has_value()) << text;
  }
}

TEST(Cron, LooksNoFurtherThanItIsTold) {
  const auto cron = Cron::parse("30 12 1 2 *").value();
  const LocalMinute match = 31 * 1440 + 12 * 60 + 30;  // 1970-02-01
  EXPECT_EQ(cron.first_match(0, match), match);
  EXPECT_EQ(cron.first_match(match, match), match);
  EXPECT_FALSE(cron.first_match(0, match - 1).has_value());
  EXPECT_FALSE(cron.first_match(match + 1, match + 300 * 1440).has_value());
  EXPECT_FALSE(cron.first_match(match, match - 1).has_value());
  EXPECT_EQ(cron.first_match(-365 * 1440, 0), match - 365 * 1440) << "before 1970 too";
}

}  // namespace
}  // namespace kopidocka
