#include "daemon/views.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace kopidocka {
namespace {

TEST(Views, ARestorePointSpeaksTheWordsOfAReport) {
  RestorePoint point;
  EXPECT_EQ(point_json(point)["result"], "success");
  EXPECT_EQ(point_json(point)["started_at"], point_json(point)["time"]);
  point.partial = true;
  EXPECT_EQ(point_json(point)["result"], "partial");
  point.complete = false;
  EXPECT_EQ(point_json(point)["result"], "failed") << "half a run";
  EXPECT_EQ(point_json(point)["complete"], false);
}

}  // namespace
}  // namespace kopidocka
