#include "metrics/metrics.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.hpp"
#include "support/generated_page.hpp"

namespace kopidocka {
namespace {

using testing::HasSubstr;
using testing::Not;

class StillClock : public Clock {
 public:
  TimePoint now() const override { return TimePoint(Seconds(1'800'000'000)) + passed; }
  std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(passed);
  }
  Seconds passed{0};
};

UnitMetrics unit(const std::string& name) {
  UnitMetrics facts;
  facts.name = name;
  facts.schedule = "0 3 * * *";
  facts.time_zone = "Europe/Berlin";
  facts.interval = Seconds(90'000);
  facts.next_run = TimePoint(Seconds(1'800'050'000));
  facts.first_seen = TimePoint(Seconds(1'700'000'000));
  return facts;
}

RunReport report(RunResult result, const std::string& name = "shop", long started = 1'800'000'000) {
  RunReport report;
  report.unit = name;
  report.result = result;
  report.started_at = TimePoint(Seconds(started));
  report.duration_seconds = 100;
  report.downtime_seconds = 12.5;
  SnapshotReport volume;
  volume.type = "volume";
  volume.source = "shop_db";
  volume.bytes = 4096;
  volume.files = 7;
  SnapshotReport bind = volume;
  bind.type = "bind";
  bind.source = "/srv/secret-customer/html";
  report.snapshots = {volume, bind};
  return report;
}

class MetricsTest : public testing::Test {
 protected:
  void tell(RunEvent::Kind kind, const RunReport& about, const std::string& text = {}) {
    metrics_.on_run_event(RunEvent{kind, text, {}, 0, 0, {}, about});
  }
  void run(const RunReport& ended) {
    tell(RunEvent::Kind::started, ended);
    tell(RunEvent::Kind::finished, ended);
  }
  bool shows(const std::string& line) {
    return ("\n" + metrics_.exposition()).find("\nkopidocka_" + line + "\n") != std::string::npos;
  }
  bool mentions(const std::string& text) { return metrics_.exposition().find(text) != std::string::npos; }

  StillClock clock_;
  Metrics metrics_{clock_};
};

}  // namespace

TEST_F(MetricsTest, ANewUnitHasEveryCounterAtZeroSoThatTheFirstFailureIsSeen) {
  metrics_.set_units({unit("shop")});
  for (const auto* result : {"success", "partial", "failed", "skipped"}) {
    EXPECT_TRUE(shows(std::string("backup_runs_total{result=\"") + result + "\",unit=\"shop\"} 0"))
        << metrics_.exposition();
  }
  EXPECT_TRUE(shows("backup_started_total{unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("backup_failures_total{reason=\"journal\",unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("schedule_missed_runs_total{reason=\"down\",unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("backup_in_progress{unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("containers_held_stopped{unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("backup_last_success_timestamp_seconds{unit=\"shop\"} 0"));
  EXPECT_FALSE(mentions("backup_last_run_successful{"));
  EXPECT_TRUE(shows("unit_config_valid{unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("schedule_interval_seconds{unit=\"shop\"} 90000"));
  EXPECT_TRUE(shows("unit_info{schedule=\"0 3 * * *\",timezone=\"Europe/Berlin\",unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("units 1"));
}

TEST_F(MetricsTest, ARunIsFollowedFromStartToEnd) {
  metrics_.set_units({unit("shop")});
  const auto ended = report(RunResult::success);
  tell(RunEvent::Kind::started, ended);
  EXPECT_TRUE(shows("backup_in_progress{unit=\"shop\"} 1"));
  tell(RunEvent::Kind::phase, ended, "hold");
  tell(RunEvent::Kind::member_stopped, ended, "shop-db-1");
  tell(RunEvent::Kind::member_stopped, ended, "shop-web-1");
  EXPECT_TRUE(shows("containers_held_stopped{unit=\"shop\"} 2"));
  clock_.passed += Seconds(30);
  tell(RunEvent::Kind::member_started, ended, "shop-db-1");
  tell(RunEvent::Kind::member_started, ended, "shop-web-1");
  EXPECT_TRUE(shows("containers_held_stopped{unit=\"shop\"} 0"));
  tell(RunEvent::Kind::finished, ended);
  EXPECT_TRUE(shows("backup_in_progress{unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("backup_runs_total{result=\"success\",unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("backup_last_run_successful{unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("backup_last_success_timestamp_seconds{unit=\"shop\"} 1800000100"));
  EXPECT_TRUE(shows("backup_last_downtime_seconds{unit=\"shop\"} 12.5"));
  EXPECT_TRUE(shows("backup_phase_duration_seconds_sum{phase=\"hold\"} 30"));
  EXPECT_TRUE(shows("snapshot_size_bytes{unit=\"shop\",volume=\"shop_db\"} 4096"));
}

TEST_F(MetricsTest, AFailedPartialOrSkippedRunIsNoSuccess) {
  metrics_.set_units({unit("shop")});
  run(report(RunResult::success));
  for (const auto result : {RunResult::failed, RunResult::partial, RunResult::skipped}) {
    auto ended = report(result, "shop", 1'800'001'000);
    ended.reason = result == RunResult::partial ? "snapshot" : "repository";
    run(ended);
    EXPECT_TRUE(shows("backup_last_run_successful{unit=\"shop\"} 0"));
    EXPECT_TRUE(shows("backup_last_success_timestamp_seconds{unit=\"shop\"} 1800000100"));
    EXPECT_TRUE(shows("backup_last_completion_timestamp_seconds{unit=\"shop\"} 1800001100"));
  }
  EXPECT_TRUE(shows("backup_started_total{unit=\"shop\"} 4"));
  EXPECT_TRUE(shows("backup_failures_total{reason=\"repository\",unit=\"shop\"} 2"));
  EXPECT_TRUE(shows("backup_failures_total{reason=\"snapshot\",unit=\"shop\"} 0"));
}

TEST_F(MetricsTest, AReasonOutsideTheListIsOther) {
  metrics_.set_units({unit("shop")});
  auto ended = report(RunResult::failed);
  ended.reason = "container 1234 said no";
  run(ended);
  EXPECT_TRUE(shows("backup_failures_total{reason=\"other\",unit=\"shop\"} 1"));
  EXPECT_FALSE(mentions("1234"));
}

TEST_F(MetricsTest, ContainersThatCouldNotBeStartedAreCountedAndStayHeld) {
  metrics_.set_units({unit("shop")});
  auto ended = report(RunResult::failed);
  ended.reason = "start";
  MemberReport member;
  member.name = "shop-db-1";
  member.stopped = true;
  ended.members = {member};
  tell(RunEvent::Kind::started, ended);
  tell(RunEvent::Kind::member_stopped, ended, "shop-db-1");
  tell(RunEvent::Kind::finished, ended);
  EXPECT_TRUE(shows("container_start_failures_total{unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("containers_held_stopped{unit=\"shop\"} 1"));
  metrics_.set_held({});
  EXPECT_TRUE(shows("containers_held_stopped{unit=\"shop\"} 0"));
}

TEST_F(MetricsTest, SavedReportsKeepTheLastTimesOverARestartInWhateverOrderTheyCome) {
  metrics_.seed({report(RunResult::failed, "shop", 1'700'200'000),
                 report(RunResult::success, "shop", 1'700'100'000),
                 report(RunResult::success, "shop", 1'700'000'000),
                 report(RunResult::success, "other", 1'600'000'000)});
  metrics_.set_units({unit("shop")});
  EXPECT_TRUE(shows("backup_last_success_timestamp_seconds{unit=\"shop\"} 1700100100"));
  EXPECT_TRUE(shows("backup_last_completion_timestamp_seconds{unit=\"shop\"} 1700200100"));
  EXPECT_TRUE(shows("backup_last_run_successful{unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("backup_runs_total{result=\"success\",unit=\"shop\"} 0"));
  EXPECT_FALSE(mentions("unit=\"other\""));
}

TEST_F(MetricsTest, ARunThatRecoveryReportsBeforeUnitsAreKnownIsCountedWhenItsUnitAppears) {
  auto lost = report(RunResult::failed);
  lost.reason = "interrupted";
  run(lost);
  metrics_.recovery_ended(true, 2);
  EXPECT_FALSE(mentions("unit=\"shop\""));
  metrics_.set_units({unit("shop")});
  metrics_.set_units({unit("shop")});
  EXPECT_TRUE(shows("backup_started_total{unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("backup_runs_total{result=\"failed\",unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("backup_failures_total{reason=\"interrupted\",unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("backup_in_progress{unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("recovered_containers_total 2"));
}

TEST_F(MetricsTest, CountsOfUnitsThatNeverAppearAreBounded) {
  for (int i = 0; i < 3000; ++i) run(report(RunResult::failed, "ghost-" + std::to_string(i)));
  std::vector<UnitMetrics> units;
  for (int i = 0; i < 3000; i += 100) units.push_back(unit("ghost-" + std::to_string(i)));
  metrics_.set_units(units);
  EXPECT_TRUE(shows("backup_started_total{unit=\"ghost-0\"} 1"));
  EXPECT_TRUE(shows("backup_started_total{unit=\"ghost-2900\"} 0"));
}

TEST_F(MetricsTest, HooksAreCountedByHowTheyEnded) {
  const auto about = report(RunResult::success);
  const auto ended = [&](const std::string& hook, const std::string& error) {
    metrics_.on_run_event(RunEvent{RunEvent::Kind::hook_ended, hook, error, 2, 0, {}, about});
  };
  ended("pre_backup", "");
  ended("pre_restore", "failed");
  ended("post_backup", "timeout");
  EXPECT_TRUE(shows("hook_runs_total{hook=\"pre\",result=\"success\"} 1"));
  EXPECT_TRUE(shows("hook_runs_total{hook=\"pre\",result=\"failure\"} 1"));
  EXPECT_TRUE(shows("hook_runs_total{hook=\"post\",result=\"timeout\"} 1"));
  EXPECT_TRUE(shows("hook_duration_seconds_sum{hook=\"pre\"} 4"));
}

TEST_F(MetricsTest, LogLevelsAreZeroBeforeTheirFirstMessageAndHaveOneNameEach) {
  metrics_.message_logged("warning");
  metrics_.message_logged("whatever");
  EXPECT_TRUE(shows("log_messages_total{level=\"warning\"} 1"));
  EXPECT_TRUE(shows("log_messages_total{level=\"error\"} 0"));
  EXPECT_TRUE(shows("log_messages_total{level=\"other\"} 1"));
  EXPECT_FALSE(mentions("level=\"warn\""));
}

TEST_F(MetricsTest, ARestoreIsNotABackup) {
  metrics_.set_units({unit("shop")});
  auto restore = report(RunResult::success);
  restore.kind = RunKind::restore;
  tell(RunEvent::Kind::started, restore);
  EXPECT_TRUE(shows("restore_in_progress{unit=\"shop\"} 1"));
  EXPECT_TRUE(shows("backup_in_progress{unit=\"shop\"} 0"));
  tell(RunEvent::Kind::finished, restore);
  EXPECT_TRUE(shows("restore_runs_total{kind=\"user\",result=\"success\"} 1"));
  EXPECT_TRUE(shows("backup_started_total{unit=\"shop\"} 0"));
  EXPECT_TRUE(shows("backup_last_success_timestamp_seconds{unit=\"shop\"} 0"));
}

TEST_F(MetricsTest, SeriesGoWithTheirUnitAndComeBackWithTheirPast) {
  metrics_.set_units({unit("shop"), unit("blog")});
  run(report(RunResult::success));
  metrics_.set_units({unit("blog")});
  EXPECT_FALSE(mentions("unit=\"shop\""));
  EXPECT_TRUE(shows("units 1"));
  metrics_.set_units({unit("shop"), unit("blog")});
  EXPECT_TRUE(shows("backup_last_success_timestamp_seconds{unit=\"shop\"} 1800000100"));
}

TEST_F(MetricsTest, AUnitThatIsGoneButOwedAStartIsStillShown) {
  metrics_.set_held({{"gone", {"gone-db-1"}}});
  EXPECT_TRUE(shows("containers_held_stopped{unit=\"gone\"} 1"));
  metrics_.set_held({});
  EXPECT_FALSE(mentions("unit=\"gone\""));
}

TEST_F(MetricsTest, AChangedScheduleLeavesNoOldSeries) {
  metrics_.set_units({unit("shop"), unit("blog")});
  auto changed = unit("shop");
  changed.schedule = "";
  changed.interval.reset();
  changed.next_run.reset();
  changed.valid = false;
  metrics_.set_units({changed, unit("blog")});
  EXPECT_TRUE(shows("unit_info{schedule=\"\",timezone=\"Europe/Berlin\",unit=\"shop\"} 1"));
  EXPECT_FALSE(mentions("unit_info{schedule=\"0 3 * * *\",timezone=\"Europe/Berlin\",unit=\"shop\"}"));
  EXPECT_TRUE(mentions("unit_info{schedule=\"0 3 * * *\",timezone=\"Europe/Berlin\",unit=\"blog\"}"));
  EXPECT_TRUE(shows("unit_config_valid{unit=\"shop\"} 0"));
  EXPECT_FALSE(mentions("schedule_interval_seconds{unit=\"shop\"}"));
}

TEST_F(MetricsTest, AFloodOfUnitsIsCappedAndDoesNotPushOutTheOld) {
  metrics_.set_units({unit("shop")});
  std::vector<UnitMetrics> flood;
  for (int i = 0; i < 1500; ++i) flood.push_back(unit("churn-" + std::to_string(i)));
  flood.push_back(unit("shop"));
  metrics_.set_units(flood);
  metrics_.set_units(flood);
  const auto text = metrics_.exposition();
  EXPECT_THAT(text, HasSubstr("backup_started_total{unit=\"shop\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("units_rejected_total{reason=\"cap\"} 501\n"));
}

TEST_F(MetricsTest, UnitsThatComeAndGoLeaveNoSeriesBehind) {
  for (int i = 0; i < 100; ++i) metrics_.set_units({unit("shop"), unit("churn-" + std::to_string(i))});
  EXPECT_TRUE(mentions("churn-99"));
  EXPECT_FALSE(mentions("churn-98"));
  metrics_.set_units({unit("shop")});
  EXPECT_FALSE(mentions("churn-"));
}

TEST_F(MetricsTest, OddNamesCannotForgeALine) {
  metrics_.set_units(
      {unit("a\nkopidocka_docker_up 1\n"), unit("q\"uote"), unit("\xff\xfe"), unit(std::string(5000, 'x'))});
  const auto text = metrics_.exposition();
  EXPECT_THAT(text, Not(HasSubstr("\nkopidocka_docker_up 1\n")));
  EXPECT_THAT(text, HasSubstr("unit=\"q\\\"uote\""));
  EXPECT_THAT(text, Not(HasSubstr(std::string(300, 'x'))));
}

TEST_F(MetricsTest, APathOfTheHostIsNotShown) {
  metrics_.set_units({unit("shop")});
  run(report(RunResult::success));
  EXPECT_FALSE(mentions("secret-customer"));
  EXPECT_TRUE(mentions("volume=\"bind:html-"));
  SnapshotReport one, other;
  one.type = other.type = "bind";
  one.source = "/srv/a/data";
  other.source = "/srv/b/data";
  EXPECT_NE(source_label(one), source_label(other));
}

TEST_F(MetricsTest, AVolumeThatIsNoLongerBackedUpLosesItsSeries) {
  metrics_.set_units({unit("shop")});
  run(report(RunResult::success));
  auto later = report(RunResult::success, "shop", 1'800'002'000);
  later.snapshots.resize(1);
  run(later);
  EXPECT_FALSE(mentions("volume=\"bind:html-"));
  EXPECT_TRUE(mentions("volume=\"shop_db\""));
}

TEST_F(MetricsTest, EventsAreCountedByKnownActionOnly) {
  metrics_.event_received("start");
  metrics_.event_received("exec_start: cat /etc/passwd");
  metrics_.event_received("health_status: healthy");
  EXPECT_TRUE(shows("docker_events_total{action=\"start\"} 1"));
  EXPECT_TRUE(shows("docker_events_total{action=\"other\"} 1"));
  EXPECT_TRUE(shows("docker_events_total{action=\"health_status\"} 1"));
  EXPECT_FALSE(mentions("passwd"));
}

TEST_F(MetricsTest, TheProcessTellsAboutItself) {
  const auto text = metrics_.exposition();
  for (const auto* name : {"process_cpu_seconds_total", "process_resident_memory_bytes",
                           "process_start_time_seconds", "process_open_fds", "process_max_fds"}) {
    const auto at = text.find("\n" + std::string(name) + " ");
    ASSERT_NE(at, std::string::npos) << name;
    EXPECT_GT(std::atof(text.c_str() + at + 2 + std::string(name).size()), 0) << name;
  }
}

TEST_F(MetricsTest, PromtoolFindsNothingToComplainAbout) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0)
    GTEST_SKIP() << "promtool is not installed (Debian package prometheus)";
  metrics_.set_build("1.0.0", "abc", "0.21.1");
  metrics_.set_units({unit("shop"), unit("bl\"og")});
  auto failed = report(RunResult::failed);
  failed.reason = "stop";
  tell(RunEvent::Kind::started, failed);
  tell(RunEvent::Kind::phase, failed, "prepare");
  tell(RunEvent::Kind::finished, failed);
  run(report(RunResult::success));
  metrics_.set_docker_up(true);
  metrics_.set_docker_info("20.10.24", "1.41", "docker");
  metrics_.docker_request("stop", 2.5, "500");
  metrics_.set_events_connected(true);
  metrics_.events_reconnected("closed");
  metrics_.event_received("start");
  metrics_.reconciled(1);
  metrics_.set_queue(1, 2);
  metrics_.set_repository_up(true);
  metrics_.set_filesystem("state", 10, 100);
  metrics_.hook_ran("pre", "success", 0.1);
  metrics_.http_answered(200);
  metrics_.http_rejected("timeout");
  metrics_.message_logged("warning");
  metrics_.unit_rejected("swarm");

  const auto text = metrics_.exposition();
  for (const auto& row : family_table())
    EXPECT_THAT(text, HasSubstr("# TYPE " + std::string(row.name) + " ")) << "never shown";
  char name[] = "/tmp/metrics-test.XXXXXX";
  const std::filesystem::path folder = ::mkdtemp(name);
  std::ofstream(folder / "metrics") << text;
  const auto command = "promtool check metrics < " + (folder / "metrics").string() + " > " +
                       (folder / "said").string() + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(*read_file(folder / "said"), "");
  std::filesystem::remove_all(folder);
}

TEST(Families, TheTableIsInTheOrderOfTheEnumAndNamesAreUnique) {
  std::set<std::string_view> names;
  for (size_t i = 0; i < family_table().size(); ++i) {
    EXPECT_EQ(static_cast<size_t>(family_table()[i].family), i) << family_table()[i].name;
    EXPECT_TRUE(names.insert(family_table()[i].name).second) << family_table()[i].name;
    EXPECT_EQ(family_table()[i].type == FamilyType::counter, family_table()[i].name.ends_with("_total"))
        << family_table()[i].name;
  }
}

TEST(Families, ReasonsOfFailuresAreThoseOfReportsAndOther) {
  auto reasons = run_reasons();
  reasons.push_back("other");
  EXPECT_EQ(failure_reasons(), reasons);
  std::string documented;
  for (const auto& reason : run_reasons()) documented += (documented.empty() ? "`" : ", `") + reason + "`";
  const auto page = read_file(std::string(SOURCE_DIR) + "/docs/json.md");
  ASSERT_TRUE(page);
  EXPECT_THAT(*page, HasSubstr("else one word: " + documented + " |"));
}

TEST(Families, TheDocumentedPageIsTheGeneratedOne) {
  expect_generated_page("metrics.md", metrics_markdown());
}

}  // namespace kopidocka
