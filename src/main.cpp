#include <csignal>
#include <iostream>
#include <string>
#include <vector>

#include "cli/cli.hpp"

int main(int argc, char** argv) {
  // A client that goes away must not end us in the middle of a run.
  std::signal(SIGPIPE, SIG_IGN);
  return kopidocka::run_cli(std::vector<std::string>(argv + 1, argv + argc), std::cout, std::cerr);
}
