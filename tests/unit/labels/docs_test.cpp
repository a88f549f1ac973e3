#include "labels/docs.hpp"

#include <gtest/gtest.h>

#include <sstream>

#include "base/file.hpp"

namespace kopidocka {

TEST(LabelDocs, ThePageIsTheOneOfTheContract) {
  const auto page = read_file(std::string(SOURCE_DIR) + "/docs/labels.md");
  ASSERT_TRUE(page.has_value());
  EXPECT_TRUE(*page == labels_markdown()) << "docs/labels.md is out of date; write it anew with\n"
                                             "  kopi-docka labels --markdown > docs/labels.md";
}

TEST(LabelDocs, ThePageTellsEveryLabelButTheInternalOnes) {
  const auto page = labels_markdown();
  for (const auto& spec : label_contract().labels()) {
    const bool told = page.find("### `kopi-docka." + spec.name + "`") != std::string::npos;
    EXPECT_EQ(told, spec.level != LabelLevel::internal) << spec.name;
  }
}

TEST(LabelDocs, TheTextFitsATerminal) {
  std::istringstream lines(labels_text());
  for (std::string line; std::getline(lines, line);) {
    const bool one_word = line.find(' ', line.find_first_not_of(' ')) == std::string::npos;
    EXPECT_TRUE(line.size() <= 80 || one_word) << line;
  }
}

TEST(LabelDocs, TheTextUsesThePrefixThatHoldsHere) {
  const auto text = labels_text("acme.");
  EXPECT_NE(text.find("acme.schedule: "), std::string::npos);
  EXPECT_EQ(text.find("kopi-docka.schedule"), std::string::npos);
}

TEST(LabelDocs, TheJsonIsTheContractItself) {
  const auto file = read_file(std::string(SOURCE_DIR) + "/labels/labels.json");
  ASSERT_TRUE(file.has_value());
  EXPECT_EQ(labels_json(), *file);
}

}  // namespace kopidocka
