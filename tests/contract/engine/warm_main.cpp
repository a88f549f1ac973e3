#include <gtest/gtest.h>

#include <string_view>

#include "engine/kopia/kopia_gate.hpp"

/// The test program is its own gate helper, as the product's binary is.
int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "gate") return kopidocka::kopia_gate_main();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
