#include "catalog/restore_points.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace kopidocka {
namespace {

Snapshot snapshot(const std::string& id, const std::string& start, Tags tags) {
  Snapshot made;
  made.id = id;
  made.host = "server";
  made.user = "root";
  made.start_time = from_iso8601(start);
  made.tags = std::move(tags);
  made.bytes = 100;
  made.files = 3;
  return made;
}

/// As the Python original writes it: no `timestamp` on data, one on the recipe.
std::vector<Snapshot> python_run(const std::string& id, const std::string& day) {
  return {
      snapshot("b-" + id, day + "T03:00:09Z",
               {{"type", "bind"}, {"unit", "shop"}, {"backup_id", id}, {"bind_source", "/opt/x"}, {"bind_destination", "/x"}}),
      snapshot("v-" + id, day + "T03:00:08Z",
               {{"type", "volume"}, {"unit", "shop"}, {"backup_id", id}, {"volume", "db"}, {"backup_format", "direct"},
                {"backup_scope", "full"}}),
      snapshot("r-" + id, day + "T03:00:05Z",
               {{"type", "recipe"}, {"unit", "shop"}, {"backup_id", id}, {"timestamp", day + "T03:00:01"},
                {"backup_scope", "full"}}),
  };
}

std::vector<Snapshot> own_run(const std::string& id, const std::string& time, int promised, int volumes) {
  std::vector<Snapshot> made;
  for (int i = 0; i < volumes; ++i) {
    made.push_back(snapshot(id + "-v" + std::to_string(i), time,
                            {{"type", "volume"}, {"unit", "shop"}, {"backup_id", id}, {"volume", "v" + std::to_string(i)},
                             {"backup_format", "direct"}, {"timestamp", time}, {"kd_sources", std::to_string(promised)}}));
  }
  return made;
}

void append(std::vector<Snapshot>& all, const std::vector<Snapshot>& more) { all.insert(all.end(), more.begin(), more.end()); }

TEST(RestorePoints, AreAsColdAsTheWeakestOfTheirSnapshotsAndColdWithoutAWord) {
  const auto consistency = [](const std::vector<std::string>& words) {
    auto run = own_run("aaaaaaaa-1", "2026-11-20T03:00:01Z", static_cast<int>(words.size()), static_cast<int>(words.size()));
    for (size_t i = 0; i < words.size(); ++i) {
      if (!words[i].empty()) run[i].tags["kd_consistency"] = words[i];
    }
    return restore_points(run).at(0).consistency;
  };
  EXPECT_EQ(consistency({"", ""}), Consistency::stop) << "the Python original always stops";
  EXPECT_EQ(consistency({"stop", "stop"}), Consistency::stop);
  EXPECT_EQ(consistency({"pause", "stop"}), Consistency::pause);
  EXPECT_EQ(consistency({"pause", "none"}), Consistency::none);
  EXPECT_EQ(consistency({"stop", "something new"}), Consistency::none) << "an unknown word promises nothing";
}

TEST(RestorePoints, AreDatedByTheEarliestOfTheirMembersAndNeverNow) {
  const auto points = restore_points(python_run("aaaaaaaa-1", "2026-11-20"));
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].time, from_iso8601("2026-11-20T03:00:01Z"));
  EXPECT_EQ(points[0].scope, Scope::full);
  EXPECT_EQ(points[0].host, "server");
  EXPECT_EQ(points[0].bytes, 200u);
  EXPECT_EQ(points[0].files, 6u);
  EXPECT_TRUE(points[0].complete);
  EXPECT_FALSE(points[0].partial);
  ASSERT_EQ(points[0].members.size(), 3u);
  EXPECT_EQ(points[0].members[0].type, SnapshotType::recipe);
  EXPECT_EQ(points[0].member(SnapshotType::bind, "/opt/x")->destination, "/x");
  EXPECT_EQ(points[0].member(SnapshotType::volume, "other"), nullptr);
}

TEST(RestorePoints, StandNewestFirst) {
  auto all = python_run("aaaaaaaa-1", "2026-11-20");
  append(all, python_run("bbbbbbbb-1", "2026-11-22"));
  append(all, python_run("cccccccc-1", "2026-11-21"));
  const auto points = restore_points(all);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(points[0].backup_id, "bbbbbbbb-1");
  EXPECT_EQ(points[2].backup_id, "aaaaaaaa-1");
}

