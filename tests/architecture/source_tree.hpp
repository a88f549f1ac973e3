#pragma once

#include <map>
#include <string>
#include <vector>

namespace kopidocka::architecture {

/// Files by path relative to their root ("plan/plan.hpp"), with their text. A value, so that a check can be
/// shown a deliberately wrong one.
using SourceTree = std::map<std::string, std::string>;

/// Every .hpp and .cpp below `root`; the whole program when it is src/. Throws when there is none.
SourceTree read_sources(const std::string& root);
std::string read_text(const std::string& path);

/// "plan" of "plan/plan.hpp", "main.cpp" of "main.cpp".
std::string room_of(const std::string& path);

/// The text with comments, literals, or both blanked out; lines keep their numbers.
std::string without_comments(const std::string& text);
std::string code_only(const std::string& text);

struct Include {
  std::string path;
  bool quoted = false;  ///< "ours" rather than <theirs>
};
std::vector<Include> includes_of(const std::string& text);

/// Names of the types a file defines where other files could see or clash with them: not those in unnamed
/// namespaces, functions or other types. Relies on the house style, in which such a definition begins its
/// line.
std::vector<std::string> shared_types_of(const std::string& text);

/// Every line number (from 1) at which `pattern` (ECMAScript) matches.
std::vector<size_t> lines_matching(const std::string& text, const std::string& pattern);

}  // namespace kopidocka::architecture
