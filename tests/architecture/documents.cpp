#include "architecture/documents.hpp"

#include <algorithm>
#include <regex>
#include <stdexcept>

#include "base/text.hpp"

namespace kopidocka::architecture {
namespace {

size_t place_of(const std::string& text, const std::string& what, size_t from = 0) {
  const auto at = text.find(what, from);
  if (at == std::string::npos) throw std::runtime_error("there is no '" + what + "'");
  return at;
}

std::string without_comment(const std::string& line) {
  const auto at = line.find(" #");
  const auto text = at == std::string::npos ? line : line.substr(0, at);
  return text.substr(0, text.find_last_not_of(' ') + 1);
}

}  // namespace

std::string marked_part(const std::string& markdown, const std::string& name) {
  const auto opening = "<!-- " + name + " -->";
  const auto begin = place_of(markdown, opening) + opening.size();
  return markdown.substr(begin, place_of(markdown, "<!-- /" + name + " -->", begin) - begin);
}

std::string first_fence(const std::string& markdown) {
  const auto begin = place_of(markdown, "\n", place_of(markdown, "```")) + 1;
  return markdown.substr(begin, place_of(markdown, "```", begin) - begin);
}

std::vector<std::string> telling_lines(const std::string& yaml) {
  std::vector<std::string> lines;
  for (const auto& line : split(yaml, '\n')) {
    const auto text = trim(line);
    if (text.empty() || text.front() == '#') continue;
    lines.push_back(without_comment(line));
  }
  return lines;
}

std::set<std::string> relative_links(const std::string& markdown) {
  auto links = words_matching(markdown, R"(\]\(([^)#\s:]+)(?:#[^)]*)?\))");
  return links;
}

std::set<std::string> words_matching(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> words;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) words.insert((*at)[1]);
  return words;
}

}  // namespace kopidocka::architecture
