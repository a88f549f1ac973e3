#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "engine/kopia/kopia_errors.hpp"
#include "engine/kopia/kopia_json.hpp"
#include "engine/kopia/kopia_policy.hpp"
#include "engine/kopia/kopia_progress.hpp"
#include "engine/program.hpp"
#include "engine/request_checks.hpp"
#include "engine/restic/restic_errors.hpp"
#include "engine/restic/restic_exclude.hpp"
#include "engine/restic/restic_json.hpp"
#include "engine/restic/restic_tags.hpp"
#include "engine/retention.hpp"
#include "engine/storage.hpp"

namespace kopidocka {
namespace {

using std::chrono::hours;

SourcePolicy wanted(std::vector<std::string> exclude = {}) {
  SourcePolicy policy;
  policy.path = "/p";
  policy.exclude = std::move(exclude);
  return policy;
}

Snapshot at(const std::string& time) {
  Snapshot snapshot;
  snapshot.id = time;
  snapshot.start_time = from_iso8601(time);
  return snapshot;
}

std::vector<Snapshot> hourly_for(int count) {
  std::vector<Snapshot> result;
  const auto start = from_iso8601("2024-03-01T00:30:00Z");
  for (int i = 0; i < count; ++i) {
    result.push_back(at(to_iso8601(start + hours(i))));
    result.back().id = std::to_string(i);
  }
  return result;
}

std::vector<std::string> kept(const std::vector<Snapshot>& all, const Retention& retention) {
  const auto gone = expired_ids(all, retention);
  std::vector<std::string> result;
  for (const auto& one : all) {
    if (std::find(gone.begin(), gone.end(), one.id) == gone.end()) result.push_back(one.id);
  }
  return result;
}

TEST(Retention, KeepsEverythingWhenNothingIsAsked) { EXPECT_EQ(kept(hourly_for(5), {0, 0, 0, 0, 0, 0}).size(), 5u); }

TEST(Retention, KeepsTheNewestOfEachDay) {
  EXPECT_EQ(kept(hourly_for(72), {1, 0, 2, 0, 0, 0}), (std::vector<std::string>{"47", "71"}));
}

TEST(Retention, CountsHoursBackFromTheNewestSnapshotNotFromNow) {
  EXPECT_EQ(kept(hourly_for(10), {0, 3, 0, 0, 0, 0}), (std::vector<std::string>{"7", "8", "9"}));
}

TEST(Retention, DropsWhatIsOlderThanItsPeriodsEvenWhenFewerAreLeft) {
  const std::vector<Snapshot> sparse{at("2024-01-01T12:00:00Z"), at("2024-03-01T12:00:00Z"), at("2024-03-02T12:00:00Z")};
  EXPECT_EQ(kept(sparse, {0, 0, 7, 0, 0, 0}).size(), 2u);
  EXPECT_EQ(kept(sparse, {0, 0, 0, 0, 3, 0}).size(), 2u) << "the newest of January and of March";
}

TEST(Retention, WeeksAreIsoWeeks) {
  // The last days of December 2024 belong to week 1 of 2025.
  const std::vector<Snapshot> turn{at("2024-12-29T10:00:00Z"), at("2024-12-30T10:00:00Z"), at("2025-01-02T10:00:00Z")};
  EXPECT_EQ(kept(turn, {0, 0, 0, 4, 0, 0}), (std::vector<std::string>{turn[0].id, turn[2].id}));
}

TEST(Retention, NeverNamesIncompleteSnapshots) {
  auto all = hourly_for(3);
  all[0].incomplete = "canceled";
  EXPECT_EQ(expired_ids(all, {1, 0, 0, 0, 0, 0}), std::vector<std::string>{"1"});
}

TEST(Retention, UnitsThatShareASourceHaveAHistoryEach) {
  auto all = hourly_for(6);
  for (size_t i = 0; i < all.size(); ++i) all[i].tags["unit"] = i % 2 == 0 ? "shop" : "blog";
  EXPECT_EQ(expired_ids(all, {1, 0, 0, 0, 0, 0}).size(), 4u);
  EXPECT_TRUE(expired_ids(all, {3, 0, 0, 0, 0, 0}).empty());
}

TEST(Retention, NeverNamesPinnedSnapshots) {
  auto all = hourly_for(3);
  all[0].pinned = true;
  EXPECT_EQ(expired_ids(all, {1, 0, 0, 0, 0, 0}), std::vector<std::string>{"1"});
}

TEST(ExcludeRules, LeaveOutWhatARestoreKeepsInsideTheDataAndNothingElse) {
  const auto rules = exclude_rules(wanted({"*.tmp"}));
  ASSERT_EQ(rules.size(), 2u);
  EXPECT_EQ(rules[1], "*.tmp");
  EXPECT_TRUE(glob_match(rules[0], ".kopi-docka-" + make_uuid()));
  EXPECT_TRUE(glob_match(rules[0], ".kopi-docka-" + make_uuid() + ".data.old"));
  EXPECT_FALSE(glob_match(rules[0], ".kopi-docka-notes"));
}

TEST(Storage, PathsAreNormalised) {
  EXPECT_EQ(parse_storage("filesystem:///a//b/../c/").value().path, "/a/c");
  EXPECT_EQ(parse_storage("filesystem:///a").value().text(), "filesystem:/a");
  EXPECT_EQ(normal_path("/a/b//"), "/a/b");
  EXPECT_EQ(normal_path("/"), "/");
}

TEST(Storage, OtherSchemesAreRefusedWithoutShowingTheirSecrets) {
  const auto error = parse_storage("s3://key:hunter2@bucket").error();
  EXPECT_NE(error.message().find("s3"), std::string::npos);
  EXPECT_EQ(std::string(error.what()).find("hunter2"), std::string::npos);
}

TEST(ResticTags, ComeBackWithMarks) {
  const Tags tags{{"a", "1,2=3%2C\n\xff"}, {"b", ""}};
  Tags back;
  ResticMarks marks;
  const auto texts = encode_restic_tags(tags, {"/id, entity", 3, true});
  for (const auto& text : texts) EXPECT_EQ(text.find_first_of(",\n "), std::string::npos) << text;
  decode_restic_tags(texts, back, marks);
  EXPECT_EQ(back, tags);
  EXPECT_EQ(marks.source, "/id, entity");
  EXPECT_EQ(marks.errors, 3u);
  EXPECT_TRUE(marks.ours);
}

TEST(ResticTags, OfOtherProgramsAreKeptAsNames) {
  Tags back;
  ResticMarks marks;
  decode_restic_tags({"nightly", "50%"}, back, marks);
  EXPECT_EQ(back, (Tags{{"nightly", ""}, {"50%", ""}}));
  EXPECT_FALSE(marks.ours);
}

TEST(ResticPatterns, StayBelowTheSource) {
  EXPECT_EQ(restic_patterns("/v/data", {"data"}), (std::vector<std::string>{"/v/data/data", "/v/data/**/data"}));
  EXPECT_EQ(restic_patterns("/v", {"/top", "a/b/", "!*.keep", "# note", "/"}),
            (std::vector<std::string>{"/v/top", "/v/a/b/*", "!/v/*.keep", "!/v/**/*.keep"}));
  EXPECT_EQ(restic_patterns("/v[1]*", {"/x"}), std::vector<std::string>{"/v\\[1\\]\\*/x"});
}

TEST(ResticJson, ReadsTheSummaryNewerVersionsKeep) {
  const auto list = decode_restic_snapshots(R"([{"time":"2025-01-01T00:00:00Z","tree":"t","paths":["/p"],"hostname":"h",
    "username":"root","id":"abc","tags":["kopi-docka"],"program_version":"restic 0.18.0",
    "summary":{"backup_start":"2025-01-01T00:00:00Z","backup_end":"2025-01-01T00:01:00Z","total_files_processed":2,
    "total_bytes_processed":9}}])").value();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].snapshot.bytes, 9u);
  EXPECT_EQ(list[0].snapshot.files, 2u);
  EXPECT_EQ(list[0].snapshot.end_time - list[0].snapshot.start_time, std::chrono::minutes(1));
  EXPECT_TRUE(list[0].marks.ours);
  EXPECT_TRUE(decode_restic_snapshots("null").value().empty());
  EXPECT_FALSE(decode_restic_snapshots("oops"));
}

