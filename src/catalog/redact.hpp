#pragma once

#include <string>
#include <string_view>

namespace kopidocka {

constexpr std::string_view kRedacted = "***REDACTED***";

/// Whether a variable of this name holds a secret, judged by its words (split at '_', '-', '.' and camelCase):
/// DB_PASSWORD, PGPASSWORD, apiKey, AUTH_TOKEN do; MONKEY, KEYBOARD, TOKENIZER_PATH and DB_PASSWORD_FILE (a path) do not.
bool is_secret_name(std::string_view name);

/// A text with what looks like a secret inside taken out: the password of `scheme://user:password@host`, and the value
/// of `password=...` in connection strings.
std::string redact_text(std::string_view text);

/// "NAME=value" with the whole value taken out when the name says so, else what redact_text takes out.
std::string redact_assignment(std::string_view assignment);

}  // namespace kopidocka
