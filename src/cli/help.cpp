#include "cli/help.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "cli/table.hpp"

namespace kopidocka {
namespace {

std::string padded(std::string text, size_t width) {
  text.resize(std::max(text.size() + 1, width), ' ');
  return text;
}

std::string usage_of(const VerbSpec& verb) {
  auto usage = "kopi-docka " + std::string(verb.name);
  if (!verb.words.empty()) usage += " " + std::string(verb.words);
  return usage;
}

std::vector<OptionSpec> all_options(const VerbSpec& verb) {
  auto options = verb.options;
  if (verb.json) options.push_back({"json", "", "print the answer as JSON"});
  if (verb.daemon_answers) options.push_back({"inline", "", "do the work in this process instead of asking the daemon"});
  options.push_back({"help", "", "this help"});
  return options;
}

std::string spelled(const OptionSpec& option) {
  return "--" + std::string(option.name) + (option.argument.empty() ? "" : " " + std::string(option.argument));
}

std::string exit_codes() {
  std::string text;
  for (const auto& row : exit_code_table()) {
    text += "  " + padded(std::to_string(static_cast<int>(row.code)), 5) + std::string(row.meaning) + "\n";
  }
  return text;
}

}  // namespace

std::string program_help() {
  std::string text = "kopi-docka VERB [OPTION...]\n\nCold, consistent, encrypted backups of Docker stacks, and their way back.\n\nVerbs:\n";
  for (const auto& verb : verb_table()) {
    if (!verb.hidden) text += "  " + padded(std::string(verb.name), 12) + std::string(verb.text) + "\n";
  }
  text += "\n'kopi-docka VERB --help' tells more. Settings come from the environment\n(KOPI_DOCKA_*): 'kopi-docka config'. Labels: 'kopi-docka labels'.\n\n";
  return text + "Exit codes:\n" + exit_codes();
}

std::string verb_help(const VerbSpec& verb) {
  std::string text = usage_of(verb) + " [OPTION...]\n\n" + wrapped(std::string(verb.text), "") + "\nOptions:\n";
  for (const auto& option : all_options(verb)) text += "  " + padded(spelled(option), 20) + std::string(option.text) + "\n";
  if (!verb.examples.empty()) text += "\nExamples:\n";
  for (const auto& example : verb.examples) text += "  " + std::string(example) + "\n";
  return text;
}

std::string cli_markdown() {
  std::string text =
      "# Command line\n\nMade by `kopi-docka help --markdown > docs/cli.md`; the verb table in `src/cli/verbs.cpp` is the source.\n\n"
      "In the container: `docker exec kopi-docka kopi-docka VERB`. Verbs ask the daemon over its control socket; with\n"
      "`--inline` they do the work in their own process, where no daemon runs.\n";
  for (const auto& verb : verb_table()) {
    if (verb.hidden) continue;
    text += "\n## " + usage_of(verb) + "\n\n" + std::string(verb.text) + "\n\n| option | |\n|---|---|\n";
    for (const auto& option : all_options(verb)) text += "| `" + spelled(option) + "` | " + std::string(option.text) + " |\n";
    if (verb.examples.empty()) continue;
    text += "\n```\n";
    for (const auto& example : verb.examples) text += std::string(example) + "\n";
    text += "```\n";
  }
  text += "\n## Exit codes\n\n| code | name | meaning |\n|---|---|---|\n";
  for (const auto& row : exit_code_table()) {
    text += "| " + std::to_string(static_cast<int>(row.code)) + " | " + std::string(row.name) + " | " + std::string(row.meaning) + " |\n";
  }
  return text;
}

namespace {

/// What may stand after a verb besides options, where it is a closed list.
std::string fixed_words(const VerbSpec& verb) {
  std::string words;
  if (verb.name == "help") {
    for (const auto& other : verb_table()) words += other.hidden ? "" : std::string(other.name) + " ";
  } else if (verb.words.find_first_of("[.") == std::string_view::npos && verb.words == lower(verb.words)) {
    for (const auto& word : split(verb.words, '|')) words += word.empty() ? "" : word + " ";
  }
  return words;
}

/// The values of options that take one of a few words.
constexpr std::string_view kOptionValues =
    "    --scope) words=\"minimal standard full\" ;;\n"
    "    --result) words=\"success partial failed skipped\" ;;\n"
    "    --at) words=\"latest\" ;;\n"
    "    --to) COMPREPLY=($(compgen -d -- \"$current\" || true)); return 0 ;;\n"
    "    --limit|--volume) return 0 ;;\n";

}  // namespace

std::string bash_completion() {
  std::string verbs, cases;
  for (const auto& verb : verb_table()) {
    if (verb.hidden) continue;
    verbs += (verbs.empty() ? "" : " ") + std::string(verb.name);
    cases += "      " + std::string(verb.name) + ") words=\"" + fixed_words(verb);
    for (const auto& option : all_options(verb)) cases += "--" + std::string(option.name) + " ";
    cases.back() = '"';
    cases += " ;;\n";
  }
  return "# shellcheck shell=bash\n_kopi_docka() {\n  local current=\"${COMP_WORDS[COMP_CWORD]:-}\" words=\"" + verbs +
         " --help --version\"\n  COMPREPLY=()\n  if [ \"$COMP_CWORD\" -gt 1 ]; then\n    case \"${COMP_WORDS[1]}\" in\n" + cases +
         "      *) words=\"\" ;;\n    esac\n    case \"${COMP_WORDS[COMP_CWORD-1]}\" in\n" + std::string(kOptionValues) +
         "    esac\n  fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$current\" || true))\n  return 0\n}\n"
         "complete -F _kopi_docka kopi-docka\n";
}

}  // namespace kopidocka
