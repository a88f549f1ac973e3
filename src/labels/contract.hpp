#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/duration.hpp"
#include "base/result.hpp"

namespace kopidocka {

/// Where a label stands: unit labels on any container of the stack, member and hook labels on the container they act
/// on, volume labels on a Docker volume; internal ones belong to the program.
enum class LabelLevel { unit, member, hook, volume, internal };

/// How the value of a label is written.
enum class LabelType {
  boolean,      ///< true, false
  schedule,     ///< cron expressions
  zone,         ///< IANA time zone
  duration,     ///< 30s, 1h30m
  choice,       ///< exactly one of the values
  words,        ///< a list out of the values
  moments,      ///< as words; a value that begins with "event:" may be followed by =something
  integer,      ///< a whole number
  globs,        ///< a list of names or paths with * and ?; one of the values stands alone
  patterns,     ///< a list of the engine's ignore patterns
  name,         ///< letters, digits and . _ -
  names,        ///< a list of names
  argv,         ///< a command: words, or a JSON array of strings
  environment,  ///< NAME=value, as words or as a JSON array of strings
  file_name,    ///< the name of a file, never a path
  user,         ///< name or number, optionally :group
  path,         ///< an absolute path
};

enum class LabelStatus { works, later };
/// What a label whose behaviour comes later does until then.
enum class Meanwhile { warning, invalid };

/// One declared label.
struct LabelSpec {
  std::string name;  ///< without the prefix; "hook.<name>.when" for the hook family
  LabelLevel level = LabelLevel::unit;
  LabelType type = LabelType::name;
  std::vector<std::string> values;
  std::optional<std::int64_t> min, max;                 ///< of an integer
  std::optional<Milliseconds> shortest, longest;        ///< of a duration
  std::optional<std::string> default_value;             ///< as a user would write it
  std::string default_text;                             ///< in words, where the default is no plain value
  std::string text, example, since;
  LabelStatus status = LabelStatus::works;
  Meanwhile meanwhile = Meanwhile::warning;
  std::vector<std::string> works_now;  ///< values that already hold while the label's status is later
};

/// The label contract: every label the program knows, as declared in labels/labels.json. A value.
class LabelContract {
 public:
  /// Reads the JSON form; refuses unknown words in it, since we own the format.
  static Result<LabelContract> parse(std::string_view json);

  const std::vector<LabelSpec>& labels() const { return labels_; }
  const std::string& prefix() const { return prefix_; }

  /// The label of that exact name ("retention.daily"; "hook.<name>.when" for hooks), nullptr when there is none.
  const LabelSpec* find(std::string_view name, LabelLevel level) const;

  /// The known label of a container that `name` was probably meant to be, empty when none is near.
  std::string nearest_name(std::string_view name) const;

 private:
  std::string prefix_;
  std::vector<LabelSpec> labels_;
};

/// The contract that was built in, parsed once.
const LabelContract& label_contract();

/// Its text, as in labels/labels.json.
std::string_view label_contract_json();

/// The parts of "hook.dump.when"; nothing when `name` is not of that form.
struct HookLabel {
  std::string hook;  ///< "dump"
  std::string spec;  ///< "hook.<name>.when"
};
std::optional<HookLabel> split_hook_label(std::string_view name);

std::string_view to_string(LabelLevel level);
/// The word of the contract ("bool", "cron", "enum", ...).
std::string_view to_string(LabelType type);

/// What a value of this label must be, in words: "true or false", "a duration like 30s or 1h30m, at most 1d".
std::string expected_value(const LabelSpec& spec);

}  // namespace kopidocka
