#include "journal/recovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace kopidocka {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Type = JournalRecord::Type;

JournalRecord about(Type type, const std::string& container = {}, const std::string& note = {}) {
  JournalRecord record;
  record.type = type;
  record.container = container;
  record.note = note;
  return record;
}

JournalRecord hold(const std::vector<std::string>& ids, const std::string& started_at = "then") {
  auto record = about(Type::hold);
  for (const auto& id : ids) record.members.push_back({id, id, started_at, "shop", id, 1, 10});
  return record;
}

JournalRecord data(Type type, const std::string& target) {
  auto record = about(type);
  record.data = HeldData{target, "rename", target + ".new", "", false};
  return record;
}

std::vector<std::string> owed(const Debts& debts) {
  std::vector<std::string> ids;
  for (const auto& member : debts.members) ids.push_back(member.id);
  return ids;
}

std::vector<std::string> targets(const std::vector<HeldData>& values) {
  std::vector<std::string> found;
  for (const auto& value : values) found.push_back(value.target);
  return found;
}

TEST(Debts, OfNoRecordsAreNone) {
  const auto debts = debts_of({});
  EXPECT_THAT(debts.members, IsEmpty());
  EXPECT_FALSE(debts.reported);
  EXPECT_FALSE(debts.ended);
}

TEST(Debts, KnowTheRunTheyAreOf) {
  JournalRecord begin;
  begin.run = "r";
  begin.unit = "shop";
  begin.kind = "restore";
  begin.engine_id = "E";
  begin.trigger = "schedule";
  begin.scope = "full";
  begin.engine = "kopia";
  begin.time = from_iso8601("2026-11-22T03:00:00Z");
  const auto debts = debts_of({begin});
  EXPECT_EQ(debts.run + debts.unit + debts.kind + debts.engine_id + debts.trigger + debts.scope + debts.engine, "rshoprestoreEschedulefullkopia");
  EXPECT_EQ(debts.started_at, begin.time);
}

TEST(Debts, BeginWithTheAnnouncedStopAndNotBefore) {
  EXPECT_THAT(owed(debts_of({hold({"db", "web"})})), IsEmpty()) << "nobody was asked to stop yet";
  const auto debts = debts_of({hold({"db", "web"}), about(Type::stopping, "web")});
  EXPECT_THAT(owed(debts), ElementsAre("web"));
  EXPECT_THAT(debts.stopping, ElementsAre("web"));
}

TEST(Debts, OfAStoppedMemberHaveNoStopOnItsWay) {
  const auto debts = debts_of({hold({"web"}), about(Type::stopping, "web"), about(Type::stopped, "web")});
  EXPECT_THAT(owed(debts), ElementsAre("web"));
  EXPECT_THAT(debts.stopping, IsEmpty());
}

TEST(Debts, ComeInStartOrderWhateverTheOrderOfTheStops) {
  EXPECT_THAT(owed(debts_of({hold({"db", "app", "web"}), about(Type::stopping, "web"), about(Type::stopping, "app"), about(Type::stopping, "db")})),
              ElementsAre("db", "app", "web"));
}

TEST(Debts, ArePaidByTheStartedRecordAndNotByTheIntent) {
  std::vector<JournalRecord> records = {hold({"db"}), about(Type::stopping, "db"), about(Type::stopped, "db"), about(Type::starting, "db")};
  EXPECT_THAT(owed(debts_of(records)), ElementsAre("db"));
  records.push_back(about(Type::started, "db"));
  EXPECT_THAT(owed(debts_of(records)), IsEmpty());
}

TEST(Debts, AreClosedWhenDisowned) {
  EXPECT_THAT(owed(debts_of({hold({"db"}), about(Type::stopping, "db"), about(Type::disowned, "db", "gone")})), IsEmpty());
}

TEST(Debts, ALaterHoldRenewsWhatIsKnownOfAMember) {
  const auto debts = debts_of({hold({"db"}), hold({"db"}, "later"), about(Type::stopping, "db")});
  ASSERT_EQ(debts.members.size(), 1u);
  EXPECT_EQ(debts.members[0].started_at, "later");
}

