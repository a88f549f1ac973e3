#include "cli/cli.hpp"

#include <exception>
#include <ostream>

#include "base/text.hpp"
#include "cli/arguments.hpp"
#include "cli/help.hpp"
#include "cli/verbs.hpp"

namespace kopidocka {
namespace {

int complain(const Error& error, std::ostream& err) {
  err << "kopi-docka: " << error.text() << "\n";
  if (!error.next_step().empty()) err << "  -> " << error.next_step() << "\n";
  err << std::flush;
  return static_cast<int>(exit_code_for(error.kind()));
}

Error unknown_verb(const std::string& word) {
  std::vector<std::string> names;
  for (const auto& verb : verb_table()) {
    if (!verb.hidden) names.emplace_back(verb.name);
  }
  const auto meant = nearest(word, names);
  return {ErrorKind::usage, "there is no verb '" + printable(word) + "'",
          meant.empty() ? "see 'kopi-docka --help'" : "did you mean '" + meant + "'?"};
}

}  // namespace

int run_cli(const std::vector<std::string>& words, std::ostream& out, std::ostream& err) {
  if (words.empty() || words.front() == "--help" || words.front() == "-h") {
    (words.empty() ? err : out) << program_help() << std::flush;
    return static_cast<int>(words.empty() ? ExitCode::usage : ExitCode::ok);
  }
  const auto name = words.front() == "--version" ? std::string("version") : words.front();
  const auto* verb = find_verb(name);
  if (verb == nullptr) return complain(unknown_verb(name), err);
  const auto arguments = parse_arguments(*verb, {words.begin() + 1, words.end()});
  if (!arguments) return complain(arguments.error(), err);
  if (arguments->has("help")) {
    out << verb_help(*verb) << std::flush;
    return static_cast<int>(ExitCode::ok);
  }
  try {
    return static_cast<int>(verb->carry_out({*arguments, out, err}));
  } catch (...) {
    return complain(to_error(std::current_exception()), err);
  }
}

}  // namespace kopidocka
