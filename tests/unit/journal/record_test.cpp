#include "journal/record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>
#include <tuple>

namespace kopidocka {
namespace {

using ::testing::HasSubstr;
using Type = JournalRecord::Type;

const std::vector<Type> kAll = {Type::begin,   Type::hold,    Type::stopping, Type::stopped, Type::starting, Type::started, Type::disowned,
                                Type::staging, Type::swapping, Type::swapped,  Type::restored, Type::kept, Type::reported, Type::end};

TEST(JournalRecord, OfEveryTypeKeepsAllItSays) {
  for (const auto type : kAll) {
    JournalRecord record;
    record.type = type;
    record.time = from_iso8601("2026-11-22T03:00:00.123456+00:00");
    record.run = "run";
    record.unit = "unit \"with\" \\ odd \n name";
    record.kind = "backup";
    record.engine_id = "ABCD";
    record.trigger = "schedule";
    record.scope = "full";
    record.engine = "restic";
    record.container = "abc";
    record.note = "why";
    record.result = "partial";
    record.reason = "start";
    record.members = {{"id", "name", "2026-11-22T20:00:00.000000001Z", "shop", "db", 3, 90}, {"id2", "solo", "x", "", "", 1, 10}};
    record.data = HeldData{"/t", "rename", "/s", "/c", true};
    const auto line = to_line(record);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    const auto back = record_from_line(line);
    ASSERT_TRUE(back) << back.error().text();
    EXPECT_EQ(back->type, type);
    EXPECT_EQ(back->time, record.time);
    EXPECT_EQ(std::tie(back->run, back->unit, back->kind, back->engine_id, back->trigger, back->scope, back->engine, back->container, back->note),
              std::tie(record.run, record.unit, record.kind, record.engine_id, record.trigger, record.scope, record.engine, record.container,
                       record.note));
    EXPECT_EQ(back->result + back->reason, "partialstart");
    EXPECT_EQ(back->members, record.members);
    EXPECT_EQ(back->data, record.data);
  }
}

TEST(JournalRecord, NamesEveryTypeDifferently) {
  std::set<std::string_view> names;
  for (const auto type : kAll) names.insert(to_string(type));
  EXPECT_EQ(names.size(), kAll.size());
  EXPECT_FALSE(names.contains("unknown"));
}

TEST(JournalRecord, OfANewerFormatIsRefused) {
  for (const auto* version : {"2", "999", "4294967297", "9223372036854775807"}) {
    const auto read = record_from_line(std::string("{\"v\":") + version + R"(,"type":"begin","time":"2026-11-22T03:00:00Z"})");
    ASSERT_FALSE(read) << version;
    EXPECT_EQ(read.error().kind(), ErrorKind::refused) << version;
  }
}

TEST(JournalRecord, HostileLinesAreErrorsAndNothingElse) {
  const std::vector<std::string> lines = {
      "", " ", "{", "[]", "5", "null", "\"v\"", "{}", R"({"v":1})", R"({"v":"1","type":"begin","time":"x"})",
      R"({"v":0,"type":"begin","time":"x"})", R"({"v":-1,"type":"begin","time":"x"})", R"({"v":1e99,"type":"begin","time":"x"})",
      R"({"v":1.0,"type":"begin","time":"x"})", R"({"v":18446744073709551615,"type":"begin","time":"x"})",
      R"({"v":1,"type":"dance","time":"x"})", R"({"v":1,"type":7,"time":"x"})", R"({"v":1,"type":"begin","time":7})",
      R"({"v":1,"type":"begin","time":"x","run":[]})", R"({"v":1,"type":"hold","time":"x","members":[{}]})",
      R"({"v":1,"type":"hold","time":"x","members":[5]})", R"({"v":1,"type":"staging","time":"x","data":{}})",
      R"({"v":1,"type":"begin","time":"x"} trailing)", std::string("{\"v\":1,\"type\":\"\xff\x1b[2J\",\"time\":\"x\"}"),
      std::string(100'000, '['), std::string(1'000, '\0')};
  for (const auto& line : lines) {
    const auto read = record_from_line(line);
    ASSERT_FALSE(read) << line.substr(0, 80);
    EXPECT_EQ(read.error().text().find('\x1b'), std::string::npos);
    EXPECT_LT(read.error().text().size(), 2000u);
  }
}

TEST(JournalRecord, ALineChangedAnywhereNeverDoesMoreThanFail) {
  JournalRecord record;
  record.type = Type::hold;
  record.run = "run";
  record.members = {{"id", "name", "when", "shop", "db", 3, 90}};
  const auto line = to_line(record);
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    auto changed = line;
    for (int edit = 0; edit < 3; ++edit) changed[random() % changed.size()] = static_cast<char>(random() % 256);
    const auto read = record_from_line(changed);
    if (read) {
      EXPECT_NE(to_string(read->type), "unknown");
    }
  }
}

TEST(JournalRecord, UnknownFieldsAreLeftAlone) {
  const auto read = record_from_line(R"({"v":1,"type":"end","time":"2026-11-22T03:00:00Z","colour":"blue"})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->type, Type::end);
}

}  // namespace
}  // namespace kopidocka