TEST(RestorePoints, LeaveOutStrangersAndUnfinishedSnapshots) {
  auto incomplete = python_run("dddddddd-1", "2026-11-20");
  for (auto& each : incomplete) each.incomplete = "canceled";
  std::vector<Snapshot> all = incomplete;
  all.push_back(snapshot("x1", "2026-11-20T00:00:00Z", {}));
  all.push_back(snapshot("x2", "2026-11-20T00:00:00Z", {{"unit", "shop"}, {"type", "volume"}, {"volume", "db"}}));
  all.push_back(snapshot("x3", "2026-11-20T00:00:00Z", {{"unit", "shop"}, {"backup_id", "i"}, {"type", "telepathy"}}));
  all.push_back(snapshot("x4", "2026-11-20T00:00:00Z", {{"unit", "shop"}, {"backup_id", "i"}, {"type", "volume"}}));
  EXPECT_TRUE(restore_points(all).empty());
}

TEST(RestorePoints, OfTwoHostsAreNeverMixed) {
  auto all = python_run("aaaaaaaa-1", "2026-11-20");
  auto other = python_run("aaaaaaaa-1", "2026-11-20");
  for (auto& each : other) each.host = "elsewhere";
  append(all, other);
  EXPECT_EQ(restore_points(all).size(), 2u);
}

TEST(RestorePoints, MarkOldTarArchivesAndMissingScope) {
  const auto points = restore_points({snapshot(
      "t", "2026-11-20T03:00:00Z", {{"type", "volume"}, {"unit", "shop"}, {"backup_id", "old"}, {"volume", "db"}})});
  ASSERT_EQ(points.size(), 1u);
  EXPECT_TRUE(points[0].members[0].legacy_tar);
  EXPECT_EQ(points[0].scope, Scope::standard);
  EXPECT_EQ(points[0].problems.size(), 1u);
}

TEST(RestorePoints, WithFewerSourcesThanPromisedAreHalfARun) {
  const auto points = restore_points(own_run("eeeeeeee-1", "2026-11-20T03:00:00+00:00", 3, 2));
  ASSERT_EQ(points.size(), 1u);
  EXPECT_FALSE(points[0].complete);
  EXPECT_NE(points[0].problems.at(0).find("2 of 3"), std::string::npos);
  EXPECT_TRUE(restore_points(own_run("eeeeeeee-1", "2026-11-20T03:00:00+00:00", 2, 2))[0].complete);
}

TEST(RestorePoints, WithUnreadableEntriesArePartial) {
  auto all = own_run("eeeeeeee-1", "2026-11-20T03:00:00+00:00", 1, 1);
  all[0].ignored_errors = 2;
  const auto points = restore_points(all);
  EXPECT_TRUE(points[0].partial);
  EXPECT_TRUE(points[0].complete);
}

TEST(RestorePoints, WithoutTheRecipeTheirScopePromisesArePartial) {
  auto all = own_run("eeeeeeee-1", "2026-11-20T03:00:00+00:00", 1, 1);
  all[0].tags["backup_scope"] = "minimal";
  EXPECT_FALSE(restore_points(all)[0].partial);
  all[0].tags["backup_scope"] = "standard";
  const auto points = restore_points(all);
  EXPECT_TRUE(points[0].partial);
  EXPECT_TRUE(points[0].complete);
  EXPECT_NE(points[0].problems.at(0).find("recipe"), std::string::npos);
}

TEST(RestorePoints, TakeTheCleanOneOfARepeatedSource) {
  auto first = own_run("eeeeeeee-1", "2026-11-20T03:00:00+00:00", 1, 1);
  auto retry = own_run("eeeeeeee-1", "2026-11-20T03:10:00+00:00", 1, 1);
  retry[0].id = "retry";
  first[0].errors = 4;
  append(first, retry);
  const auto points = restore_points(first);
  ASSERT_EQ(points[0].members.size(), 1u);
  EXPECT_EQ(points[0].members[0].snapshot.id, "retry");
  EXPECT_FALSE(points[0].partial);
}

TEST(RestorePoints, SurviveTagsOfAnEnemy) {
  auto all = own_run("eeeeeeee-1", "not a time", 1, 1);
  all[0].tags["kd_sources"] = "99999999999999999999999999";
  all[0].tags["backup_scope"] = "everything";
  all[0].tags["volume"] = "../../etc\n\x1b[31m";
  all[0].errors = 1;
  const auto points = restore_points(all);
  ASSERT_EQ(points.size(), 1u);
  EXPECT_EQ(points[0].time, all[0].start_time);
  EXPECT_EQ(points[0].scope, Scope::standard);
  for (const auto& problem : points[0].problems) EXPECT_EQ(problem.find('\x1b'), std::string::npos);
}

