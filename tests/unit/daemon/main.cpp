#include <gtest/gtest.h>

#include <iostream>
#include <string_view>

#include "worker/worker_main.hpp"

/// The test program is its own worker, as the product's binary is.
int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "worker") return kopidocka::worker_main(std::cin, std::cout);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
