#pragma once

#include <string>

#include "cli/verbs.hpp"

namespace kopidocka {

/// What `kopi-docka --help` prints.
std::string program_help();
std::string verb_help(const VerbSpec& verb);
/// docs/cli.md, from the verb table and the exit codes.
std::string cli_markdown();
std::string bash_completion();

}  // namespace kopidocka
