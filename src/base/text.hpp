#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace kopidocka {

/// For logs, tables and pages: control characters, ESC and invalid UTF-8 become \xNN, so a name cannot forge a line.
std::string printable(std::string_view text, size_t limit = 4096);

std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string trim(std::string_view text);
std::string lower(std::string_view text);

/// Shell-style glob with * ? [set]; '*' also matches '/'.
bool glob_match(std::string_view pattern, std::string_view text);

/// The candidate most like `name` by edit distance, empty when none is near enough to be meant.
std::string nearest(std::string_view name, const std::vector<std::string>& candidates);

/// "1.2 MB": decimal units, as Docker and Kopia print them.
std::string format_bytes(std::uint64_t bytes);

/// A random version-4 UUID.
std::string make_uuid();

/// `count` random characters of an alphabet without look-alikes, from the kernel's generator.
std::string make_password(size_t count);

}  // namespace kopidocka