ProcessResult failed(int code, const std::string& words) {
  ProcessResult result;
  result.exit_code = code;
  result.error_tail = words;
  return result;
}

TEST(ResticErrors, AreKnownByWordsOfOldAndByCodesOfNewVersions) {
  EXPECT_EQ(restic_error("x", failed(1, "Fatal: wrong password or no key found")).kind(), ErrorKind::denied);
  EXPECT_EQ(restic_error("x", failed(12, "whatever")).kind(), ErrorKind::denied);
  EXPECT_EQ(restic_error("x", failed(11, "")).kind(), ErrorKind::busy);
  EXPECT_EQ(restic_error("x", failed(10, "")).kind(), ErrorKind::not_found);
  EXPECT_EQ(restic_error("x", failed(1, "write /r/data: no space left on device")).kind(), ErrorKind::no_space);
  EXPECT_EQ(restic_error("x", failed(1, "unable to create lock in backend: permission denied")).kind(), ErrorKind::unreachable);
  EXPECT_EQ(restic_error("x", failed(1, "?")).kind(), ErrorKind::failed);
}

TEST(ResticErrors, OnlyALockOfSomebodyElseIsWorthAnotherTry) {
  EXPECT_TRUE(restic_locked(failed(1, "unable to create lock in backend: repository is already locked by PID 9 on h")));
  EXPECT_TRUE(restic_locked(failed(1, "repository is already locked exclusively by PID 9 on h")));
  EXPECT_TRUE(restic_locked(failed(11, "")));
  EXPECT_FALSE(restic_locked(failed(1, "unable to create lock in backend: permission denied")));
}

