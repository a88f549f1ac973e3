#include "architecture/documents.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "architecture/source_tree.hpp"

namespace kopidocka::architecture {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

const std::string kRoot = SOURCE_DIR;

/// Every page people read, by path from the root.
std::map<std::string, std::string> pages() {
  std::map<std::string, std::string> pages = {{"README.md", read_text(kRoot + "/README.md")}};
  for (const auto& entry : std::filesystem::directory_iterator(kRoot + "/docs")) {
    if (entry.path().extension() == ".md")
      pages["docs/" + entry.path().filename().string()] = read_text(entry.path().string());
  }
  return pages;
}

/// All that the program is made of, in one text.
std::string program_text() {
  std::string text = read_text(kRoot + "/Dockerfile");
  for (const auto& [path, source] : read_sources(kRoot + "/src")) text += without_comments(source);
  return text;
}

std::set<std::string> missing(const std::set<std::string>& wanted, const std::set<std::string>& present) {
  std::set<std::string> rest;
  for (const auto& word : wanted) {
    if (present.count(word) == 0) rest.insert(word);
  }
  return rest;
}

TEST(Documents, TheReadmeShowsTheSidecarFileAsItIs) {
  const auto shown = first_fence(marked_part(read_text(kRoot + "/README.md"), "sidecar"));
  EXPECT_EQ(telling_lines(shown), telling_lines(read_text(kRoot + "/compose/sidecar.yaml")));
}

TEST(Documents, TheReadmeIsShort) {
  const auto text = read_text(kRoot + "/README.md");
  // What the two commands print is inserted between their marks and does not count.
  const auto output = marked_part(text, "quickstart") + marked_part(text, "test");
  EXPECT_LT(std::count(text.begin(), text.end(), '\n') - std::count(output.begin(), output.end(), '\n'), 150);
}

TEST(Documents, EveryRelativeLinkLeadsToAFile) {
  for (const auto& [path, text] : pages()) {
    for (const auto& link : relative_links(text)) {
      EXPECT_TRUE(std::filesystem::exists(std::filesystem::path(kRoot + "/" + path).parent_path() / link))
          << path << " links to " << link;
    }
  }
}

TEST(Documents, EverySettingTheyNameIsKnownToTheProgram) {
  const auto known = words_matching(program_text(), R"((KOPI_DOCKA_[A-Z_]*[A-Z]))");
  for (const auto& [path, text] : pages()) {
    std::set<std::string> unknown;
    for (const auto& name : missing(words_matching(text, R"((KOPI_DOCKA_[A-Z_]*[A-Z]))"), known)) {
      const bool file_of_secret =
          name.ends_with("_FILE") && known.count(name.substr(0, name.size() - 5)) != 0;
      if (!file_of_secret) unknown.insert(name);
    }
    EXPECT_THAT(unknown, IsEmpty()) << path;
  }
}

TEST(Documents, EveryVerbTheyNameIsKnownToTheProgram) {
  const auto known =
      words_matching(read_text(kRoot + "/src/cli/verbs.cpp"), R"re(\n\s*\{"([a-z]+)", "[^"]*", \d+, \d+,)re");
  ASSERT_GT(known.size(), 10u);
  for (const auto& [path, text] : pages()) {
    EXPECT_THAT(
        missing(words_matching(text, R"((?:`|\n|exec kopi-docka |--rm .* )kopi-docka ([a-z]+)\b)"), known),
        IsEmpty())
        << path;
  }
}

TEST(Documents, EveryLabelTheyNameIsInTheContract) {
  const auto labels = read_text(kRoot + "/docs/labels.md");
  for (const auto& [path, text] : pages()) {
    for (const auto& label : words_matching(text, R"re(\b(kopi-docka\.[a-z]+(?:[-.][a-z]+)*): ")re")) {
      EXPECT_NE(labels.find(label), std::string::npos) << path << " names " << label;
    }
  }
}

TEST(Documents, EveryKeyOfAnAnswerIsExplained) {
  const auto page = words_matching(read_text(kRoot + "/docs/json.md"), R"(`([a-z_]+)`)");
  for (const std::string file :
       {"daemon/views.cpp", "daemon/service.cpp", "daemon/inside.cpp", "catalog/report.cpp", "plan/plan.cpp"}) {
    const auto source = read_text(kRoot + "/src/" + file);
    auto keys = words_matching(source, R"re(\{"([a-z_]+)", )re");
    keys.merge(words_matching(source, R"re(value\["([a-z_]+)"\] = )re"));
    ASSERT_THAT(keys, testing::Not(IsEmpty())) << file;
    EXPECT_THAT(missing(keys, page), IsEmpty()) << file;
  }
}

TEST(Documents, EveryTagOfASnapshotIsExplained) {
  const auto page = read_text(kRoot + "/docs/restore-points.md");
  auto tags = words_matching(read_text(kRoot + "/src/catalog/tags.cpp"), R"re((?:\{|tags\[)"([a-z_]+)")re");
  tags.merge(words_matching(program_text(), R"re("(kd_[a-z]+)")re"));
  ASSERT_GT(tags.size(), 12u);
  for (const auto& tag : tags) EXPECT_NE(page.find("`" + tag + "`"), std::string::npos) << tag;
}

// The readers themselves.

TEST(DocumentReaders, FindWhatStandsBetweenMarks) {
  EXPECT_EQ(marked_part("a <!-- x -->b<!-- /x --> c", "x"), "b");
  EXPECT_THROW(marked_part("a <!-- x -->b", "x"), std::runtime_error);
  EXPECT_EQ(first_fence("text\n```yaml\na: b\n```\n"), "a: b\n");
}

TEST(DocumentReaders, CompareYamlByWhatItSays) {
  EXPECT_THAT(telling_lines("# all\na:\n\n  b: c  # why\n  # d: e\n"), ElementsAre("a:", "  b: c"));
  EXPECT_NE(telling_lines("a: b"), telling_lines("  a: b"));
}

TEST(DocumentReaders, FindLinksWithinTheProject) {
  EXPECT_THAT(relative_links("[a](docs/a.md) [b](docs/b.md#part) [c](https://example.org/x) [d](#here)"),
              UnorderedElementsAre("docs/a.md", "docs/b.md"));
}

}  // namespace
}  // namespace kopidocka::architecture