TEST(Debts, DataIsOwedBackFromTheIntentToSwapUntilItIsRestored) {
  std::vector<JournalRecord> records = {data(Type::staging, "/a"), data(Type::staging, "/b")};
  EXPECT_THAT(debts_of(records).swaps, IsEmpty());
  EXPECT_THAT(targets(debts_of(records).staged), ElementsAre("/a", "/b"));
  records.push_back(data(Type::swapping, "/a"));
  EXPECT_THAT(targets(debts_of(records).swaps), ElementsAre("/a"));
  records.push_back(data(Type::swapped, "/a"));
  records.push_back(data(Type::swapping, "/b"));
  EXPECT_THAT(targets(debts_of(records).swaps), ElementsAre("/a", "/b"));
  records.push_back(data(Type::restored, "/b"));
  EXPECT_THAT(targets(debts_of(records).swaps), ElementsAre("/a"));
}

TEST(Debts, OnceTheNewDataIsKeptNothingIsPutBackUnderTheContainersThatWriteToIt) {
  const auto debts = debts_of({hold({"db"}), about(Type::stopping, "db"), data(Type::swapping, "/a"), data(Type::swapped, "/a"), about(Type::kept)});
  EXPECT_THAT(debts.swaps, IsEmpty());
  EXPECT_THAT(targets(debts.replaced), ElementsAre("/a"));
  EXPECT_THAT(owed(debts), ElementsAre("db")) << "and they are still owed a start, on the new data";
}

TEST(Debts, AReportedRunKeepsItsNewDataUnlessItSaysThatItIsInDoubt) {
  const std::vector<JournalRecord> records = {hold({"db"}), about(Type::stopping, "db"), data(Type::swapping, "/a")};
  auto decided = records;
  decided.push_back(about(Type::reported));
  EXPECT_THAT(debts_of(decided).swaps, IsEmpty());
  EXPECT_TRUE(debts_of(decided).reported);
  auto doubtful = records;
  doubtful.push_back(about(Type::reported, {}, std::string(kDataInDoubt)));
  EXPECT_THAT(targets(debts_of(doubtful).swaps), ElementsAre("/a")) << "started on half-restored data otherwise";
  EXPECT_THAT(owed(debts_of(doubtful)), ElementsAre("db"));
}

JournalRecord at(const std::string& time, JournalRecord record) {
  record.time = from_iso8601(time);
  return record;
}

TEST(Debts, AStopThatWasNeverConfirmedMayComeForAnHourOneThatMayNotHaveBeenSentForItsGrace) {
  const auto asked = from_iso8601("2026-11-22T03:00:00Z");
  std::vector<JournalRecord> records = {hold({"db"}), at("2026-11-22T03:00:00Z", about(Type::stopping, "db"))};
  const auto sent = debts_of(records);
  EXPECT_EQ(stop_may_come_until(sent, sent.members.front()), asked + Seconds(10) + kStopMargin);
  records.push_back(at("2026-11-22T03:00:40Z", about(Type::stopping, "db", std::string(kUnconfirmed))));
  const auto unconfirmed = debts_of(records);
  EXPECT_THAT(unconfirmed.stopping, ElementsAre("db"));
  EXPECT_EQ(stop_may_come_until(unconfirmed, unconfirmed.members.front()), asked + Seconds(40) + kUnconfirmedLimit);
  records.push_back(about(Type::stopped, "db"));
  const auto stopped = debts_of(records);
  EXPECT_EQ(stop_may_come_until(stopped, stopped.members.front()), std::nullopt);
}

