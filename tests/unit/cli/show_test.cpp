#include "cli/show.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/table.hpp"
#include "unit/cli/command_line.hpp"

namespace kopidocka::testing {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kUnit = "a-stack-with-25-character";

std::string shown(void (*show)(std::ostream&, const json&), const json& answer) {
  std::ostringstream out;
  show(out, answer);
  return out.str();
}

json report(const std::string& unit, const std::string& result) {
  return {{"unit", unit},
          {"kind", "backup"},
          {"backup_id", "0d5c1a2b-1111-2222-3333-444455556666"},
          {"result", result},
          {"reason", result == "success" ? "" : "repository"},
          {"started_at", "2026-11-22T03:00:00.104211+00:00"},
          {"duration_seconds", 4321.5},
          {"downtime_seconds", 63.9},
          {"snapshots", {{{"type", "volume"}, {"source", "shop_db"}, {"id", "k1f0123456789abcdef"}, {"bytes", 40963840}, {"files", 968}}}},
          {"problems", result == "success" ? json::array() : json::array({"the repository does not answer: " + std::string(40, 'x') + " y"})}};
}

json unit(const std::string& name) {
  return {{"unit", name},
          {"kind", "standalone"},
          {"enabled", true},
          {"valid", false},
          {"scope", "standard"},
          {"containers", {{{"name", "one"}}}},
          {"volumes", json::array()},
          {"binds", json::array()},
          {"problems", json::array()},
          {"next_run_local", "2026-11-23 03:00 CET"},
          {"last_run", report(name, "failed")},
          {"last_success", "2026-11-20T03:00:00.104211+00:00"}};
}

TEST(Table, IsWholeWhereNoTerminalIsTooNarrow) {
  Table table({"TIME", "WHAT"}, {1});
  table.add({"2026-11-22 03:00:05", std::string(100, 'x')});
  std::ostringstream out;
  table.print(out, "", 0);
  EXPECT_THAT(out.str(), HasSubstr(std::string(100, 'x')));
}

TEST(Table, CutsOnlyWhatMayBeCut) {
  Table table({"UNIT", "WHAT"}, {1});
  table.add({std::string(30, 'u'), std::string(100, 'x')});
  std::ostringstream out;
  table.print(out, "", 60);
  EXPECT_EQ(longest_line(out.str(), 60), "");
  EXPECT_THAT(out.str(), HasSubstr(std::string(30, 'u') + "  xxx"));
  EXPECT_THAT(out.str(), HasSubstr("x~\n"));
  std::ostringstream narrow;
  table.print(narrow, "", 20);
  EXPECT_THAT(narrow.str(), HasSubstr(std::string(30, 'u'))) << "rather too long than cut";
}

TEST(Shown, SnapshotsFitATerminalWithLongNames) {
  const json point = {{"unit", kUnit}, {"host", "host-of-16-chars"}, {"backup_id", "0d5c1a2b-1111"}, {"time", "2026-11-22T03:00:00.1+00:00"},
                      {"scope", "standard"}, {"bytes", 123'456'789'012}, {"files", 1'234'567}, {"complete", false}, {"partial", false}};
  auto other = point;
  other["host"] = "elsewhere";
  const auto text = shown(show_points, json::array({point, other, point}));
  EXPECT_EQ(longest_line(text, 80), "");
  for (const auto* word : {"a-stack-with-25-character on host-of-16-chars\n", "on elsewhere", "2026-11-22 03:00:00", "0d5c1a2b", "INCOMPLETE"}) {
    EXPECT_THAT(text, HasSubstr(word));
  }
  EXPECT_THAT(shown(show_points, json::array()), HasSubstr("no snapshots yet"));
}

TEST(Shown, ACopyThatIsNotColdNeverLooksLikeOne) {
  json report = {{"unit", "shop"}, {"kind", "backup"}, {"result", "success"}, {"reason", ""}, {"started_at", "2026-11-22T03:00:00Z"},
                 {"backup_id", "0d7c8f3e"}, {"problems", json::array()}, {"snapshots", json::array()}};
  json point = {{"unit", "shop"}, {"host", "server"}, {"time", "2026-11-22T03:00:00Z"}, {"scope", "standard"}, {"backup_id", "0d7c8f3e"}};
  for (const auto* word : {"pause", "none"}) {
    report["consistency"] = point["consistency"] = word;
    EXPECT_THAT(shown(show_report, report), HasSubstr("consistency " + std::string(word) + ": not a cold copy"));
    EXPECT_THAT(shown(show_reports, json::array({report})), HasSubstr("success, " + std::string(word)));
    EXPECT_THAT(shown(show_points, json::array({point})), HasSubstr("complete, " + std::string(word)));
  }
  report["consistency"] = point["consistency"] = "stop";
  EXPECT_THAT(shown(show_report, report), ::testing::Not(HasSubstr("consistency")));
  EXPECT_THAT(shown(show_points, json::array({point})), ::testing::Not(HasSubstr("complete,")));
}

TEST(Shown, HistoryFitsATerminalAndTellsWhatWentWrong) {
  const auto text = shown(show_reports, json::array({report(kUnit, "success"), report(kUnit, "skipped")}));
  EXPECT_EQ(longest_line(text, 80), "");
  EXPECT_THAT(text, HasSubstr("2026-11-22 03:00  " + std::string(kUnit) + "  success  1h12m1s  63.9s  0d5c1a2b\n"));
  EXPECT_THAT(text, HasSubstr("  ! repository: the repository does not answer:"));
  EXPECT_THAT(text, Not(HasSubstr("KIND")));
  auto warned = report("shop", "success");
  warned["reason"] = "";
  warned["problems"] = {"a compose file is out of sight"};
  EXPECT_THAT(shown(show_reports, json::array({warned})), HasSubstr("  ! a compose file is out of sight"));
  auto restore = report("shop", "success");
  restore["kind"] = "restore";
  EXPECT_THAT(shown(show_reports, json::array({restore})), HasSubstr("KIND"));
}

TEST(Shown, ListFitsATerminal) {
  const json answer = {{"units", {unit("a-stack-of-twenty-ch")}}, {"not_enabled", 2}, {"label_prefix", "kopi-docka."}};
  const auto text = shown(show_units, answer);
  EXPECT_EQ(longest_line(text, 80), "");
  EXPECT_THAT(text, HasSubstr("2026-11-23 03:00 CET"));
}

TEST(Shown, AnEmptyListNamesTheLabelUnderItsPrefix) {
  const json answer = {{"units", json::array()}, {"not_enabled", 0}, {"label_prefix", "org.example."}};
  EXPECT_THAT(shown(show_units, answer), HasSubstr("org.example.schedule: \"0 3 * * *\""));
}

TEST(Shown, StatusFitsATerminalAndTellsANormalHoldFromALeftOne) {
  json status = {{"version", "0.1.0"}, {"engine", "kopia"}, {"docker", {{"engine_version", "20.10.24+dfsg1"}}},
                 {"repository", "filesystem:///var/lib/kopi-docka/repository"}, {"identity", "root@host-of-16-chars"},
                 {"units", {unit("a-stack-of-twenty-ch")}}, {"running", {{{"unit", "shop"}, {"kind", "backup"}}}},
                 {"held_stopped", {{"shop", {"shop-db-1"}}, {"blog", {"blog-db-1"}}}}};
  const auto text = shown(show_status, status);
  EXPECT_EQ(longest_line(text, 80), "");
  EXPECT_THAT(text, HasSubstr("running: backup of shop, stopped for it: shop-db-1\n"));
  EXPECT_THAT(text, HasSubstr("HELD STOPPED: unit blog: blog-db-1\n"));
  EXPECT_THAT(text, Not(HasSubstr("HELD STOPPED: unit shop")));
  EXPECT_THAT(text, HasSubstr("! last success 2026-11-20 03:00\n"));
}

TEST(Shown, SettingsAreNeverCut) {
  const std::string path = "/srv/" + std::string(60, 'p');
  const std::vector<SettingValue> values = {{"KOPI_DOCKA_RECONCILE_INTERVAL", "5m", "default", ""},
                                            {"KOPI_DOCKA_REPOSITORY", "filesystem:///var/lib/kopi-docka/repository", "file /etc/k.conf", ""},
                                            {"KOPI_DOCKA_HOOKS_DIR", path, "environment", ""},
                                            {"KOPI_DOCKA_HOSTNAME", "", "default", ""}};
  std::ostringstream out;
  show_settings(out, values);
  EXPECT_EQ(longest_line(out.str(), 80), "");
  for (const auto& word : {std::string("KOPI_DOCKA_RECONCILE_INTERVAL  default      5m\n"),
                           std::string("KOPI_DOCKA_REPOSITORY          file\n    filesystem:///var/lib/kopi-docka/repository\n"),
                           "    " + path + "\n", std::string("KOPI_DOCKA_HOSTNAME            default\n"), std::string("file: /etc/k.conf")}) {
    EXPECT_THAT(out.str(), HasSubstr(word));
  }
}

}  // namespace
}  // namespace kopidocka::testing
