#include "base/exit_code.hpp"

#include <algorithm>

namespace kopidocka {

const std::array<ExitCodeRow, 7>& exit_code_table() {
  static constexpr std::array<ExitCodeRow, 7> table = {{
      {ExitCode::ok, "ok", "all that was asked for succeeded"},
      {ExitCode::failed, "failed", "at least one unit or step failed"},
      {ExitCode::usage, "usage", "the command line is wrong; nothing was done"},
      {ExitCode::partial, "partial", "usable, but something secondary is missing or could not be read"},
      {ExitCode::refused, "refused", "skipped or refused before anything was stopped"},
      {ExitCode::unreachable, "unreachable",
       "the daemon, the Docker Engine or the repository does not answer"},
      {ExitCode::interrupted, "interrupted", "ended by a signal; containers were started again first"},
  }};
  return table;
}

ExitCode exit_code_for(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::usage:
      return ExitCode::usage;
    case ErrorKind::invalid:
    case ErrorKind::not_found:
    case ErrorKind::refused:
    case ErrorKind::busy:
      return ExitCode::refused;
    case ErrorKind::unreachable:
      return ExitCode::unreachable;
    case ErrorKind::cancelled:
      return ExitCode::interrupted;
    case ErrorKind::timeout:
    case ErrorKind::denied:
    case ErrorKind::no_space:
    case ErrorKind::failed:
    case ErrorKind::internal:
      return ExitCode::failed;
  }
  return ExitCode::failed;
}

ExitCode worse(ExitCode one, ExitCode other) {
  static constexpr std::array order = {ExitCode::interrupted, ExitCode::unreachable, ExitCode::failed,
                                       ExitCode::partial,     ExitCode::refused,     ExitCode::usage,
                                       ExitCode::ok};
  return *std::find_if(order.begin(), order.end(),
                       [&](ExitCode code) { return code == one || code == other; });
}

std::string exit_codes_markdown() {
  std::string text =
      "# Exit codes\n\nEvery verb ends with one of these. When several units were asked for, the worst one "
      "counts.\n"
      "This page is generated from `src/base/exit_code.cpp`.\n\n| Code | Name | Meaning |\n|---|---|---|\n";
  for (const auto& row : exit_code_table()) {
    text += "| " + std::to_string(static_cast<int>(row.code)) + " | " + std::string(row.name) + " | " +
            std::string(row.meaning) + " |\n";
  }
  return text;
}

}  // namespace kopidocka
