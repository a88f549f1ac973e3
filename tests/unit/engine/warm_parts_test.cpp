#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "engine/engine.hpp"
#include "engine/kopia/kopia_fix.hpp"
#include "engine/kopia/kopia_json.hpp"
#include "engine/kopia/kopia_listing.hpp"
#include "engine/kopia/kopia_review.hpp"
#include "engine/kopia/kopia_warm_rules.hpp"

namespace kopidocka {
namespace {

const std::string kSnapshot = "0123456789abcdef0123456789abcdef";
const std::string kContent = "58b6d5d67c834bb122fbc2a046388026";

std::vector<std::string> many(size_t count) {
  std::vector<std::string> ids;
  for (size_t i = 0; i < count; ++i) {
    const auto number = std::to_string(i);
    ids.push_back(std::string(32 - number.size(), '0') + number);
  }
  return ids;
}

size_t count_of(const std::vector<std::string>& args, const std::string& beginning) {
  return static_cast<size_t>(std::count_if(args.begin(), args.end(), [&](const auto& arg) { return arg.starts_with(beginning); }));
}

/// The one shape that may leave the builder.
void expect_harmless(const std::vector<std::string>& args, const std::string& snapshot, const std::vector<std::string>& ids) {
  ASSERT_GT(args.size(), 6u);
  EXPECT_EQ(args[0] + " " + args[1] + " " + args[2], "snapshot fix remove-files");
  EXPECT_EQ(count_of(args, "--manifest-id"), 1u);
  EXPECT_NE(std::find(args.begin(), args.end(), "--manifest-id=" + snapshot), args.end());
  EXPECT_EQ(count_of(args, "--object-id="), ids.size());
  EXPECT_EQ(args.size(), ids.size() + 6u);
  for (const auto& arg : args) {
    EXPECT_EQ(arg.find_first_of(" ,\n\t*"), std::string::npos) << arg;
    for (const auto* never : {"--source", "--filename", "@"}) EXPECT_FALSE(arg.starts_with(never)) << arg;
  }
}

TEST(KopiaFix, NamesOneSnapshotAndEveryContent) {
  const std::vector<std::string> ids{kContent, "Ix" + kContent, "IIx" + kContent, "Z" + kContent, std::string(64, 'a')};
  const auto args = kopia_remove_files_args(kSnapshot, ids);
  ASSERT_TRUE(args) << args.error().text();
  expect_harmless(*args, kSnapshot, ids);
  EXPECT_NE(std::find(args->begin(), args->end(), "--commit"), args->end());
}

TEST(KopiaFix, WithoutExactlyOneSnapshotThereIsNoCall) {
  for (const auto& id : {std::string(), std::string("all"), std::string(" "), std::string(31, 'a'), std::string(33, 'a'), std::string(32, 'g'),
                         std::string(32, 'A'), std::string(64, 'a'), kSnapshot + " ", " " + kSnapshot, kSnapshot + "\n", kSnapshot + "," + kSnapshot,
                         kSnapshot + " --manifest-id=" + kSnapshot, "--manifest-id=" + kSnapshot, std::string("k") + kSnapshot.substr(1),
                         kSnapshot.substr(0, 31) + std::string(1, '\0'), std::string("@/etc/passwd")}) {
    const auto args = kopia_remove_files_args(id, {kContent});
    ASSERT_FALSE(args) << printable(id);
    EXPECT_EQ(args.error().kind(), ErrorKind::refused);
  }
}

TEST(KopiaFix, WithoutContentsOrWithOneThatIsNoneThereIsNoCall) {
  EXPECT_FALSE(kopia_remove_files_args(kSnapshot, {}));
  for (const auto& id : {std::string(), std::string("all"), std::string("*"), "k" + kContent, "Ixx" + kContent, "ZI" + kContent, "IZ" + kContent,
                         "x" + kContent, kContent + "0", kContent.substr(2), std::string(66, 'a'), kContent + ",", kContent + " --source=x",
                         "--manifest-id=" + kSnapshot, kContent + "\n" + kContent, std::string(32, 'F'), "I" + std::string(31, 'a')}) {
    EXPECT_FALSE(kopia_remove_files_args(kSnapshot, {id})) << printable(id);
    EXPECT_FALSE(kopia_remove_files_args(kSnapshot, {kContent, id})) << printable(id);
    EXPECT_FALSE(kopia_remove_files_args(kSnapshot, {id, kContent})) << printable(id);
  }
}

TEST(KopiaFix, ACallHoldsOnlySoMuch) {
  EXPECT_TRUE(kopia_remove_files_args(kSnapshot, many(30'000)));
  EXPECT_FALSE(kopia_remove_files_args(kSnapshot, many(40'001)));
  std::vector<std::string> long_ones(20'000, std::string(64, 'a'));
  EXPECT_TRUE(kopia_remove_files_args(kSnapshot, long_ones));
  long_ones.resize(30'000, std::string(64, 'a'));
  EXPECT_FALSE(kopia_remove_files_args(kSnapshot, long_ones)) << "more bytes than a call can have";
}

/// Ids put together of pieces that would do harm, and of good ones.
std::string garbage(std::mt19937& dice) {
  static const std::vector<std::string> pieces{"", " ", ",", "\n", "\t", "=", "-", "--manifest-id=", "--object-id=", "--source=", "--commit", "all", "*", "@",
                                               "k", "I", "Ix", "Z", "0", "f", "F", "g", kContent, kContent.substr(0, 16), kSnapshot, std::string(1, '\0'), "\xff"};
  std::string text;
  const auto count = dice() % 4;
  for (size_t i = 0; i < count; ++i) text += pieces[dice() % pieces.size()];
  return text;
}

TEST(KopiaFix, NothingButThatOneShapeEverComesOut) {
  std::mt19937 dice(7);
  int built = 0;
  for (int round = 0; round < 50'000; ++round) {
    const auto snapshot = dice() % 3 == 0 ? kSnapshot : garbage(dice);
    std::vector<std::string> ids(dice() % 4);
    for (auto& id : ids) id = dice() % 2 == 0 ? kContent : garbage(dice);
    const auto args = kopia_remove_files_args(snapshot, ids);
    if (!args) continue;
    ++built;
    expect_harmless(*args, snapshot, ids);
    EXPECT_TRUE(is_kopia_snapshot_id(snapshot));
    EXPECT_TRUE(std::all_of(ids.begin(), ids.end(), [](const auto& id) { return is_kopia_file_id(id); }));
    if (HasFailure()) return;
  }
  EXPECT_GT(built, 300);
}

std::string line(const std::string& mode, const std::string& size, const std::string& time, const std::string& id, const std::string& name) {
  return mode + " " + std::string(12 - std::min<size_t>(size.size(), 12), ' ') + size + " " + time + " " + id +
         std::string(34 - std::min<size_t>(id.size(), 34), ' ') + " " + name;
}
const std::string kTime = "2026-11-25 03:36:32 UTC";

TEST(KopiaListing, ReadsFilesLinksAndFolders) {
  const auto file = parse_kopia_entry("-rw-r--r--     50000000 2026-11-25 03:36:32 UTC Ixd632758f7766dea6bab86cc13610ca77 a/big one ").value();
  EXPECT_EQ(file.kind, KopiaEntry::Kind::file);
  EXPECT_EQ(file.size, 50'000'000u);
  EXPECT_EQ(file.object_id, "Ixd632758f7766dea6bab86cc13610ca77");
  EXPECT_EQ(file.path, "a/big one ");
  EXPECT_EQ(Seconds(file.mtime_second), from_iso8601("2026-11-25T03:36:32Z").time_since_epoch());
  const auto folder = parse_kopia_entry("dtrwxrwxrwx            2 1950-01-01 00:00:00 UTC k759f92b48e0910287b43207844222923  a b/").value();
  EXPECT_EQ(folder.kind, KopiaEntry::Kind::folder);
  EXPECT_EQ(folder.path, "a b");
  EXPECT_LT(folder.mtime_second, 0);
  EXPECT_EQ(parse_kopia_entry(line("Lrwxrwxrwx", "3", kTime, kContent, "l")).value().kind, KopiaEntry::Kind::link);
  EXPECT_EQ(parse_kopia_entry(line("urw-r--r--", "2", kTime, kContent, "  lead")).value().path, "  lead");
  EXPECT_EQ(parse_kopia_entry(line("ugtrwxr-xr-x", "1234567890123", kTime, std::string(64, 'a'), "x")).value().size, 1'234'567'890'123u);
}

TEST(KopiaListing, RefusesWhatIsNotExactlyOfThatForm) {
  for (const auto& odd : {std::string(), std::string("name"), line("-rw-r--r--", "2", kTime, kContent, ""), line("-rw-r--r--", "2", kTime, kContent, "x/"),
                          line("drwxr-xr-x", "2", kTime, kContent, "x"), line("prw-r--r--", "2", kTime, kContent, "x"), line("rw-r--r--", "2", kTime, kContent, "x"),
                          line("-rw-r--r--", "", kTime, kContent, "x"), line("-rw-r--r--", "-2", kTime, kContent, "x"), line("-rw-r--r--", "2 KB", kTime, kContent, "x"),
                          line("-rw-r--r--", "99999999999999999999999", kTime, kContent, "x"), line("-rw-r--r--", "2", "2026-11-25 03:36:32 CET", kContent, "x"),
                          line("-rw-r--r--", "2", "2026-13-25 03:36:32 UTC", kContent, "x"), line("-rw-r--r--", "2", "2026-02-30 03:36:32 UTC", kContent, "x"),
                          line("-rw-r--r--", "2", kTime, "", "x"), line("-rw-r--r--", "2", kTime, "\x1b[31m", "x"), line("-rw-r--r--", "2", kTime, kContent, "no text \xEF\xBF\xBD"),
                          "-rw-r--r-- 2 " + kTime + " " + kContent + "   x", line("-rw-r--r--", "2", kTime, kContent, "x").substr(1)}) {
    EXPECT_FALSE(parse_kopia_entry(odd)) << printable(odd);
  }
}

TEST(KopiaListing, SurvivesAnyBytes) {
  std::mt19937 dice(11);
  const auto good = line("-rw-r--r--", "2", kTime, kContent, "name");
  for (int round = 0; round < 30'000; ++round) {
    auto text = good.substr(0, dice() % (good.size() + 1));
    for (size_t i = dice() % 4; i > 0 && !text.empty(); --i) text[dice() % text.size()] = static_cast<char>(dice());
    (void)parse_kopia_entry(text);
  }
}

TimePoint at(std::int64_t second, int milliseconds = 0) { return TimePoint(Seconds(second) + Milliseconds(milliseconds)); }
const std::int64_t kSecond = std::chrono::duration_cast<Seconds>(from_iso8601("2026-11-25T03:36:32Z").time_since_epoch()).count();
const std::string kOther(32, 'b');

TEST(KopiaReview, DoubtsWhatMayBeAsYoungAsTheMoment) {
  for (const auto& [since, doubtful] : {std::pair(at(kSecond), true), {at(kSecond, 999), true}, {at(kSecond + 1), false}, {at(kSecond - 1), true}}) {
    KopiaReview review(since, {});
    review.add(line("-rw-r--r--", "2", kTime, kContent, "x"));
    EXPECT_EQ(!review.doubtful_ids().empty(), doubtful);
  }
}

TEST(KopiaReview, TakesTwinsOutTooAndVouchesForTheRest) {
  KopiaReview review(at(kSecond + 60), {"one", "not there"});
  review.add(line("drwxr-xr-x", "2", kTime, "k" + kContent, "d/"));
  review.add(line("-rw-r--r--", "5", kTime, kContent, "one"));
  review.add(line("-rw-r--r--", "5", kTime, kContent, "d/twin"));
  review.add(line("-rw-r--r--", "7", kTime, kOther, "d/clean"));
  review.add(line("Lrwxrwxrwx", "9", kTime, kOther, "link"));
  EXPECT_TRUE(review.check({3, 1, 2}));
  EXPECT_EQ(review.doubtful_ids(), std::vector<std::string>{kContent});
  const auto doubt = review.verdict();
  EXPECT_EQ(doubt.files, 2u);
  EXPECT_EQ(doubt.bytes, 10u);
  EXPECT_EQ(doubt.trust.size(), 2u);
  EXPECT_TRUE(doubt.trust.vouches_for("d/clean", 7, kSecond));
  EXPECT_TRUE(doubt.trust.vouches_for("link", 9, kSecond));
  EXPECT_FALSE(doubt.trust.vouches_for("d/twin", 5, kSecond));
  EXPECT_TRUE(doubt.trust.vouches_for("any\nname", 0, 0)) << "the list does not show it as it is";
}

TEST(KopiaReview, RefusesAListThatHasNotAsManyEntriesAsTheSnapshot) {
  KopiaReview review(at(kSecond + 60), {});
  review.add(line("-rw-r--r--", "5", kTime, kContent, "one"));
  EXPECT_TRUE(review.check({1, 0, 1}));
  for (const auto& counts : {KopiaCounts{2, 0, 1}, {0, 0, 1}, {1, 1, 1}, {1, 0, 2}}) EXPECT_FALSE(review.check(counts));
  review.add("two lines");
  EXPECT_EQ(review.check({1, 0, 1}).error().kind(), ErrorKind::refused);
}

TEST(KopiaReview, RefusesATouchedNameThatTheListCannotShow) {
  KopiaReview review(at(kSecond + 60), {"a\nb"});
  EXPECT_FALSE(review.check({0, 0, 1}));
}

TEST(KopiaCounts, AreReadFromTheListOfSnapshots) {
  const std::string list = R"([{"id":"a"},{"id":"b","rootEntry":{"summ":{"size":7,"files":8,"symlinks":1,"dirs":3}}}])";
  EXPECT_EQ(decode_kopia_counts(list, "b").value(), (KopiaCounts{8, 1, 3}));
  EXPECT_EQ(decode_kopia_counts(list, "a").value(), (KopiaCounts{0, 0, 0}));
  EXPECT_EQ(decode_kopia_counts(list, "c").error().kind(), ErrorKind::not_found);
  EXPECT_EQ(decode_kopia_counts("no", "c").error().kind(), ErrorKind::failed);
}

Snapshot snapshot(const std::string& id, const std::string& incomplete, const std::string& run, std::int64_t start, const std::string& path = "/p") {
  Snapshot one;
  one.id = id;
  one.host = "h";
  one.user = "u";
  one.path = path;
  one.incomplete = incomplete;
  one.start_time = at(start);
  if (!run.empty()) one.tags[kWarmTag] = run;
  return one;
}
const KopiaIdentity kUs{"h", "u"};
using Ids = std::vector<std::string>;

TEST(WarmRules, DropTakesTheRunsOwnAndWhatKopiaSavedOnItsWay) {
  auto theirs = snapshot("theirs", "canceled", "r1", 1);
  theirs.host = "other";
  auto tagged = snapshot("backup", "canceled", "", 9);
  tagged.tags["unit"] = "shop";
  const std::vector<Snapshot> all{snapshot("cold", "", "", 0),           snapshot("w1", "canceled", "r1", 1),
                                  snapshot("c1", "checkpoint", "", 1),   snapshot("c2", "checkpoint", "", 2),
                                  snapshot("whole", "", "r2", 3),        snapshot("q", "canceled", "r1", 4, "/q"),
                                  theirs,                                tagged};
  EXPECT_EQ(warm_of_run(kUs, "r1", "")(all), (Ids{"w1", "c1", "q"}));
  EXPECT_EQ(warm_of_run(kUs, "r1", "/p")(all), (Ids{"w1", "c1"}));
  EXPECT_EQ(warm_of_run(kUs, "", "")(all), (Ids{"w1", "c1", "c2", "whole", "q"}));
  EXPECT_EQ(warm_of_run(kUs, "", "/q")(all), (Ids{"q"}));
  EXPECT_EQ(warm_of_run(kUs, "r3", "")(all), Ids());
}

TEST(WarmRules, APassLeftWhatWasNotKnownBeforeIt) {
  const std::vector<Snapshot> all{snapshot("cold", "", "", 0), snapshot("old", "canceled", "", 1), snapshot("warm", "canceled", "r", 2),
                                  snapshot("whole", "", "r", 3), snapshot("point", "checkpoint", "", 2), snapshot("q", "canceled", "r", 4, "/q")};
  EXPECT_EQ(left_of_pass(kUs, "/p", {"old"})(all), (Ids{"warm", "whole", "point"}));
  EXPECT_EQ(checkpoints_of_pass(kUs, "/p", {"old"})(all), Ids{"point"});
}

TEST(WarmRules, OnlyOneEndedWarmSnapshotIsGoodToWorkWith) {
  EXPECT_EQ(only_warm({snapshot("cold", "", "", 0), snapshot("w", "canceled", "r", 1)}, kUs, "/p").value().id, "w");
  EXPECT_FALSE(only_warm({snapshot("w", "canceled", "r", 1), snapshot("v", "canceled", "s", 2)}, kUs, "/p"));
  EXPECT_FALSE(only_warm({snapshot("w", "", "r", 1)}, kUs, "/p"));
  EXPECT_FALSE(only_warm({snapshot("w", "checkpoint", "r", 1)}, kUs, "/p"));
  EXPECT_FALSE(only_warm({snapshot("w", "canceled", "", 1)}, kUs, "/p"));
  EXPECT_FALSE(only_warm({snapshot("w", "canceled", "r", 1, "/q")}, kUs, "/p"));
}

TEST(WarmRules, ASnapshotWithAnotherIdWasRewritten) {
  const std::vector<Snapshot> before{snapshot("a", "", "", 1), snapshot("b", "", "", 2), snapshot("w", "canceled", "r", 3)};
  const auto after = [](const std::string& b) {
    return std::vector<Snapshot>{snapshot("a", "", "", 1), snapshot(b, "", "", 2), snapshot("w2", "canceled", "r", 3), snapshot("new", "", "", 4)};
  };
  EXPECT_EQ(rewritten(before, after("b"), "w"), Ids());
  EXPECT_EQ(rewritten(before, after("b2"), "w"), Ids{"b"});
  EXPECT_EQ(rewritten(before, {snapshot("a", "", "", 1)}, "w"), Ids()) << "somebody's retention";
}

}  // namespace
}  // namespace kopidocka