class FindPoint : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<Snapshot> all;
    append(all, own_run("aaaaaaaa-0001", "2026-11-20T03:00:30+00:00", 1, 1));
    append(all, own_run("aaaaaaaa-0002", "2026-11-21T03:00:00+00:00", 1, 1));
    append(all, own_run("bbbbbbbb-0003", "2026-11-22T03:00:00+00:00", 2, 1));  // half a run, and the newest
    points = restore_points(all);
  }
  std::string find(const std::string& at, Seconds offset = Seconds(0), const std::string& unit = "shop") {
    const auto found = find_point(points, unit, at, from_iso8601("2026-11-22T12:00:00Z"), offset);
    return found ? found->backup_id : std::string("error: ") + found.error().what();
  }
  std::vector<RestorePoint> points;
};

TEST_F(FindPoint, SoLongAgoIsTheNewestThatIsAtLeastThatOld) {
  EXPECT_EQ(find("1 day ago"), "aaaaaaaa-0002");
  EXPECT_EQ(find("2 days ago"), "aaaaaaaa-0001");
  EXPECT_EQ(find(" 50 hours ago"), "aaaaaaaa-0001");
  EXPECT_THAT(find("1 week ago"), testing::HasSubstr("is that old"));
  for (const auto* wrong : {"days ago", "3 days", "3 fortnights ago", "-1 days ago", "3  days ago", "999999 days ago"}) {
    EXPECT_THAT(find(wrong), testing::HasSubstr("is called")) << wrong;
  }
}

TEST_F(FindPoint, OfOneMachineAlone) {
  EXPECT_EQ(points_of_machine(points, "")->size(), 3u);
  EXPECT_EQ(points_of_machine(points, points.front().host)->size(), 3u);
  const auto typo = points_of_machine(points, points.front().host + "x");
  ASSERT_FALSE(typo);
  EXPECT_THAT(typo.error().next_step(), testing::HasSubstr("did you mean " + points.front().host));
}

TEST_F(FindPoint, LatestIsTheNewestCompleteOne) {
  EXPECT_EQ(find("latest"), "aaaaaaaa-0002");
  EXPECT_EQ(find(""), "aaaaaaaa-0002");
}

TEST_F(FindPoint, AnIdOrAUniquePrefixNamesAlsoHalfARun) {
  EXPECT_EQ(find("aaaaaaaa-0001"), "aaaaaaaa-0001");
  EXPECT_EQ(find("bbbbbb"), "bbbbbbbb-0003");
  EXPECT_EQ(find("aaaaaaaa-0002-v0"), "aaaaaaaa-0002");
  EXPECT_NE(find("aaaaaa").find("means several"), std::string::npos);
  EXPECT_NE(find("bbbbb").find("error"), std::string::npos) << "five characters are too few";
}

TEST_F(FindPoint, ATimeMeansTheNewestPointNotLater) {
  EXPECT_EQ(find("2026-11-20 03:00"), "aaaaaaaa-0001") << "the minute counts as a whole";
  EXPECT_NE(find("2026-11-20 03:00:29").find("aaaaaaaa of 2026-11-20T03:00:30Z"), std::string::npos) << "names the nearest";
  EXPECT_EQ(find("2026-11-20"), "aaaaaaaa-0001");
  EXPECT_EQ(find("2026-11-23T00:00:00Z"), "aaaaaaaa-0002") << "not the half run between";
  EXPECT_EQ(find("2026-11-21 04:00", Seconds(3600)), "aaaaaaaa-0002");
  EXPECT_EQ(find("2026-11-21 03:59", Seconds(3600)), "aaaaaaaa-0001");
  EXPECT_EQ(find("2026-11-21T03:59:00+01:00"), "aaaaaaaa-0001") << "its own offset wins";
}

TEST_F(FindPoint, RefusesWhatIsNeitherIdNorTime) {
  for (const auto* at : {"yesterday", "2026-02-31", "2026-11-20 25:00", "2026-11-20 03:00 garbage", "2026-11-20T03:00+99:00",
                         "2026-11-20+", "-", "\x1b[31m"}) {
    EXPECT_EQ(find(at).rfind("error", 0), 0u) << at;
  }
}

TEST_F(FindPoint, NamesTheUnitThatWasMeant) {
  EXPECT_NE(find("latest", Seconds(0), "shpo").find("did you mean shop?"), std::string::npos);
}

}  // namespace
}  // namespace kopidocka
