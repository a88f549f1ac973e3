#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/text.hpp"
#include "cli/help.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class Completion : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/bin/bash")) GTEST_SKIP() << "bash is not installed";
    char name[] = "/tmp/completion-test.XXXXXX";
    folder_ = ::mkdtemp(name);
    std::ofstream(folder_ / "completion") << bash_completion();
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  std::pair<int, std::string> bash(const std::string& script) const {
    std::ofstream(folder_ / "script") << script;
    const auto command = "cd " + folder_.string() + " && /bin/bash --norc script 2>&1";
    auto* pipe = ::popen(command.c_str(), "r");
    std::string said;
    std::array<char, 4096> buffer{};
    for (size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) said.append(buffer.data(), n);
    return {::pclose(pipe), said};
  }

  /// What is offered for the last of the words after kopi-docka.
  std::vector<std::string> offered(const std::vector<std::string>& words) const {
    std::string line = "kopi-docka";
    for (const auto& word : words) line += " '" + word + "'";
    const auto [code, said] = bash("set -eu\n. ./completion\nCOMP_WORDS=(" + line + ")\nCOMP_CWORD=" + std::to_string(words.size()) +
                                   "\n_kopi_docka\nfor word in \"${COMPREPLY[@]}\"; do echo \"$word\"; done\n");
    EXPECT_EQ(code, 0) << said;
    std::vector<std::string> result;
    for (auto& word : split(said, '\n')) {
      if (!word.empty()) result.push_back(word);
    }
    return result;
  }

  std::filesystem::path folder_;
};

TEST_F(Completion, IsBashThatSaysNothingWhenSourced) {
  EXPECT_EQ(bash("bash -n completion").first, 0);
  const auto [code, said] = bash("set -eu\n. ./completion\ncomplete -p kopi-docka");
  EXPECT_EQ(code, 0);
  EXPECT_EQ(said, "complete -F _kopi_docka kopi-docka\n");
}

TEST_F(Completion, OffersVerbs) {
  EXPECT_THAT(offered({"re"}), UnorderedElementsAre("restore", "repository", "recover", "resume"));
  EXPECT_THAT(offered({""}), AllOf(Contains("backup"), Contains("doctor"), Contains("--help"), Not(Contains("worker"))));
}

TEST_F(Completion, OffersTheOptionsOfTheVerb) {
  EXPECT_THAT(offered({"backup", "--"}), UnorderedElementsAre("--all", "--dry-run", "--scope", "--json", "--inline", "--help"));
  EXPECT_THAT(offered({"restore", "shop", "--d"}), ElementsAre("--dry-run"));
  EXPECT_THAT(offered({"metrics", "--"}), ElementsAre("--help"));
}

TEST_F(Completion, OffersWordsWhereOnlyAFewAreMeant) {
  EXPECT_THAT(offered({"repository", "i"}), ElementsAre("init"));
  EXPECT_THAT(offered({"completion", "b"}), ElementsAre("bash"));
  EXPECT_THAT(offered({"help", "sn"}), ElementsAre("snapshots"));
  EXPECT_THAT(offered({"backup", "shop", "--scope", ""}), UnorderedElementsAre("minimal", "standard", "full"));
  EXPECT_THAT(offered({"history", "--result", "f"}), ElementsAre("failed"));
}

TEST_F(Completion, OffersNothingForAVerbItDoesNotKnow) { EXPECT_THAT(offered({"frobnicate", ""}), IsEmpty()); }

}  // namespace
}  // namespace kopidocka::testing
