#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace kopidocka {

/// The whole command line: words after the program's name in, exit code out. The one place where an Error becomes text.
int run_cli(const std::vector<std::string>& words, std::ostream& out, std::ostream& err);

}  // namespace kopidocka
