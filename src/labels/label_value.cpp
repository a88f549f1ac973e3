#include "labels/label_value.hpp"

#include <algorithm>
#include <charconv>
#include <cctype>
#include <utility>

#include "base/text.hpp"
#include "labels/words.hpp"
#include "schedule/schedule.hpp"

namespace kopidocka {
namespace {

constexpr size_t kShownBytes = 60;
constexpr size_t kMaxEntries = 64;
constexpr size_t kMaxName = 128;

using Texts = std::vector<std::string>;

bool may_hold_secret(LabelType type) { return type == LabelType::argv || type == LabelType::environment; }

Error unexpected(const LabelSpec& spec, std::string_view text, const std::string& why = {}) {
  auto message = "expected " + expected_value(spec) + ", found " + shown_value(spec, text);
  if (!why.empty()) message += " (" + why + ")";
  return {ErrorKind::invalid, std::move(message)};
}

bool name_letter(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '.' || letter == '_' || letter == '-';
}

bool valid_name(std::string_view text) {
  return !text.empty() && text.size() <= kMaxName && std::isalnum(static_cast<unsigned char>(text.front())) != 0 &&
         std::all_of(text.begin(), text.end(), name_letter);
}

bool has_parent_step(std::string_view path) {
  const auto parts = split(path, '/');
  return std::find(parts.begin(), parts.end(), "..") != parts.end();
}

/// Every '[' must have its ']', or the glob would match nothing and a volume would silently stay out.
bool balanced_sets(std::string_view glob) {
  for (size_t at = 0; (at = glob.find('[', at)) != std::string_view::npos; ++at) {
    at = glob.find(']', at + 2);
    if (at == std::string_view::npos) return false;
  }
  return true;
}

std::string why_no_glob(const LabelSpec& spec, const Texts& globs) {
  for (const auto& glob : globs) {
    const bool word = std::find(spec.values.begin(), spec.values.end(), glob) != spec.values.end();
    if (word && globs.size() > 1) return "'" + glob + "' must stand alone";
    if (glob.front() == '-') return "an entry begins with '-'";
    if (has_parent_step(glob)) return "'..' is not allowed";
    if (!balanced_sets(glob)) return "a '[' is never closed";
  }
  return {};
}

std::string why_no_pattern(const Texts& patterns) {
  const auto dash = std::any_of(patterns.begin(), patterns.end(), [](const auto& text) { return text.front() == '-'; });
  return dash ? "a pattern begins with '-'; write [-]" : "";
}

std::string why_no_name(const Texts& names) {
  for (const auto& name : names) {
    if (!valid_name(name)) return "'" + printable(name, kShownBytes) + "' is no such name";
  }
  return {};
}

std::string why_no_word(const LabelSpec& spec, const Texts& words) {
  for (const auto& word : words) {
    auto known = word;
    const auto equals = word.find('=');
    if (spec.type == LabelType::moments && word.starts_with("event:") && equals != std::string::npos) {
      if (!valid_name(word.substr(equals + 1))) return "the part after '=' is not a plain word";
      known = word.substr(0, equals);
    }
    if (std::find(spec.values.begin(), spec.values.end(), known) != spec.values.end()) continue;
    const auto meant = nearest(known, spec.values);
    return "'" + printable(word, kShownBytes) + "' is unknown" + (meant.empty() ? "" : ", did you mean '" + meant + "'?");
  }
  return {};
}

std::string why_no_argv(const Texts& argv) {
  if (argv.empty() || argv.front().empty()) return "there is no program to run";
  return argv.front().front() == '-' ? "the program begins with '-'" : "";
}

bool valid_variable(std::string_view assignment) {
  const auto equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  if (std::isdigit(static_cast<unsigned char>(assignment.front())) != 0) return false;
  const auto name = assignment.substr(0, equals);
  return std::all_of(name.begin(), name.end(), [](char letter) {
    return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
  });
}

std::string why_no_environment(const Texts& environment) {
  const bool valid = !environment.empty() && std::all_of(environment.begin(), environment.end(), valid_variable);
  return valid ? "" : "an entry is not NAME=value";
}

std::string why_not(const LabelSpec& spec, const Texts& parts) {
  switch (spec.type) {
    case LabelType::globs: return why_no_glob(spec, parts);
    case LabelType::patterns: return why_no_pattern(parts);
    case LabelType::names: return why_no_name(parts);
    case LabelType::argv: return why_no_argv(parts);
    case LabelType::environment: return why_no_environment(parts);
    default: return why_no_word(spec, parts);
  }
}

Result<LabelValue> parse_texts(const LabelSpec& spec, std::string_view text) {
  const bool command = may_hold_secret(spec.type);
  auto parts = command ? parse_argv(text) : parse_list(text);
  if (!parts) {
    const auto& error = parts.error();
    return unexpected(spec, text, error.message() + (error.next_step().empty() ? "" : "; " + error.next_step()));
  }
  if (!command && parts->size() > kMaxEntries) return unexpected(spec, text, "more than 64 entries");
  if (const auto why = why_not(spec, *parts); !why.empty()) return unexpected(spec, text, why);
  return LabelValue(std::move(*parts));
}

Result<LabelValue> parse_boolean(const LabelSpec& spec, std::string_view text) {
  const auto word = lower(text);
  if (word != "true" && word != "false") return unexpected(spec, text);
  return LabelValue(word == "true");
}

Result<LabelValue> parse_limited_duration(const LabelSpec& spec, std::string_view text) {
  const auto duration = parse_duration(text);
  if (!duration || (spec.shortest && *duration < *spec.shortest) || (spec.longest && *duration > *spec.longest)) {
    return unexpected(spec, text);
  }
  return LabelValue(*duration);
}

Result<LabelValue> parse_integer(const LabelSpec& spec, std::string_view text) {
  std::int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = fault == std::errc() && end == text.data() + text.size();
  if (!whole || (spec.min && number < *spec.min) || (spec.max && number > *spec.max)) return unexpected(spec, text);
  return LabelValue(number);
}

Result<LabelValue> parse_choice(const LabelSpec& spec, std::string_view text) {
  if (std::find(spec.values.begin(), spec.values.end(), text) != spec.values.end()) return LabelValue(std::string(text));
  const auto meant = nearest(text, spec.values);
  return unexpected(spec, text, meant.empty() ? "" : "did you mean '" + meant + "'?");
}

Result<LabelValue> parse_timed(const LabelSpec& spec, std::string_view text, std::string_view zone) {
  const bool is_zone = spec.type == LabelType::zone;
  const auto schedule = is_zone ? Schedule::parse("@daily", text) : Schedule::parse(text, zone);
  if (!schedule) {
    const auto& error = schedule.error();
    auto why = error.message();
    if (!error.next_step().empty()) why += "; " + error.next_step();
    return unexpected(spec, text, why);
  }
  return LabelValue(std::string(text));
}

bool valid_user(std::string_view text) {
  const auto parts = split(text, ':');
  return parts.size() <= 2 && std::all_of(parts.begin(), parts.end(), valid_name);
}

bool valid_path(std::string_view text) { return text.starts_with('/') && !has_parent_step(text); }

Result<LabelValue> parse_checked(const LabelSpec& spec, std::string_view text, bool (*valid)(std::string_view)) {
  if (!valid(text)) return unexpected(spec, text);
  return LabelValue(std::string(text));
}

struct ToText {
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(Milliseconds value) const { return format_duration(value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const Texts& value) const { return join(value, ", "); }
};

}  // namespace

std::string to_text(const LabelValue& value) { return std::visit(ToText{}, value); }

std::string shown_value(const LabelSpec& spec, std::string_view text) {
  return may_hold_secret(spec.type) ? "something else" : "'" + printable(text, kShownBytes) + "'";
}

Result<LabelValue> parse_label_value(const LabelSpec& spec, std::string_view text, std::string_view zone) {
  switch (spec.type) {
    case LabelType::boolean: return parse_boolean(spec, text);
    case LabelType::schedule:
    case LabelType::zone: return parse_timed(spec, text, zone);
    case LabelType::duration: return parse_limited_duration(spec, text);
    case LabelType::choice: return parse_choice(spec, text);
    case LabelType::integer: return parse_integer(spec, text);
    case LabelType::name:
    case LabelType::file_name: return parse_checked(spec, text, valid_name);
    case LabelType::user: return parse_checked(spec, text, valid_user);
    case LabelType::path: return parse_checked(spec, text, valid_path);
    default: return parse_texts(spec, text);
  }
}

}  // namespace kopidocka