TEST(KopiaErrors, AreKnownByWords) {
  const auto kind = [](const std::string& words) { return kopia_error("x", failed(1, words), "/c").kind(); };
  EXPECT_EQ(kind("open repository: invalid repository password"), ErrorKind::denied);
  EXPECT_EQ(kind("ERROR password prompt error: inappropriate ioctl"), ErrorKind::denied);
  EXPECT_EQ(kind("found existing data in storage location"), ErrorKind::busy);
  EXPECT_EQ(kind("repository not initialized in the provided storage"), ErrorKind::not_found);
  EXPECT_EQ(kind("cannot access storage path: stat /x: no such file or directory"), ErrorKind::unreachable);
  EXPECT_EQ(kind("error writing pack p1: write: no space left on device"), ErrorKind::no_space);
  EXPECT_EQ(kind("something new"), ErrorKind::failed);
}

TEST(KopiaJson, ToleratesMissingAndUnknownFieldsAndKeepsWhatCounts) {
  const auto lines = decode_kopia_results("noise\n{\"id\":\"a\",\"future\":[1],\"incomplete\":\"canceled\"}\n");
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_FALSE(lines[0].usable());
  const auto list = decode_kopia_list(R"([{"id":"b","source":{"host":"h","userName":"u","path":"/p"},
    "startTime":"2025-01-01T00:00:00.5Z","tags":{"tag:k":"v:w"},
    "pins":["mine"],"rootEntry":{"type":"f","summ":{"size":5,"files":1,"numFailed":2,"numIgnoredErrors":3}}}])").value();
  ASSERT_EQ(list.size(), 1u);
  EXPECT_EQ(list[0].tags, (Tags{{"k", "v:w"}}));
  EXPECT_EQ(list[0].errors, 2u);
  EXPECT_EQ(list[0].ignored_errors, 3u);
  EXPECT_TRUE(list[0].single_file);
  EXPECT_TRUE(list[0].pinned);
  EXPECT_FALSE(decode_kopia_list("{}"));
}

