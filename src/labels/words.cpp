#include "labels/words.hpp"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/text.hpp"

namespace kopidocka {
namespace {

Error wrong(std::string why, std::string next_step = {}) { return {ErrorKind::invalid, std::move(why), std::move(next_step)}; }

bool shell_operator(std::string_view word) {
  static constexpr std::array<std::string_view, 10> kOperators = {"|", "||", "&", "&&", ";", ">", ">>", "<", "<<", "2>&1"};
  return std::find(kOperators.begin(), kOperators.end(), word) != kOperators.end();
}

/// Reads one word from `at` on and leaves `at` behind it.
Result<std::string> next_word(std::string_view text, size_t& at) {
  std::string word;
  char quote = 0;
  for (; at < text.size() && (quote != 0 || text[at] != ' '); ++at) {
    const char letter = text[at];
    const bool has_next = at + 1 < text.size();
    if (quote == '\'') {
      letter == '\'' ? void(quote = 0) : word.push_back(letter);
    } else if (letter == '\\') {
      if (!has_next) return wrong("it ends with a lonely backslash");
      const char next = text[at + 1];
      if (quote == '"' && next != '"' && next != '\\') {
        word.push_back(letter);
      } else {
        word.push_back(next);
        ++at;
      }
    } else if (quote == '"') {
      letter == '"' ? void(quote = 0) : word.push_back(letter);
    } else if (letter == '\'' || letter == '"') {
      quote = letter;
    } else {
      word.push_back(letter);
    }
  }
  if (quote != 0) return wrong(std::string("the quote ") + quote + " is never closed");
  return word;
}

Result<std::vector<std::string>> parse_json_array(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return wrong("it begins like a JSON array but is none");
  std::vector<std::string> parts;
  for (const auto& entry : json) {
    if (!entry.is_string()) return wrong("the JSON array holds something else than strings");
    parts.push_back(entry.get<std::string>());
    if (!plain_text(parts.back())) return wrong("the JSON array holds a control character");
  }
  return parts;
}

/// A glob may begin with a set like [ab]*, so a bracket alone does not make a JSON array.
bool looks_like_json_list(std::string_view text) {
  if (!text.starts_with('[')) return false;
  const auto next = text.find_first_not_of(' ', 1);
  return next != std::string_view::npos && (text[next] == '"' || text[next] == ']');
}

}  // namespace

Result<std::vector<std::string>> split_words(std::string_view text) {
  std::vector<std::string> words;
  size_t at = 0;
  while ((at = text.find_first_not_of(' ', at)) != std::string_view::npos) {
    const size_t start = at;
    auto word = next_word(text, at);
    if (!word) return word.error();
    if (shell_operator(text.substr(start, at - start))) {
      return wrong("'" + *word + "' means nothing without a shell", "run a shell yourself: sh -c '...'");
    }
    words.push_back(std::move(*word));
  }
  return words;
}

Result<std::vector<std::string>> parse_argv(std::string_view text) {
  return text.starts_with('[') ? parse_json_array(text) : split_words(text);
}

Result<std::vector<std::string>> parse_list(std::string_view text) {
  std::vector<std::string> parts;
  if (looks_like_json_list(text)) {
    auto array = parse_json_array(text);
    if (!array) return array;
    parts = std::move(*array);
  } else {
    for (const auto& part : split(text, ',')) parts.push_back(trim(part));
  }
  if (parts.empty()) return wrong("the list is empty");
  if (std::any_of(parts.begin(), parts.end(), [](const std::string& part) { return trim(part).empty(); })) {
    return wrong("one entry of the list is empty");
  }
  return parts;
}

bool plain_text(std::string_view text) { return printable(text, text.size() + 1) == text; }

}  // namespace kopidocka
