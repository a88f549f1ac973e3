#include "daemon/log_setup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "metrics/families.hpp"

namespace kopidocka {
namespace {

TEST(LogSetup, EveryLevelIsCountedByTheNameThatMetricsKnow) {
  Settings settings;
  settings.log_level = LogLevel::trace;
  std::vector<std::string> counted;
  testing::internal::CaptureStderr();
  set_up_log(settings, [&](std::string_view level) { counted.emplace_back(level); });
  spdlog::trace("a");
  spdlog::debug("b");
  spdlog::info("c");
  spdlog::warn("d");
  spdlog::error("e");
  set_up_log(settings, {});
  (void)testing::internal::GetCapturedStderr();
  EXPECT_EQ(counted, log_levels());
}

}  // namespace
}  // namespace kopidocka
