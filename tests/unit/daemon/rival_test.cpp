#include "daemon/rival.hpp"

#include <gtest/gtest.h>

namespace kopidocka {
namespace {

Container sidecar(const std::string& id, const std::string& started_at, const std::string& label = "kopi-docka.role") {
  Container container;
  container.id = id;
  container.name = id;
  container.state.status = "running";
  container.state.started_at = started_at;
  container.labels[label] = "sidecar";
  return container;
}

std::string winner(std::vector<Container> containers, const std::string& own, const std::string& prefix = "kopi-docka.") {
  const auto rival = acting_rival(containers, own, prefix);
  return rival ? rival->id : "";
}

TEST(Rival, TheOneThatHasBeenRunningLongerActsWhicheverWasCreatedFirst) {
  auto old = sidecar("a", "2026-11-22T10:00:00Z");
  auto young = sidecar("b", "2026-11-22T09:00:00Z");
  old.created = "2026-01-01T00:00:00Z";
  young.created = "2026-11-01T00:00:00Z";
  EXPECT_EQ(winner({old, young}, "a"), "b");
  EXPECT_EQ(winner({old, young}, "b"), "");
}

TEST(Rival, TimesAreComparedAsTimesNotAsText) {
  // As text "00Z" comes after "00.5Z", and ".51Z" before ".5Z".
  const auto whole = sidecar("a", "2026-11-22T10:00:00Z"), later = sidecar("b", "2026-11-22T10:00:00.5Z");
  EXPECT_EQ(winner({whole, later}, "b"), "a");
  EXPECT_EQ(winner({whole, later}, "a"), "");
  const auto half = sidecar("c", "2026-11-22T10:00:00.5Z"), more = sidecar("d", "2026-11-22T10:00:00.51Z");
  EXPECT_EQ(winner({half, more}, "c"), "");
  EXPECT_EQ(winner({half, more}, "d"), "c");
}

TEST(Rival, OfTwoThatStartedAtOnceExactlyOneActs) {
  const auto one = sidecar("a", "2026-11-22T10:00:00Z"), other = sidecar("b", "2026-11-22T10:00:00Z");
  EXPECT_EQ(winner({one, other}, "a"), "");
  EXPECT_EQ(winner({one, other}, "b"), "a");
}

TEST(Rival, OneThatIsDownOrWaitsForItsRestartDoesNotAct) {
  for (const std::string status : {"exited", "created", "restarting", "dead"}) {
    auto rival = sidecar("a", "2026-11-22T09:00:00Z");
    rival.state.status = status;
    EXPECT_EQ(winner({rival, sidecar("b", "2026-11-22T10:00:00Z")}, "b"), "") << status;
  }
  auto paused = sidecar("a", "2026-11-22T09:00:00Z");
  paused.state.status = "paused";
  EXPECT_EQ(winner({paused, sidecar("b", "2026-11-22T10:00:00Z")}, "b"), "a");
}

TEST(Rival, OneWithAnotherLabelPrefixIsARivalAllTheSame) {
  const auto self = sidecar("b", "2026-11-22T10:00:00Z");
  EXPECT_EQ(winner({sidecar("a", "2026-11-22T09:00:00Z"), self}, "b", "backup."), "a");
  EXPECT_EQ(winner({sidecar("a", "2026-11-22T09:00:00Z", "backup.role"), self}, "b", "backup."), "a");
  EXPECT_EQ(winner({sidecar("a", "2026-11-22T09:00:00Z", "other.role"), self}, "b", "backup."), "");
}

TEST(Rival, AProcessOutsideAContainerStepsBackBeforeEverySidecar) {
  EXPECT_EQ(winner({sidecar("z", "2099-01-01T00:00:00Z")}, ""), "z");
  EXPECT_EQ(winner({}, ""), "");
}

}  // namespace
}  // namespace kopidocka
