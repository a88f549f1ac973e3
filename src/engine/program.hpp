#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/secret.hpp"
#include "base/task.hpp"
#include "engine/settings.hpp"
#include "process/process.hpp"

namespace kopidocka {

/// One call of an engine's program.
struct ProgramCall {
  std::string doing;              ///< for errors: "list snapshots"
  std::vector<std::string> args;  ///< without the program itself
  std::vector<std::string> environment;  ///< NAME=value, beside what all calls share
  Milliseconds deadline{0};       ///< 0 = none
  Milliseconds grace{0};          ///< from SIGINT to SIGKILL; 0 = that of the settings
  int output_to = -1;             ///< an open file for its standard output
  std::function<void(const std::string&)> on_error_line;
  std::function<void(const std::string&)> on_output_line;
};

/// An engine's program with the environment all its calls share. The password goes by environment only, never by argv,
/// and is blotted out of everything that comes back.
class EngineProgram {
 public:
  EngineProgram(std::string binary, std::vector<std::string> environment, Secret password, Milliseconds grace);

  /// Runs it; how it ended is in the result, whatever that was.
  Task<ProcessResult> run(ProgramCall call, Cancel cancel) const;

 private:
  std::string binary_;
  std::vector<std::string> environment_;
  Secret password_;
  Milliseconds grace_;
};

/// Throws cancelled or timeout when the call did not come to an end of its own, or gave more output than can be kept.
void throw_unless_ended(const ProcessResult& result, const ProgramCall& call);

/// The base of an engine's environment: ours without secrets, with HOME and temporary files in the given folder.
std::vector<std::string> engine_environment(const std::string& home);

/// Creates the folders an engine writes to.
Result<void> make_engine_folders(const EngineSettings& settings);

/// The last lines of its standard error that say something, on one line and printable; when it died without a word, the
/// exit code or the signal that ended it.
std::string last_words(const ProcessResult& result, size_t lines = 3);

}  // namespace kopidocka
