#pragma once

#include <set>
#include <string>
#include <vector>

namespace kopidocka::architecture {

/// The text between `<!-- name -->` and `<!-- /name -->`; throws when the marks are not there.
std::string marked_part(const std::string& markdown, const std::string& name);

/// The content of the first code fence.
std::string first_fence(const std::string& markdown);

/// YAML lines that say something: without comment lines, trailing comments and blank lines.
std::vector<std::string> telling_lines(const std::string& yaml);

/// Targets of relative links, without their #anchor.
std::set<std::string> relative_links(const std::string& markdown);

/// Every match of the first group of `pattern`.
std::set<std::string> words_matching(const std::string& text, const std::string& pattern);

}  // namespace kopidocka::architecture
