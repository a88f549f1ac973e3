#include <regex>

#include <nlohmann/json.hpp>

#include "contract/engine/engine_fixture.hpp"
#include "engine/request_checks.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

const std::string kScratch = exclude_rules(SourcePolicy()).front();

class KopiaPolicyContract : public EngineContract {
 protected:
  nlohmann::json shown(const std::string& target) {
    return nlohmann::json::parse(tool({"kopia", "policy", "show", target, "--json"}));
  }
  std::string listed() { return tool({"kopia", "policy", "list", "--json"}); }
  void prepare(const SourcePolicy& policy) { await(created().prepare(std::vector<SourcePolicy>(1, policy), Cancel())); }
};

TEST_P(KopiaPolicyContract, HoldsWhatWasAskedAndIsWrittenOnce) {
  auto asked = policy();
  asked.retention = {5, 2, 3, 4, 5, 6};
  asked.exclude = {"*.tmp", "-odd", "cache/"};
  prepare(asked);
  const auto effective = shown("root@host-one:/identity/data");
  EXPECT_EQ(effective["retention"]["keepLatest"], 6) << "one more, until the run has succeeded";
  EXPECT_EQ(effective["retention"]["keepAnnual"], 6);
  EXPECT_EQ(effective["retention"]["ignoreIdenticalSnapshots"], false);
  EXPECT_EQ(effective["files"]["ignore"].size(), 4u) << "and what a restore keeps inside the data";
  EXPECT_EQ(effective["files"]["ignoreCacheDirs"], false);
  EXPECT_EQ(effective["compression"]["compressorName"], "zstd");
  const auto before = listed();
  prepare(asked);
  EXPECT_EQ(listed(), before) << "manifests of equal policies must not be written again";
}

TEST_P(KopiaPolicyContract, StaysAsItIsOverSnapshots) {
  // Kopia itself writes the policy anew, with the same content, whenever the identity path is not the local path.
  const auto content = [&] { return std::regex_replace(listed(), std::regex("\"id\":\"[0-9a-f]*\""), ""); };
  saved();
  prepare(policy());
  const auto before = content();
  prepared_snapshot(*engine_, request());
  EXPECT_EQ(content(), before);
}

TEST_P(KopiaPolicyContract, LeavesGlobalHostAndOtherSourcesAlone) {
  created();
  tool({"kopia", "policy", "set", "@host-one", "--compression=s2-default", "--add-ignore=host-rule"});
  tool({"kopia", "policy", "set", "--global", "--keep-latest=77"});
  tool({"kopia", "policy", "set", "root@host-one:/identity/other", "--add-ignore=other-rule"});
  const auto host = shown("@host-one"), global = shown("(global)"), other = shown("root@host-one:/identity/other");
  prepare(policy());
  EXPECT_EQ(shown("@host-one"), host);
  EXPECT_EQ(shown("(global)"), global);
  EXPECT_EQ(shown("root@host-one:/identity/other"), other);
}

TEST_P(KopiaPolicyContract, KeepsWhatAnotherClientSetOnTheSource) {
  created();
  tool({"kopia", "policy", "set", "root@host-one:/identity/data", "--add-ignore=theirs", "--max-file-size=123456",
        "--metadata-compression=none"});
  auto asked = policy();
  asked.exclude = {"ours"};
  prepare(asked);
  const auto effective = shown("root@host-one:/identity/data");
  EXPECT_EQ(effective["files"]["ignore"], (nlohmann::json{kScratch, "ours", "theirs"}));
  EXPECT_EQ(effective["files"]["maxFileSize"], 123456);
  EXPECT_EQ(effective["metadataCompression"]["compressorName"], "none");
}

TEST_P(KopiaPolicyContract, TakesItsOwnRulesBackWhenTheyAreNoLongerAsked) {
  created();
  tool({"kopia", "policy", "set", "root@host-one:/identity/data", "--add-ignore=theirs"});
  auto asked = policy();
  asked.exclude = {"file", "more"};
  prepare(asked);
  asked.exclude = {"more"};
  prepare(asked);
  EXPECT_EQ(shown("root@host-one:/identity/data")["files"]["ignore"], (nlohmann::json{kScratch, "more", "theirs"}));
}