TEST(Debts, TellWhatTheReportOfALostRunNeeds) {
  const auto debts = debts_of({hold({"db", "web"}), at("2026-11-22T03:00:00Z", about(Type::stopping, "web")),
                               at("2026-11-22T03:00:05Z", about(Type::stopping, "db")), about(Type::disowned, "web", "web was taken away"),
                               at("2026-11-22T03:01:00Z", about(Type::started, "db", std::string(kByRecovery)))});
  EXPECT_EQ(debts.first_stop, from_iso8601("2026-11-22T03:00:00Z"));
  EXPECT_EQ(debts.last_start, from_iso8601("2026-11-22T03:01:00Z"));
  EXPECT_THAT(debts.restarted, ElementsAre("db"));
  EXPECT_THAT(debts.reasons, ElementsAre("web was taken away"));
}

TEST(Debts, KnowHowAReportedRunEnded) {
  auto record = at("2026-11-22T03:01:00Z", about(Type::reported));
  record.result = "partial";
  record.reason = "start";
  const auto debts = debts_of({record});
  EXPECT_EQ(debts.result + debts.reason, "partialstart");
  EXPECT_EQ(debts.reported_at, record.time);
}

TEST(Debts, EndWithTheRun) { EXPECT_TRUE(debts_of({hold({"db"}), about(Type::end)}).ended); }

HeldMember frozen() {
  HeldMember member;
  member.id = member.name = "db";
  member.started_at = "then";
  member.grace = 0;
  member.by_pause = true;
  return member;
}

Container in_state(const std::string& status, const std::string& started_at = "then") {
  Container container;
  container.id = container.name = "db";
  container.state.status = status;
  container.state.started_at = started_at;
  return container;
}

TEST(Pauses, OnlyWhatWePausedAndIsPausedIsUnpaused) {
  EXPECT_EQ(decide(frozen(), in_state("paused"), false).action, DebtDecision::start);
  EXPECT_EQ(decide(frozen(), in_state("paused"), true).action, DebtDecision::start);
  EXPECT_EQ(decide(frozen(), in_state("paused", "later"), false).action, DebtDecision::disowned) << "somebody started it anew and paused it";
  EXPECT_EQ(decide(frozen(), in_state("running", "later"), false).action, DebtDecision::disowned);
  EXPECT_EQ(decide(frozen(), std::nullopt, false).action, DebtDecision::disowned);
}

TEST(Pauses, WhatRunsIsLeftAloneUnlessOurPauseMayComeYet) {
  EXPECT_EQ(decide(frozen(), in_state("running"), false).action, DebtDecision::settled);
  EXPECT_EQ(decide(frozen(), in_state("running"), true).action, DebtDecision::wait);
}

TEST(Pauses, WhatEndedWhileItWasPausedIsNotStartedAsNobodyOfUsStoppedIt) {
  for (const auto* status : {"exited", "dead", "removing", "created"}) {
    EXPECT_EQ(decide(frozen(), in_state(status), false).action, DebtDecision::disowned) << status;
  }
}

TEST(Pauses, AStoppedMemberThatIsPausedIsNotOurs) {
  auto stopped = frozen();
  stopped.by_pause = false;
  EXPECT_EQ(decide(stopped, in_state("paused"), false).action, DebtDecision::settled) << "it runs as before, and who paused it will unpause it";
}

/// What is owed after some records, told apart from how debts_of does it.
struct Model {
  std::set<std::string> down, in_flight;
  std::vector<std::string> set_aside;

  void take(const JournalRecord& record) {
    switch (record.type) {
      case Type::stopping:
        down.insert(record.container);
        in_flight.insert(record.container);
        break;
      case Type::stopped: in_flight.erase(record.container); break;
      case Type::started:
      case Type::disowned:
        down.erase(record.container);
        in_flight.erase(record.container);
        break;
      case Type::swapping: set_aside.push_back(record.data->target); break;
      case Type::restored: std::erase(set_aside, record.data->target); break;
      case Type::reported: set_aside.clear(); break;
      default: break;
    }
  }
};