TEST(KopiaJson, TheLastLineOfAVerificationIsItsVerdict) {
  EXPECT_TRUE(decode_kopia_verify("{\"errorCount\":1}\n{\"stats\":{},\"errorCount\":0}\n").value().empty());
  EXPECT_EQ(decode_kopia_verify("{\"errorCount\":0}\n{\"errorCount\":1,\"errorStrings\":[\"bad\"]}").value(),
            std::vector<std::string>{"bad"});
  EXPECT_FALSE(decode_kopia_verify(""));
}

TEST(KopiaProgress, IsReadFromLinesForPeople) {
  EXPECT_EQ(kopia_bytes_done(" | 0 hashing, 12 hashed (1.2 MB), 4 cached (20 B), uploaded 0 B, estimating..."), 1'200'020u);
  EXPECT_EQ(kopia_bytes_done("Processed 15 (52.5 MB) of 20 (104.9 MB)."), 52'500'000u);
  EXPECT_FALSE(kopia_bytes_done("Snapshotting root@h:/p ..."));
  EXPECT_EQ(kopia_restored_files("Restored 4 files, 2 directories and 1 symbolic links (7 B)."), 4u);
  EXPECT_FALSE(kopia_restored_files("Restored nothing"));
}

const std::string kScratch = exclude_rules(SourcePolicy()).front();

KopiaPolicy held(const std::string& ignore, const std::string& daily = "7") {
  const std::string text = R"([{"id":"1","target":{"host":"h","userName":"u","path":"/p"},
    "retention":{"keepLatest":11,"keepHourly":0,"keepDaily":)" + daily + R"(,"keepWeekly":4,"keepMonthly":12,"keepAnnual":3,
    "ignoreIdenticalSnapshots":false},"files":{"ignore":[")" + kScratch + "\"" + ignore + R"(],
    "ignoreDotFiles":[".kopi-docka-ignores-nothing"],"ignoreCacheDirs":false,"maxFileSize":9223372036854775807,"oneFileSystem":false},
    "errorHandling":{"ignoreFileErrors":false,"ignoreDirectoryErrors":false,"ignoreUnknownTypes":true},
    "scheduling":{"manual":true},"compression":{"compressorName":"zstd"}}])";
  return decode_kopia_policies(text, "u", "h").value().at("/p");
}

std::vector<std::string> flags_for(const SourcePolicy& policy, const KopiaPolicy& current, const KopiaOurs& ours = {}) {
  return kopia_policy_change(policy, current, ours).flags;
}

TEST(KopiaPolicies, ThatHoldNeedNoFlag) { EXPECT_TRUE(flags_for(wanted(), held("")).empty()); }

TEST(KopiaPolicies, OnlyDifferencesAreSetAndTheManualMarkIsKept) {
  auto policy = wanted({"new"});
  policy.retention.daily = 8;
  EXPECT_EQ(flags_for(policy, held("")), (std::vector<std::string>{"--keep-daily=8", "--add-ignore=new", "--manual"}));
}

TEST(KopiaPolicies, RulesOfOthersStayAndOursGoWhenNoLongerWanted) {
  const auto change = kopia_policy_change(wanted(), held(",\"theirs\",\"ours\""), {{"ours"}, {}});
  EXPECT_EQ(change.flags, (std::vector<std::string>{"--remove-ignore=ours", "--manual"}));
  EXPECT_EQ(change.during.ignore, std::vector<std::string>{"ours"}) << "until it is gone it is ours";
  EXPECT_TRUE(change.after.ignore.empty());
}

TEST(KopiaPolicies, ARuleThatWasThereAlreadyNeverBecomesOurs) {
  const auto change = kopia_policy_change(wanted({"theirs"}), held(",\"theirs\""), {});
  EXPECT_TRUE(change.flags.empty());
  EXPECT_TRUE(change.after.ignore.empty());
}

