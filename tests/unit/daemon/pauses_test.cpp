#include "daemon/pauses.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
namespace fs = std::filesystem;

class PausesTest : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }
  Pauses loaded() {
    Pauses pauses(folder_ / "paused.json");
    pauses.load();
    return pauses;
  }

  fs::path folder_ = fs::temp_directory_path() / ("kd-pauses-" + make_uuid());
  TimePoint now_ = from_iso8601("2026-11-22T12:00:00Z");
};

TEST_F(PausesTest, OutliveTheProcess) {
  auto pauses = loaded();
  EXPECT_FALSE(pauses.holds("shop", now_));
  ASSERT_TRUE(pauses.pause({"shop", "blog"}, now_ + hours(2)));
  const auto later = loaded();
  EXPECT_TRUE(later.holds("shop", now_ + hours(1)));
  EXPECT_FALSE(later.holds("shop", now_ + hours(2)));
  EXPECT_FALSE(later.holds("other", now_));
  EXPECT_EQ(later.next_end(), now_ + hours(2));
}

TEST_F(PausesTest, OfEveryUnitAndWithoutAnEnd) {
  auto pauses = loaded();
  ASSERT_TRUE(pauses.pause({Pauses::kAll}, std::nullopt));
  EXPECT_TRUE(loaded().holds("whatever", now_ + hours(10'000)));
  EXPECT_EQ(loaded().next_end(), std::nullopt);
  EXPECT_THAT(pauses.resume({"shop", Pauses::kAll}).value(), ElementsAre(Pauses::kAll));
  EXPECT_FALSE(loaded().holds("whatever", now_));
}

TEST_F(PausesTest, EndByThemselves) {
  auto pauses = loaded();
  ASSERT_TRUE(pauses.pause({"shop"}, now_ + hours(1)));
  ASSERT_TRUE(pauses.pause({"blog"}, std::nullopt));
  EXPECT_FALSE(pauses.end_what_is_over(now_).value());
  EXPECT_TRUE(pauses.end_what_is_over(now_ + hours(1)).value());
  EXPECT_EQ(loaded().all().size(), 1u);
}

TEST_F(PausesTest, ADamagedFileIsNoPauseAndAFullDiskChangesNothing) {
  std::ofstream(folder_ / "paused.json") << "{\"shop\": ";
  EXPECT_FALSE(loaded().holds("shop", now_));
  auto pauses = loaded();
  fs::remove_all(folder_);
  EXPECT_FALSE(pauses.pause({"shop"}, std::nullopt));
  EXPECT_FALSE(pauses.holds("shop", now_));
}

}  // namespace
}  // namespace kopidocka
