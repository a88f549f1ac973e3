#include "architecture/source_tree.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <stdexcept>

namespace kopidocka::architecture {
namespace {

/// Walks C++ text once and blanks what is asked for, newlines excepted.
class Blanker {
 public:
  Blanker(const std::string& text, bool literals) : text_(text), result_(text), literals_(literals) {}

  std::string run() {
    while (at_ < text_.size()) {
      if (starts("//")) {
        blank(text_.find('\n', at_), true);
      } else if (starts("/*")) {
        blank(after(text_.find("*/", at_ + 2), 2), true);
      } else if (starts("R\"")) {
        const auto open = text_.find('(', at_);
        const auto close = ")" + text_.substr(at_ + 2, open - at_ - 2) + "\"";
        blank(after(text_.find(close, open), close.size()), literals_);
      } else if (text_[at_] == '"' || opens_character()) {
        blank(end_of_literal(), literals_);
      } else {
        ++at_;
      }
    }
    return result_;
  }

 private:
  bool starts(std::string_view word) const { return text_.compare(at_, word.size(), word) == 0; }

  static size_t after(size_t position, size_t length) {
    return position == std::string::npos ? position : position + length;
  }

  /// The quote in 60'000 separates digits.
  bool opens_character() const {
    return text_[at_] == '\'' && (at_ == 0 || std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) == 0);
  }

  size_t end_of_literal() const {
    for (auto i = at_ + 1; i < text_.size(); ++i) {
      if (text_[i] == '\\') {
        ++i;
      } else if (text_[i] == text_[at_] || text_[i] == '\n') {
        return i + 1;
      }
    }
    return text_.size();
  }

  void blank(size_t end, bool wanted) {
    end = std::min(end, text_.size());
    for (; at_ < end; ++at_) {
      if (wanted && text_[at_] != '\n') result_[at_] = ' ';
    }
  }

  const std::string& text_;
  std::string result_;
  bool literals_;
  size_t at_ = 0;
};

std::string without_unnamed_namespaces(std::string code) {
  static const std::regex opening(R"(\bnamespace\s*\{)");
  std::smatch match;
  while (std::regex_search(code, match, opening)) {
    const auto begin = static_cast<size_t>(match.position());
    auto end = begin + static_cast<size_t>(match.length());
    for (int depth = 1; depth > 0 && end < code.size(); ++end)
      depth += code[end] == '{' ? 1 : code[end] == '}' ? -1 : 0;
    code.replace(begin, end - begin, "");
  }
  return code;
}

}  // namespace

std::string read_text(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

SourceTree read_sources(const std::string& root) {
  SourceTree tree;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    const auto extension = entry.path().extension();
    if (extension != ".hpp" && extension != ".cpp") continue;
    tree[entry.path().lexically_relative(root).string()] = read_text(entry.path().string());
  }
  if (tree.empty()) throw std::runtime_error("no sources in " + root);
  return tree;
}

std::string room_of(const std::string& path) { return path.substr(0, path.find('/')); }

std::string without_comments(const std::string& text) { return Blanker(text, false).run(); }
std::string code_only(const std::string& text) { return Blanker(text, true).run(); }

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex pattern(R"re((^|\n)[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"])re");
  const auto code = without_comments(text);
  std::vector<Include> includes;
  for (std::sregex_iterator at(code.begin(), code.end(), pattern), end; at != end; ++at) {
    includes.push_back({(*at)[3], (*at)[2] == "\""});
  }
  return includes;
}

std::vector<std::string> shared_types_of(const std::string& text) {
  static const std::regex pattern(
      R"re((^|\n)(?:enum +)?(?:struct|class|enum) +(?:\[\[\w+\]\] *)?(\w+)(?: +final)?\s*(?::[^:;{][^;{]*)?\{)re");
  const auto code = without_unnamed_namespaces(code_only(text));
  std::vector<std::string> types;
  for (std::sregex_iterator at(code.begin(), code.end(), pattern), end; at != end; ++at)
    types.push_back((*at)[2]);
  return types;
}

std::vector<size_t> lines_matching(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::vector<size_t> lines;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    const auto position = static_cast<std::ptrdiff_t>(at->position());
    lines.push_back(static_cast<size_t>(std::count(text.begin(), text.begin() + position, '\n')) + 1);
  }
  return lines;
}

}  // namespace kopidocka::architecture