TEST(KopiaPolicies, ADefaultNeverReplacesWhatSomebodyElseSetThere) {
  const auto change = kopia_policy_change(wanted(), held("", "30"), {});
  EXPECT_TRUE(change.flags.empty());
  EXPECT_EQ(change.retention.daily, 30) << "what is removed follows their number as well";
  EXPECT_EQ(change.retention.latest, 10);
}

TEST(KopiaPolicies, WhatTheUserAskedForReplacesItAndIsOursFromThenOn) {
  auto policy = wanted();
  policy.retention.daily = 14;
  const auto change = kopia_policy_change(policy, held("", "30"), {});
  EXPECT_EQ(change.flags, (std::vector<std::string>{"--keep-daily=14", "--manual"}));
  EXPECT_EQ(change.after.fields, (std::map<std::string, std::string>{{"keep-daily", "14"}}));
  EXPECT_EQ(change.retention.daily, 14);
}

TEST(KopiaPolicies, OurOwnValueFollowsTheWish) {
  EXPECT_EQ(flags_for(wanted(), held("", "14"), {{}, {{"keep-daily", "14"}}}), (std::vector<std::string>{"--keep-daily=7", "--manual"}));
  EXPECT_TRUE(flags_for(wanted(), held("", "15"), {{}, {{"keep-daily", "14"}}}).empty()) << "somebody changed it after us";
}

TEST(KopiaPolicies, AnEmptyDefinitionGetsEveryFieldSoThatNothingIsInherited) {
  const auto flags = flags_for(wanted(), {});
  for (const auto& flag : {std::string("--ignore-identical-snapshots=false"), std::string("--ignore-cache-dirs=false"),
                           std::string("--ignore-file-errors=false"), std::string("--ignore-dir-errors=false"),
                           std::string("--ignore-unknown-types=true"), std::string("--compression=zstd"),
                           std::string("--max-file-size=9223372036854775807"), std::string("--one-file-system=false"),
                           "--add-ignore=" + kScratch}) {
    EXPECT_NE(std::find(flags.begin(), flags.end(), flag), flags.end()) << flag;
  }
}

TEST(KopiaPolicies, OneMoreIsKeptThanAskedUntilTheRunHasSucceeded) {
  const auto latest = [](Retention keep) {
    auto policy = wanted();
    policy.retention = keep;
    return flags_for(policy, {}).front();
  };
  EXPECT_EQ(latest({1, 0, 0, 0, 0, 0}), "--keep-latest=2");
  EXPECT_EQ(latest({0, 0, 7, 0, 0, 0}), "--keep-latest=2");
  EXPECT_EQ(latest({10, 0, 7, 4, 12, 3}), "--keep-latest=11");
  EXPECT_EQ(latest({0, 0, 0, 0, 0, 0}), "--keep-latest=0") << "which keeps everything";
}

TEST(KopiaPolicies, OfOtherIdentitiesAreNotOurs) {
  EXPECT_TRUE(decode_kopia_policies(R"([{"target":{"host":"h","userName":"x","path":"/p"}},{"target":{"host":"","userName":"","path":""}}])",
                                    "u", "h").value().empty());
}

TEST(LastWords, AreTheEndOnOnePrintableLine) {
  ProcessResult result;
  result.error_tail = "one\n\ntwo\x1b[0m\nthree\nfour\n";
  EXPECT_EQ(last_words(result, 3), "two\\x1b[0m; three; four");
}

TEST(LastWords, OfASilentDeathSayHowItEnded) {
  ProcessResult result;
  result.exit_code = 1;
  EXPECT_EQ(last_words(result), "no reason given, exit code 1");
  result.exit_code = 128 + 9;
  EXPECT_EQ(last_words(result), "no reason given, ended by signal 9");
}

}  // namespace
}  // namespace kopidocka
