#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/verbs.hpp"
#include "unit/cli/command_line.hpp"
#include "labels/docs.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// No daemon, no state folder: what is answered here needs neither.
class Usage : public ::testing::Test {
 protected:
  Variable state_{"KOPI_DOCKA_STATE_DIR", "/nowhere/state"};
  Variable docker_{"DOCKER_HOST", "unix:///nowhere/docker.sock"};
};

TEST_F(Usage, WrongWordsAreToldWithoutADaemon) {
  const std::vector<std::vector<std::string>> wrong = {{},
                                                       {"frobnicate"},
                                                       {"backup"},
                                                       {"backup", "shop", "--all"},
                                                       {"backup", "shop", "--scope", "foo"},
                                                       {"backup", "shop", "--scope=foo"},
                                                       {"backup", "--frobnicate"},
                                                       {"restore"},
                                                       {"restore", "shop", "blog"},
                                                       {"restore", "shop", "--to", "relative"},
                                                       {"repository"},
                                                       {"repository", "frobnicate"},
                                                       {"history", "--result", "foo"},
                                                       {"history", "--limit", "many"},
                                                       {"status", "shop"},
                                                       {"completion", "zsh"},
                                                       {"help", "frobnicate"}};
  for (const auto& words : wrong) {
    const auto ran = run(words);
    EXPECT_EQ(ran.exit_code, 2) << ::testing::PrintToString(words) << ran.err;
    EXPECT_EQ(ran.out, "") << ::testing::PrintToString(words);
    EXPECT_NE(ran.err, "") << ::testing::PrintToString(words);
  }
}

TEST_F(Usage, RightWordsGoOnToTheDaemon) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"backup", "shop", "--scope", "full"},
                                                                 {"backup", "--all"},
                                                                 {"history", "--result", "failed"},
                                                                 {"repository", "status"},
                                                                 {"restore", "shop", "--to", "/restore", "--yes"}}) {
    const auto ran = run(words);
    EXPECT_EQ(ran.exit_code, 5) << ::testing::PrintToString(words) << ran.err;
    EXPECT_THAT(ran.err, HasSubstr("is the daemon running?"));
  }
}

TEST_F(Usage, JsonIsRefusedWhereThereIsNoAnswerToPrint) {
  for (const auto& verb : {"daemon", "metrics", "completion", "help"}) {
    const auto ran = run({verb, "--json"});
    EXPECT_EQ(ran.exit_code, 2) << verb;
    EXPECT_THAT(ran.err, HasSubstr("unknown option '--json'"));
    EXPECT_THAT(run({verb, "--help"}).out, Not(HasSubstr("--json"))) << verb;
  }
}

TEST_F(Usage, InlineIsRefusedWhereNoDaemonWouldBeAsked) {
  EXPECT_EQ(run({"version", "--inline"}).exit_code, 2);
  EXPECT_EQ(run({"health", "--inline"}).exit_code, 2);
}

TEST_F(Usage, HealthIsOneOfTwoAnswersWhateverIsWrong) {
  for (const auto* listen : {"off", "127.0.0.1:1", "nonsense"}) {
    Variable listening("KOPI_DOCKA_LISTEN", listen);
    for (const std::vector<std::string>& words : {std::vector<std::string>{"health"}, {"health", "--live"}}) {
      const auto ran = run(words);
      EXPECT_EQ(ran.exit_code, 1) << listen;
      EXPECT_NE(ran.err, "") << listen;
    }
    const auto ran = run({"health", "--json"});
    EXPECT_EQ(ran.exit_code, 1);
    const auto answer = nlohmann::json::parse(ran.out);
    EXPECT_EQ(answer["ready"], false);
    EXPECT_NE(answer["problem"], "");
    EXPECT_EQ(nlohmann::json::parse(run({"health", "--live", "--json"}).out)["live"], false);
  }
}

TEST_F(Usage, VerbsThatNeedNoPrivilegeMakeNothingAndNeedNothing) {
  const auto child = ::fork();
  if (child == 0) {
    // As nobody, in a process of its own.
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(90);
    int wrong = 0;
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"version"}, {"--version"}, {"labels"}, {"config"}, {"completion", "bash"}, {"help"}, {"--help"}}) {
      const auto ran = run(words);
      if (ran.exit_code != 0 || ran.out.empty()) ++wrong;
    }
    for (const auto& verb : verb_table()) {
      if (run({std::string(verb.name), "--help"}).exit_code != 0) ++wrong;
    }
    ::_exit(wrong);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_FALSE(std::filesystem::exists("/nowhere"));
}

TEST_F(Usage, LabelsAreShownUnderThePrefixThatHoldsHere) {
  Variable prefix("KOPI_DOCKA_LABEL_PREFIX", "org.example.backup");
  const auto ran = run({"labels"});
  EXPECT_THAT(ran.out, HasSubstr("org.example.backup.schedule:"));
  EXPECT_THAT(ran.out, Not(HasSubstr(" kopi-docka.schedule:")));
  Variable wrong("KOPI_DOCKA_WORKERS", "0");
  EXPECT_EQ(run({"labels"}).exit_code, 0) << "wrong settings elsewhere do not matter here";
}

TEST_F(Usage, TheExitCodeOfConfigTellsOfWrongSettings) {
  Variable wrong("KOPI_DOCKA_WORKERS", "0");
  const auto ran = run({"config"});
  EXPECT_EQ(ran.exit_code, 2);
  EXPECT_THAT(ran.err, HasSubstr("KOPI_DOCKA_WORKERS"));
}

}  // namespace
}  // namespace kopidocka::testing
