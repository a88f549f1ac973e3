#include "cli/arguments.hpp"

#include <Poco/Util/Option.h>
#include <Poco/Util/OptionException.h>
#include <Poco/Util/OptionProcessor.h>
#include <Poco/Util/OptionSet.h>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using Poco::Util::Option;
using Poco::Util::OptionProcessor;
using Poco::Util::OptionSet;

OptionSet options_of(const VerbSpec& verb) {
  OptionSet set;
  const auto add = [&](std::string_view name, std::string_view argument) {
    Option option(std::string(name), name == "help" ? "h" : "");
    option.repeatable(true);
    if (!argument.empty()) option.argument(std::string(argument));
    set.addOption(option);
  };
  add("help", "");
  if (verb.json) add("json", "");
  if (verb.daemon_answers) add("inline", "");
  for (const auto& option : verb.options) add(option.name, option.argument);
  return set;
}

std::string next_step(const VerbSpec& verb) { return "see 'kopi-docka " + std::string(verb.name) + " --help'"; }

Error unknown_option(const VerbSpec& verb, const std::string& word) {
  std::vector<std::string> known = {"--help"};
  if (verb.json) known.emplace_back("--json");
  if (verb.daemon_answers) known.emplace_back("--inline");
  for (const auto& option : verb.options) known.push_back("--" + std::string(option.name));
  const auto meant = nearest(word.substr(0, word.find('=')), known);
  return {ErrorKind::usage, "unknown option '" + printable(word) + "'",
          meant.empty() ? next_step(verb) : "did you mean " + meant + "?"};
}

Result<void> check_words(const VerbSpec& verb, const Arguments& arguments) {
  if (arguments.has("help")) return {};
  if (arguments.words.size() < verb.least) {
    return Error{ErrorKind::usage, "'" + std::string(verb.name) + "' needs " + std::string(verb.words), next_step(verb)};
  }
  if (arguments.words.size() > verb.most) {
    return Error{ErrorKind::usage, "'" + printable(arguments.words[verb.most]) + "' is one word too many", next_step(verb)};
  }
  return {};
}

}  // namespace

Result<Arguments> parse_arguments(const VerbSpec& verb, const std::vector<std::string>& words) {
  const auto options = options_of(verb);
  OptionProcessor processor(options);
  processor.setUnixStyle(true);
  Arguments arguments;
  bool only_words = false;
  std::string name, value;
  for (const auto& word : words) {
    if (only_words || word == "-") {
      arguments.words.push_back(word);
      continue;
    }
    if (word == "--") {
      only_words = true;
      continue;
    }
    try {
      if (!processor.process(word, name, value)) {
        arguments.words.push_back(word);
      } else if (!name.empty()) {
        arguments.options[name].push_back(value);
      }
    } catch (const Poco::Util::UnknownOptionException&) {
      return unknown_option(verb, word);
    } catch (const Poco::Exception& error) {
      return Error{ErrorKind::usage, printable(error.displayText()), next_step(verb)};
    }
  }
  try {
    processor.checkRequired();
  } catch (const Poco::Exception& error) {
    return Error{ErrorKind::usage, printable(error.displayText()), next_step(verb)};
  }
  if (auto checked = check_words(verb, arguments); !checked) return checked.error();
  return arguments;
}

}  // namespace kopidocka
