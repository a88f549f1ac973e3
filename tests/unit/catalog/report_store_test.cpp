#include "catalog/report_store.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iomanip>
#include <sstream>

namespace kopidocka {
namespace {

namespace fs = std::filesystem;

class Store : public testing::Test {
 protected:
  Store() {
    std::string name = (fs::temp_directory_path() / "kd-reports-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder = fs::path(name) / "reports";
  }
  ~Store() override { fs::remove_all(folder.parent_path()); }
  void SetUp() override { ASSERT_TRUE(store().open().has_value()); }
  ReportStore store() { return ReportStore(folder); }

  void save(const std::string& unit, int minute, RunResult result, RunKind kind = RunKind::backup) {
    RunReport report;
    report.unit = unit;
    report.kind = kind;
    report.result = result;
    report.backup_id = unit.substr(0, 4) == "shop" ? "s" + std::to_string(minute) : "o" + std::to_string(minute);
    report.started_at = from_iso8601("2026-11-20T00:00:00Z") + std::chrono::minutes(minute);
    const auto saved = store().save(report);
    ASSERT_TRUE(saved.has_value()) << saved.error().what();
  }

  size_t count() const { return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator{})); }

  fs::path folder;
};

TEST_F(Store, ListsTheNewestFirstAndOnlyWhatIsAskedFor) {
  save("shop", 1, RunResult::success);
  save("other", 2, RunResult::failed);
  save("shop", 3, RunResult::failed);
  save("shop", 4, RunResult::success, RunKind::restore);
  const auto all = store().list({});
  ASSERT_EQ(all.reports.size(), 4u);
  EXPECT_EQ(all.reports[0].backup_id, "s4");
  EXPECT_EQ(all.reports[3].backup_id, "s1");
  ReportFilter filter;
  filter.unit = "shop";
  filter.kind = RunKind::backup;
  filter.limit = 1;
  ASSERT_EQ(store().list(filter).reports.size(), 1u);
  EXPECT_EQ(store().list(filter).reports[0].backup_id, "s3");
  filter.result = RunResult::success;
  EXPECT_EQ(store().list(filter).reports[0].backup_id, "s1");
}

TEST_F(Store, KnowsTheLastSuccessfulBackupAndEachRun) {
  save("shop", 1, RunResult::success);
  save("shop", 2, RunResult::partial);
  save("shop", 3, RunResult::success, RunKind::restore);
  EXPECT_EQ(store().last_success("shop"), from_iso8601("2026-11-20T00:01:00Z"));
  EXPECT_EQ(store().last_success("unknown"), std::nullopt);
  EXPECT_EQ(store().find("s2")->result, RunResult::partial);
  EXPECT_FALSE(store().find("zz").has_value());
}

TEST_F(Store, HasOneReportPerRun) {
  save("shop", 1, RunResult::failed);
  save("shop", 1, RunResult::success);
  EXPECT_EQ(count(), 1u);
  EXPECT_EQ(store().find("s1")->result, RunResult::success);
}

TEST_F(Store, NamesBrokenFilesAndReadsTheOthers) {
  save("shop", 1, RunResult::success);
  std::ofstream(folder / "20991231T000000.000000_0000000000000000_x.json") << "{\"schema_version\": 1, ";
  std::ofstream(folder / "99.json") << "[]";
  fs::create_directory(folder / "98.json");
  const auto all = store().list({});
  EXPECT_EQ(all.reports.size(), 1u);
  ASSERT_EQ(all.problems.size(), 3u);
  EXPECT_NE(all.problems[1].find("json"), std::string::npos);
}

TEST_F(Store, NeverUsesANameFromOutsideInAPath) {
  save("shop/../../../etc/\xff\n", 1, RunResult::success);
  EXPECT_EQ(count(), 1u);
  RunReport report;
  report.unit = "shop";
  for (const auto* id : {"../x", "", "a/b", "a_b"}) {
    report.backup_id = id;
    EXPECT_FALSE(store().save(report).has_value()) << id;
  }
  EXPECT_EQ(count(), 1u);
}

TEST_F(Store, PrunesOldReportsButNeverTheLastSuccess) {
  save("shop", 0, RunResult::success);
  save("shop", 1, RunResult::success);
  for (int minute = 2; minute < 410; ++minute) {
    std::ostringstream name;
    // Files written by hand: a save costs several fsyncs.
    name << "20261120T" << std::setfill('0') << std::setw(2) << minute / 60 << std::setw(2) << minute % 60 << "00.000000_";
    for (const auto& entry : fs::directory_iterator(folder)) {
      const auto unit = entry.path().stem().string();
      name << unit.substr(unit.find('_') + 1, 16) << "_f" << minute << ".json";
      break;
    }
    std::ofstream(folder / name.str()) << R"({"schema_version":1,"unit":"shop","kind":"backup","result":"failed","backup_id":"f)" << minute
                                       << R"(","started_at":"2026-11-20T00:00:00Z"})";
  }
  save("shop", 1000, RunResult::failed);
  EXPECT_EQ(count(), 401u);
  EXPECT_EQ(store().last_success("shop"), from_iso8601("2026-11-20T00:01:00Z"));
  EXPECT_FALSE(store().find("s0").has_value());
}

}  // namespace
}  // namespace kopidocka