TEST_P(KopiaPolicyContract, ARuleOfOthersThatWasAskedForAsWellStaysWhenItIsNoLongerAsked) {
  created();
  tool({"kopia", "policy", "set", "root@host-one:/identity/data", "--add-ignore=theirs"});
  auto asked = policy();
  asked.exclude = {"theirs"};
  prepare(asked);
  prepare(policy());
  EXPECT_EQ(shown("root@host-one:/identity/data")["files"]["ignore"], (nlohmann::json{kScratch, "theirs"}));
}

TEST_P(KopiaPolicyContract, DefaultsLeaveTheNumbersOfOthersAloneAndWishesDoNot) {
  created();
  tool({"kopia", "policy", "set", "root@host-one:/identity/data", "--keep-daily=30", "--compression=s2-default"});
  prepare(policy());
  EXPECT_EQ(shown("root@host-one:/identity/data")["retention"]["keepDaily"], 30);
  EXPECT_EQ(shown("root@host-one:/identity/data")["compression"]["compressorName"], "s2-default");
  auto asked = policy();
  asked.retention.daily = 14;
  prepare(asked);
  EXPECT_EQ(shown("root@host-one:/identity/data")["retention"]["keepDaily"], 14);
  prepare(policy());
  EXPECT_EQ(shown("root@host-one:/identity/data")["retention"]["keepDaily"], 7) << "the wish was ours, so it goes with us";
}

TEST_P(KopiaPolicyContract, InheritedRulesAndLimitsCannotLoseFiles) {
  created();
  tool({"kopia", "policy", "set", "--global", "--add-ignore=*.log", "--max-file-size=50000", "--one-file-system=true"});
  tool({"kopia", "policy", "set", "@host-one", "--add-ignore=file"});
  write(source_ / "a.log", "x");
  shell("head -c 100000 /dev/urandom > '" + (source_ / "big").string() + "'");
  EXPECT_EQ(saved().files, 3u);
  auto asked = request();
  asked.policy.exclude = {"*.log"};
  EXPECT_EQ(prepared_snapshot(*engine_, asked).files, 2u) << "what was asked for is left out all the same";
}

TEST_P(KopiaPolicyContract, APinnedSnapshotOutlivesTheRetention) {
  auto asked = request();
  asked.policy.retention = {1, 0, 0, 0, 0, 0};
  const auto first = prepared_snapshot(created(), asked);
  const auto list = nlohmann::json::parse(tool({"bash", "-c", "kopia snapshot pin " + first.id + " --add mine && kopia snapshot list --all --json"}));
  for (int i = 0; i < 3; ++i) prepared_snapshot(*engine_, asked);
  await(engine_->expire(std::vector<SourcePolicy>{asked.policy}, Cancel()));
  const auto left = await(engine_->list({}, Cancel()));
  ASSERT_EQ(left.size(), 2u);
  EXPECT_EQ(left[0].id, list.at(0).at("id"));
  EXPECT_TRUE(left[0].pinned);
}

TEST_P(KopiaPolicyContract, InheritedSettingsCannotLoseASnapshotOrHideErrors) {
  created();
  tool({"kopia", "policy", "set", "--global", "--ignore-identical-snapshots=true", "--ignore-cache-dirs=true",
        "--ignore-file-errors=true", "--ignore-dir-errors=true", "--ignore-unknown-types=false", "--add-dot-ignore=.gitignore"});
  fs::create_directories(source_ / "cache");
  write(source_ / "cache" / "CACHEDIR.TAG", "Signature: 8a477f597d28d172789f06886806bc55\n");
  write(source_ / ".kopiaignore", "*");
  write(source_ / ".gitignore", "*");
  shell("mkfifo '" + (source_ / "fifo").string() + "'");
  const auto first = saved(), second = prepared_snapshot(*engine_, request());
  EXPECT_TRUE(first.clean());
  EXPECT_NE(first.id, second.id);
  EXPECT_EQ(ids(*engine_).size(), 2u);
  EXPECT_EQ(first.files, 4u);
}

INSTANTIATE_TEST_SUITE_P(Engine, KopiaPolicyContract, ::testing::Values("kopia"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kopidocka::testing
