#pragma once

#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/exit_code.hpp"

namespace kopidocka {

/// One option of a verb, declared once for parsing, help, completion and docs/cli.md.
struct OptionSpec {
  std::string_view name;
  std::string_view argument;  ///< empty = a flag
  std::string_view text;
};

/// What the user typed after the verb.
struct Arguments {
  std::vector<std::string> words;
  std::map<std::string, std::vector<std::string>> options;

  bool has(const std::string& name) const { return options.count(name) != 0; }
  std::string get(const std::string& name, const std::string& fallback = {}) const;
  std::vector<std::string> all(const std::string& name) const;
};

struct VerbContext {
  const Arguments& arguments;
  std::ostream& out;
  std::ostream& err;
};

struct VerbSpec {
  std::string_view name;
  std::string_view words;    ///< "UNIT...", empty = none
  size_t least = 0, most = 0;  ///< words
  std::string_view text;     ///< one line
  std::vector<std::string_view> examples;
  std::vector<OptionSpec> options;  ///< beside --json, --inline and --help
  bool daemon_answers = true;       ///< false: needs no daemon, no Docker and no privilege
  bool json = true;                 ///< has an answer that --json can print
  bool hidden = false;
  ExitCode (*carry_out)(const VerbContext& context) = nullptr;
};

const std::vector<VerbSpec>& verb_table();
const VerbSpec* find_verb(std::string_view name);

}  // namespace kopidocka
