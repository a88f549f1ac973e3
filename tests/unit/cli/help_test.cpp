#include "cli/help.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/cli/command_line.hpp"
#include "support/generated_page.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Help, EveryVerbHasAPageWithAnExample) {
  for (const auto& verb : verb_table()) {
    if (verb.hidden) continue;
    const auto ran = run({std::string(verb.name), "--help"});
    EXPECT_EQ(ran.exit_code, 0) << verb.name;
    EXPECT_THAT(ran.out, HasSubstr("Examples:\n  ")) << verb.name;
    EXPECT_THAT(ran.out, HasSubstr("kopi-docka " + std::string(verb.name))) << verb.name;
    EXPECT_EQ(ran.err, "") << verb.name;
    EXPECT_EQ(run({"help", std::string(verb.name)}).out, ran.out) << verb.name;
  }
}

TEST(Help, NoLineIsLongerThanATerminal) {
  for (const auto& verb : verb_table()) {
    if (verb.hidden) continue;
    EXPECT_EQ(longest_line(run({std::string(verb.name), "--help"}).out, 80), "") << verb.name;
  }
  EXPECT_EQ(longest_line(run({"--help"}).out, 80), "");
}

TEST(Help, HiddenVerbsAreNotAdvertised) {
  EXPECT_THAT(program_help(), Not(HasSubstr("worker")));
  EXPECT_THAT(bash_completion(), Not(HasSubstr("worker")));
}

TEST(Help, TheDocumentedPageIsTheGeneratedOne) {
  expect_generated_page("cli.md", cli_markdown());
  expect_generated_page("exit-codes.md", exit_codes_markdown());
}

}  // namespace
}  // namespace kopidocka::testing
