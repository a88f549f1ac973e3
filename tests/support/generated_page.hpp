#pragma once

#include <cstdlib>
#include <gtest/gtest.h>
#include <string>

#include "base/file.hpp"

namespace kopidocka {

/// Expects that docs/`name` holds exactly `text`. Run the test with KOPI_DOCKA_TEST_WRITE_DOCS=1 to write the
/// page anew.
inline void expect_generated_page(const std::string& name, const std::string& text) {
  const auto path = std::string(SOURCE_DIR) + "/docs/" + name;
  if (std::getenv("KOPI_DOCKA_TEST_WRITE_DOCS") != nullptr) {
    const auto written = write_file_atomically(path, text, 0644);
    ASSERT_TRUE(written) << written.error().what();
  }
  const auto page = read_file(path);
  ASSERT_TRUE(page) << page.error().what();
  EXPECT_EQ(*page, text) << "docs/" << name
                         << " is not what the declaration says; KOPI_DOCKA_TEST_WRITE_DOCS=1 writes it anew";
}

}  // namespace kopidocka
