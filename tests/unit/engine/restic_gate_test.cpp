#include "engine/restic/restic_gate.hpp"

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "base/error.hpp"
#include "support/run_task.hpp"

namespace kopidocka {
namespace {

using testing::run_task;

constexpr Milliseconds kMoment{50};
constexpr Milliseconds kLong{60'000};

struct Yard {
  std::unique_ptr<ResticGate::Pass> enter(const std::string& path = {}, Milliseconds limit = kLong) {
    return run_task(io, gate.enter(path, limit, Cancel()));
  }
  std::unique_ptr<ResticGate::Pass> alone(Milliseconds limit = kMoment) { return run_task(io, gate.enter_alone(limit, Cancel())); }
  boost::asio::io_context io;
  ResticGate gate;
};

TEST(ResticGate, LetsManyInAtOnceAndNobodyBesideTheOneWhoIsAlone) {
  Yard yard;
  auto first = yard.enter(), second = yard.enter();
  EXPECT_FALSE(yard.alone());
  first.reset();
  EXPECT_FALSE(yard.alone());
  second.reset();
  auto alone = yard.alone();
  ASSERT_TRUE(alone);
  EXPECT_FALSE(yard.alone());
  try {
    yard.enter({}, kMoment);
    ADD_FAILURE() << "two were inside";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::busy);
  }
  alone.reset();
  EXPECT_TRUE(yard.enter());
}

TEST(ResticGate, KeepsThePlaceFreeForAnnouncedBackups) {
  Yard yard;
  yard.gate.announce({"/a", "/b"});
  EXPECT_FALSE(yard.alone());
  yard.enter("/a").reset();
  EXPECT_FALSE(yard.alone()) << "one is still to come";
  yard.enter("/b").reset();
  EXPECT_TRUE(yard.alone());
  yard.gate.announce({"/a"});
  EXPECT_TRUE(yard.alone(Milliseconds(0))) << "what takes a moment need not wait for them";
  yard.gate.retract({"/a"});
  EXPECT_TRUE(yard.alone());
}

TEST(ResticGate, ABackupIsLetInAsSoonAsTheOtherLeaves) {
  Yard yard;
  auto alone = yard.alone();
  static constexpr auto leave = [](std::unique_ptr<ResticGate::Pass>& pass) -> Task<> {
    co_await sleep_for(Milliseconds(20));
    pass.reset();
  };
  TaskGroup group(yard.io.get_executor());
  group.spawn(leave(alone));
  EXPECT_TRUE(yard.enter("/a"));
  run_task(yard.io, group.join());
}

TEST(ResticGate, AnAnnouncementCanEndLongWork) {
  Yard yard;
  bool asked = false;
  yard.gate.on_announce([&] { asked = true; });
  yard.gate.announce({"/a"});
  EXPECT_TRUE(asked);
}

TEST(ResticGate, WaitingEndsWithAnAbort) {
  Yard yard;
  const auto alone = yard.alone();
  Cancel cancel;
  cancel.request(CancelGrade::abort_step);
  try {
    run_task(yard.io, yard.gate.enter({}, kLong, cancel));
    ADD_FAILURE() << "it was let in";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::cancelled);
  }
}

}  // namespace
}  // namespace kopidocka
