#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "architecture/checks.hpp"

namespace kopidocka::architecture {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kRoot = SOURCE_DIR;
constexpr size_t kCeiling = 400;

const SourceTree& program() {
  static const auto tree = read_sources(kRoot + "/src");
  return tree;
}

TEST(Rules, NoFileIsLongerThanAReaderCanHold) { EXPECT_THAT(check_lengths(program(), kCeiling), IsEmpty()); }

TEST(Rules, NoTypeHasANameThatSaysNothing) { EXPECT_THAT(check_names(program(), {"Service"}), IsEmpty()); }

TEST(Rules, NoTwoFilesDefineATypeOfTheSameName) { EXPECT_THAT(check_types_unique(program()), IsEmpty()); }

TEST(Rules, NothingIsDetachedCapturedOrLeftOpen) { EXPECT_THAT(check_words(program()), IsEmpty()); }

TEST(Rules, TheMainFileOnlyHandsOver) {
  EXPECT_THAT(check_lengths({{"main.cpp", program().at("main.cpp")}}, 30), IsEmpty());
}

// The checks themselves, on samples that are wrong on purpose.

TEST(RuleChecks, SeeALongFile) {
  EXPECT_THAT(check_lengths({{"a.cpp", std::string(11, '\n')}, {"b.cpp", std::string(10, '\n')}}, 10),
              ElementsAre(HasSubstr("a.cpp")));
}

TEST(RuleChecks, SeeAnEmptyName) {
  const SourceTree tree = {{"a.hpp", "class BackupManager {\n"},
                           {"b.hpp", "// a class Handler\nstruct Unit {};\nauto t = \"class Helper\";\n"}};
  EXPECT_THAT(check_names(tree, {}), ElementsAre(HasSubstr("BackupManager")));
}

TEST(RuleChecks, SeeAnExceptionThatNobodyNeedsAnyMore) {
  EXPECT_THAT(check_names({{"a.hpp", "struct Unit {};\n"}}, {"Service"}),
              ElementsAre(HasSubstr("no type is called Service")));
}

TEST(RuleChecks, SeeTwoTypesThatTheLinkerWouldTakeForOne) {
  const SourceTree tree = {
      {"a/place.hpp", "struct Place {\n  int a;\n};\n"},
      {"b/place.hpp", "class Place final : public Thing {\n};\n"},
      {"c/place.cpp", "namespace {\nstruct Place {\n  struct Inner {};\n};\n}  // namespace\n"},
      {"d/place.hpp",
       "struct Place;\nclass Other;\nstruct Outer {\n  struct Place {};\n};\nstruct Outer::Place {\n};\n"}};
  EXPECT_THAT(check_types_unique(tree),
              ElementsAre(HasSubstr("b/place.hpp and a/place.hpp both define a type Place")));
}

TEST(RuleChecks, SeeWordsThatMustNotBeThere) {
  const SourceTree tree = {{"a.hpp", "int a;  // TODO later\n"},
                           {"b.cpp", "\nco_spawn(io, work(), asio::detached);\n"},
                           {"c.cpp", "auto f = [this, &x](int n) -> Task<> {\n"},
                           {"d.hpp", "#pragma once\nusing namespace std;\n"}};
  EXPECT_THAT(check_words(tree),
              ElementsAre(HasSubstr("a.hpp:1 is an open end"), HasSubstr("a.hpp has no #pragma once"),
                          HasSubstr("b.cpp:2 leaves work"), HasSubstr("c.cpp:1 is a capturing lambda"),
                          HasSubstr("d.hpp:")));
}

TEST(RuleChecks, LetGoodCodeBe) {
  const SourceTree tree = {
      {"a.cpp",
       "// nothing is detached here\nconst char* word = \"detached \\\" detached\";\nconst auto n = 60'000; "
       "int m = 'x';\n"
       "auto f = [](int a) -> Task<> {\nauto g = [&x](int a) -> int {\nconst auto raw = R\"(detached)\";\n"}};
  EXPECT_THAT(check_words(tree), IsEmpty());
}

TEST(SourceText, LosesCommentsAndLiteralsButNoLine) {
  EXPECT_EQ(code_only("a; // b\nc = \"d//e\";\n/* f\n g */ h = 'i';\n"),
            "a;     \nc =       ;\n    \n      h =    ;\n");
  EXPECT_EQ(without_comments("c = \"d//e\";  // f"), "c = \"d//e\";      ");
}

}  // namespace
}  // namespace kopidocka::architecture