/// A run as it may happen: stops and starts of the members interleaved, some starts failing, a restore's swaps between.
std::vector<JournalRecord> random_run(std::mt19937& random) {
  std::vector<std::string> ids;
  for (size_t count = 1 + random() % 6; ids.size() < count;) ids.push_back("c" + std::to_string(ids.size()));
  std::vector<JournalRecord> records = {about(Type::begin), hold(ids)};
  auto stops = ids;
  std::shuffle(stops.begin(), stops.end(), random);
  for (const auto& id : stops) {
    records.push_back(about(Type::stopping, id));
    if (random() % 8 != 0) records.push_back(about(random() % 8 == 0 ? Type::disowned : Type::stopped, id));
  }
  for (size_t swap = 0; swap < random() % 4; ++swap) {
    const auto target = "/t" + std::to_string(swap);
    records.push_back(data(Type::staging, target));
    records.push_back(data(Type::swapping, target));
    if (random() % 3 != 0) records.push_back(data(Type::swapped, target));
    if (random() % 4 == 0) records.push_back(data(Type::restored, target));
  }
  for (const auto& id : ids) {
    records.push_back(about(Type::starting, id));
    if (random() % 5 != 0) records.push_back(about(Type::started, id));
  }
  records.push_back(about(Type::reported));
  records.push_back(about(Type::end));
  return records;
}

TEST(Debts, OfEveryBeginningOfARunAreWhatWasDoneAndNotUndone) {
  std::mt19937 random(20261122);
  for (int round = 0; round < 300; ++round) {
    const auto records = random_run(random);
    Model model;
    std::vector<JournalRecord> seen;
    for (const auto& record : records) {
      seen.push_back(record);
      model.take(record);
      const auto debts = debts_of(seen);
      auto ids = owed(debts);
      EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end())) << "start order";
      ASSERT_EQ(std::set<std::string>(ids.begin(), ids.end()), model.down) << "round " << round << " after " << seen.size();
      ASSERT_EQ(std::set<std::string>(debts.stopping.begin(), debts.stopping.end()), model.in_flight);
      ASSERT_EQ(targets(debts.swaps), model.set_aside);
      ASSERT_EQ(debts.ended, record.type == Type::end);
    }
  }
}

HeldMember db() { return {"db", "shop-db-1", "2026-11-22T20:00:00.000000001Z", "shop", "db", 1, 10}; }

Container now(const std::string& status, const std::string& started_at = db().started_at) {
  Container container;
  container.id = "db";
  container.state.status = status;
  container.state.started_at = started_at;
  return container;
}

TEST(Decide, TheSameContainerThatIsDownIsOursToStart) {
  for (const auto* status : {"exited", "created"}) {
    EXPECT_EQ(decide(db(), now(status), true).action, DebtDecision::start) << status;
    EXPECT_EQ(decide(db(), now(status), false).action, DebtDecision::start) << status;
  }
}

TEST(Decide, OneThatIsGoneOrGoingIsNotOurs) {
  EXPECT_EQ(decide(db(), std::nullopt, true).action, DebtDecision::disowned);
  EXPECT_THAT(decide(db(), std::nullopt, true).reason, HasSubstr("does not exist any more"));
  EXPECT_EQ(decide(db(), now("removing"), true).action, DebtDecision::disowned);
  EXPECT_EQ(decide(db(), now("dead"), true).action, DebtDecision::disowned);
}

TEST(Decide, ANewerStartMeansThatSomebodyActedWhateverItsState) {
  for (const auto* status : {"running", "exited", "paused", "restarting", "created"}) {
    for (const bool requested : {true, false}) {
      EXPECT_EQ(decide(db(), now(status, "2026-11-22T20:00:00.000000002Z"), requested).action, DebtDecision::disowned) << status;
    }
  }
}

TEST(Decide, OneThatStillRunsMayBeStoppingOnlyWhenItWasAskedTo) {
  for (const auto* status : {"running", "paused", "restarting"}) {
    EXPECT_EQ(decide(db(), now(status), true).action, DebtDecision::wait) << status;
    EXPECT_EQ(decide(db(), now(status), false).action, DebtDecision::settled) << status;
  }
}

TEST(Decide, ShowsHostileNamesHarmless) {
  auto member = db();
  member.name = "\x1b[2J\n";
  EXPECT_EQ(decide(member, std::nullopt, true).reason.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace kopidocka
