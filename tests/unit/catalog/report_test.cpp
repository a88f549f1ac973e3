#include "catalog/report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace kopidocka {
namespace {

RunReport full_report() {
  RunReport report;
  report.unit = "shop";
  report.kind = RunKind::restore;
  report.backup_id = "2f6b";
  report.restored_from = "77aa";
  report.result = RunResult::partial;
  report.reason = "snapshot";
  report.scope = "standard";
  report.engine = "kopia";
  report.trigger = "schedule";
  report.started_at = from_iso8601("2026-11-22T20:30:01.035805+00:00");
  report.duration_seconds = 12.5;
  report.downtime_seconds = 3.25;
  report.snapshots = {{"volume", "shop_db", "abc", 18446744073709551615u, 7, 1, "exact", "why not better"}};
  report.members = {{"shop-db-1", "cid", true, true, false, 3.25}};
  report.problems = {"one entry could not be read", "line\nbreak"};
  return report;
}

TEST(Report, ComesBackAsItWasWritten) {
  const auto json = to_json(full_report());
  const auto again = report_from_json(nlohmann::json::parse(json.dump()));
  ASSERT_TRUE(again.has_value()) << again.error().what();
  EXPECT_EQ(to_json(*again), json);
  EXPECT_EQ(again->snapshots.at(0).bytes, 18446744073709551615u);
  EXPECT_EQ(again->members.at(0).down_seconds, 3.25);
  EXPECT_EQ(again->started_at, full_report().started_at);
}

TEST(Report, UsesTheNamesOthersRelyOn) {
  const auto json = to_json(full_report());
  for (const auto* name : {"unit", "backup_id", "result", "scope", "started_at", "duration_seconds", "downtime_seconds",
                           "snapshots", "problems"}) {
    EXPECT_TRUE(json.contains(name)) << name;
  }
  for (const auto* name : {"type", "source", "id", "bytes", "files", "errors"}) {
    EXPECT_TRUE(json["snapshots"][0].contains(name)) << name;
  }
  EXPECT_EQ(json["schema_version"], 1);
  EXPECT_EQ(json["result"], "partial");
  EXPECT_EQ(json["started_at"], "2026-11-22T20:30:01.035805+00:00");
}

TEST(Report, ToleratesFieldsOfTheFutureButNotItsSchema) {
  auto json = to_json(full_report());
  json["something_new"] = {1, 2};
  EXPECT_TRUE(report_from_json(json).has_value());
  json["schema_version"] = 2;
  EXPECT_FALSE(report_from_json(json).has_value());
}

TEST(Report, RefusesWhatIsNoReport) {
  using nlohmann::json;
  auto wrong_type = to_json(full_report());
  wrong_type["snapshots"] = "none";
  auto wrong_result = to_json(full_report());
  wrong_result["result"] = "fine";
  for (const auto& hostile : {json(), json(1), json::array(), json::object(), json{{"schema_version", "1"}},
                              json{{"schema_version", 1}}, wrong_type, wrong_result}) {
    const auto report = report_from_json(hostile);
    ASSERT_FALSE(report.has_value()) << hostile;
    EXPECT_EQ(report.error().kind(), ErrorKind::invalid);
  }
}

}  // namespace
}  // namespace kopidocka
