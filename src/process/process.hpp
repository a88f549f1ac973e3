#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/task.hpp"

namespace kopidocka {

/// A child process to run. argv only, never a shell. The child leads its own process group and dies with us
/// (PR_SET_PDEATHSIG); it inherits nothing but the environment and descriptors given here.
struct ProcessSpec {
  std::vector<std::string> argv;         ///< argv[0] is searched on PATH of `environment` when it has no slash
  std::vector<std::string> environment;  ///< NAME=value, complete: nothing is added
  std::string folder;                    ///< working folder; empty = "/"
  std::string input;                     ///< written to its standard input, which is then closed
  Milliseconds deadline{0};              ///< wall time; 0 = none
  Milliseconds grace{10'000};            ///< from SIGINT to SIGKILL of the whole group, on deadline and on abort
  size_t output_limit = 64u << 20;       ///< bytes of standard output kept; more is a failure, not a cut answer
  size_t error_limit = 64u << 10;        ///< last bytes of standard error kept
  int output_to = -1;  ///< an open file that its standard output goes to instead; stays open here
  std::function<void(const std::string&)> on_error_line;  ///< each line (split at \n and \r) of standard error as it comes
  std::function<void(const std::string&)> on_output_line;  ///< each line of standard output; output is then not kept
};

struct ProcessResult {
  int exit_code = -1;  ///< 128 + signal when it was killed by one
  bool timed_out = false;
  bool aborted = false;
  bool output_truncated = false;
  std::string output;
  std::string error_tail;
  double seconds = 0;  ///< wall time

  bool ok() const { return exit_code == 0 && !timed_out && !aborted && !output_truncated; }
};

/// Runs the child to its end and reaps it and its group. Throws only when it cannot be started (ErrorKind::not_found,
/// denied, failed); everything that happens to a started child is in the result. Returns when the child has exited,
/// even if a grandchild keeps the pipes open (those are read for at most a second more, then the group is killed).
Task<ProcessResult> run_process(ProcessSpec spec, Cancel cancel);

/// Our own environment as NAME=value, without anything that starts with KOPI_DOCKA_, KOPIA_ or RESTIC_ and without
/// cloud credentials of others: the base for a child's environment.
std::vector<std::string> clean_environment();

}  // namespace kopidocka
