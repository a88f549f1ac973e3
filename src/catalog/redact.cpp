#include "catalog/redact.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

namespace kopidocka {
namespace {

constexpr std::array<std::string_view, 24> kSecretWords = {
    "PASS",      "PW",         "PWD",        "KEY",       "KEYS",      "TOKEN",  "TOKENS", "AUTH",
    "AUTHORIZATION", "PRIVATE", "DSN",       "SALT",      "APIKEY",    "APIKEYS", "SECRETKEY", "ACCESSKEY",
    "PRIVATEKEY", "SIGNINGKEY", "ENCRYPTIONKEY", "MASTERKEY", "PIN",   "COOKIE", "JWT",    "BEARER"};
/// Nothing harmless is called so, whatever stands around it (PGPASSWORD, MYSQLPASSWD).
constexpr std::array<std::string_view, 6> kSecretParts = {"PASSWORD", "PASSWD", "PASSPHRASE", "PASSCODE", "SECRET", "CREDENTIAL"};

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_upper(char c) { return std::isupper(static_cast<unsigned char>(c)) != 0; }
bool is_lower(char c) { return std::islower(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool is_name_char(char c) { return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.'; }

/// Words in capitals, without digits at their end: "dbPassword2_URL" -> DB, PASSWORD, URL.
std::vector<std::string> words_of(std::string_view name) {
  std::vector<std::string> words(1);
  for (size_t i = 0; i < name.size(); ++i) {
    const char letter = name[i];
    const bool separator = !is_letter(letter) && !is_digit(letter);
    const bool hump = i > 0 && is_upper(letter) && is_lower(name[i - 1]);
    const bool acronym_end = i > 0 && i + 1 < name.size() && is_upper(name[i - 1]) && is_upper(letter) && is_lower(name[i + 1]);
    if (separator || hump || acronym_end) words.emplace_back();
    if (!separator) words.back() += static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  }
  for (auto& word : words) {
    while (!word.empty() && is_digit(word.back())) word.pop_back();
  }
  std::erase(words, std::string());
  return words;
}

bool is_secret_word(const std::string& word) {
  if (std::find(kSecretWords.begin(), kSecretWords.end(), word) != kSecretWords.end()) return true;
  if (word.size() > 5 && word.ends_with("TOKEN")) return true;
  return std::any_of(kSecretParts.begin(), kSecretParts.end(),
                     [&](std::string_view part) { return word.find(part) != std::string::npos; });
}

bool ends_value(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '"' || c == '\'' || c == ','; }

/// Where the '@' after the user information is: in the authority, or beyond it when what follows the ':' is no port and
/// so must be a password with a '/' in it.
size_t end_of_userinfo(std::string_view text, size_t begin) {
  size_t authority = begin, value = begin;
  while (value < text.size() && !ends_value(text[value])) ++value;
  while (authority < value && text[authority] != '/' && text[authority] != '?' && text[authority] != '#') ++authority;
  const auto at = text.substr(begin, authority - begin).rfind('@');
  if (at != std::string_view::npos) return begin + at;
  const auto colon = text.substr(begin, authority - begin).find(':');
  if (colon == std::string_view::npos) return std::string_view::npos;
  const auto port = text.substr(begin + colon + 1, authority - begin - colon - 1);
  if (std::all_of(port.begin(), port.end(), is_digit)) return std::string_view::npos;
  const auto later = text.substr(begin, value - begin).rfind('@');
  return later == std::string_view::npos ? later : begin + later;
}

std::string redact_urls(std::string_view text) {
  std::string safe;
  size_t done = 0;
  for (auto mark = text.find("://"); mark != std::string_view::npos; mark = text.find("://", done)) {
    const auto begin = mark + 3;
    const auto at = end_of_userinfo(text, begin);
    safe += text.substr(done, begin - done);
    done = begin;
    if (at == std::string_view::npos) continue;
    const auto user = text.substr(begin, at - begin);
    const auto colon = user.find(':');
    // Over HTTP a lone user is a token; over SSH it is "git".
    const auto scheme = text.substr(0, mark);
    const bool has_password = colon != std::string_view::npos;
    const bool is_token = !has_password && (scheme.ends_with("http") || scheme.ends_with("https"));
    if (has_password) safe += user.substr(0, colon + 1);
    safe += has_password || is_token ? kRedacted : user;
    done = at;
  }
  return safe += text.substr(done);
}

std::string redact_pairs(std::string_view text) {
  std::string safe;
  size_t done = 0;
  for (auto equal = text.find('='); equal != std::string_view::npos; equal = text.find('=', done)) {
    auto begin = equal;
    while (begin > done && is_name_char(text[begin - 1])) --begin;
    auto end = equal + 1;
    while (end < text.size() && !ends_value(text[end]) && text[end] != '&' && text[end] != ';') ++end;
    const bool secret = begin < equal && end > equal + 1 && is_secret_name(text.substr(begin, equal - begin));
    safe += text.substr(done, equal + 1 - done);
    if (secret) safe += kRedacted;
    done = secret ? end : equal + 1;
  }
  return safe += text.substr(done);
}

}  // namespace

bool is_secret_name(std::string_view name) {
  // The shell's own, in many images.
  if (name == "PWD" || name == "OLDPWD") return false;
  const auto words = words_of(name);
  if (words.empty() || words.back() == "FILE") return false;
  return std::any_of(words.begin(), words.end(), is_secret_word);
}

std::string redact_text(std::string_view text) { return redact_pairs(redact_urls(text)); }

std::string redact_assignment(std::string_view assignment) {
  const auto equal = assignment.find('=');
  if (equal == std::string_view::npos) return std::string(assignment);
  const auto name = assignment.substr(0, equal), value = assignment.substr(equal + 1);
  std::string safe(assignment.substr(0, equal + 1));
  if (value.empty()) return safe;
  return is_secret_name(name) ? safe.append(kRedacted) : safe + redact_text(value);
}

}  // namespace kopidocka
