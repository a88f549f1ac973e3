#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace kopidocka {

/// What a verb tells the shell. Declared here and nowhere else; help and docs/exit-codes.md are made from the
/// table.
enum class ExitCode : int {
  ok = 0,
  failed = 1,
  usage = 2,
  partial = 3,
  refused = 4,
  unreachable = 5,
  interrupted = 130,
};

struct ExitCodeRow {
  ExitCode code;
  std::string_view name;
  std::string_view meaning;
};

const std::array<ExitCodeRow, 7>& exit_code_table();

ExitCode exit_code_for(ErrorKind kind);

/// The code of several units together: interrupted, unreachable, failed, partial, refused, usage, ok; the
/// first that occurs.
ExitCode worse(ExitCode one, ExitCode other);

/// docs/exit-codes.md.
std::string exit_codes_markdown();

}  // namespace kopidocka
