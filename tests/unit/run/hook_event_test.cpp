#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "run_world.hpp"

namespace kopidocka {
namespace {

using namespace testing;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Keeps how hooks ended.
class HookObserver : public RunObserver {
 public:
  void on_run_event(const RunEvent& event) override {
    if (event.kind == RunEvent::Kind::hook_ended) lines.push_back(event.text + " " + (event.error.empty() ? "well" : event.error));
  }
  std::vector<std::string> lines;
};

std::vector<std::string> hooks_of_a_run(RunWorld& world) {
  HookObserver observer;
  auto context = world.context();
  context.observers.push_back(&observer);
  Runner runner(context);
  (void)run_task(world.io, runner.carry_out(world.plan(), Cancel()));
  return observer.lines;
}

TEST(HookEvents, TellHowEachScriptEnded) {
  RunWorld world;
  world.hook("pre_backup", "exit 0");
  world.hook("post_backup", "exit 3");
  EXPECT_THAT(hooks_of_a_run(world), ElementsAre("pre_backup well", "post_backup failed"));
}

TEST(HookEvents, AreNotToldWhereThereIsNoScript) {
  RunWorld world;
  EXPECT_THAT(hooks_of_a_run(world), IsEmpty());
}

}  // namespace
}  // namespace kopidocka
