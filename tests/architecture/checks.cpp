#include "architecture/checks.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <regex>

#include "base/text.hpp"

namespace kopidocka::architecture {
namespace {

/// Made by the build from labels/labels.json.
constexpr std::array kGenerated = {"labels/labels_json.hpp"};

/// Whoever includes one of these can do more than compute.
constexpr std::array kImpure = {"base/task.hpp", "base/cancel.hpp", "boost/*",  "sys/*",  "unistd.h",
                                "fcntl.h",       "fstream",         "iostream", "thread", "mutex",
                                "spdlog/*",      "csignal",         "ctime"};

bool matches_any(const std::vector<std::string>& globs, const std::string& text) {
  return std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return glob_match(glob, text); });
}

bool is_impure(const std::string& header) {
  return std::any_of(kImpure.begin(), kImpure.end(),
                     [&](const char* glob) { return glob_match(glob, header); });
}

/// Spares the slow regular expressions most files.
bool contains_any(const std::string& text, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return text.find(word) != std::string::npos; });
}

bool is_header(const std::string& path) { return path.ends_with(".hpp"); }

std::string at_line(const std::string& path, size_t line) { return path + ":" + std::to_string(line); }

}  // namespace

Violations check_one_way(const RoomTable& rooms) {
  Violations violations;
  std::set<std::string> above;
  for (const auto& room : rooms) {
    for (const auto& used : room.uses) {
      if (above.count(used) == 0)
        violations.push_back(room.name + " uses " + used + ", which does not stand above it");
    }
    if (!above.insert(room.name).second) violations.push_back(room.name + " stands in the table twice");
  }
  return violations;
}

Violations check_room_includes(const SourceTree& tree, const RoomTable& rooms) {
  Violations violations;
  auto allowed = reachable(rooms);
  allowed["main.cpp"] = {"cli"};
  for (const auto& [path, text] : tree) {
    for (const auto& include : includes_of(text)) {
      if (!include.quoted) continue;
      const auto target = room_of(include.path);
      const bool generated =
          std::find(kGenerated.begin(), kGenerated.end(), include.path) != kGenerated.end();
      if (include.path.find('/') == std::string::npos) {
        violations.push_back(path + " includes \"" + include.path + "\", which is not a path from src/");
      } else if (!generated && tree.count(include.path) == 0) {
        violations.push_back(path + " includes \"" + include.path + "\", which does not exist");
      } else if (allowed[room_of(path)].count(target) == 0) {
        violations.push_back(path + " includes \"" + include.path + "\", but " + room_of(path) +
                             " may not use " + target);
      }
    }
  }
  return violations;
}

Violations check_folders(const SourceTree& tree, const RoomTable& rooms) {
  std::set<std::string> known = {"main.cpp"};
  for (const auto& room : rooms) known.insert(room.name);
  Violations violations;
  for (const auto& [path, text] : tree) {
    if (known.count(room_of(path)) == 0) violations.push_back(path + " is in no room of the table");
  }
  return violations;
}

Violations check_headers(const SourceTree& tree, const std::vector<HeaderRule>& rules) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    for (const auto& include : includes_of(text)) {
      for (const auto& rule : rules) {
        if (include.path.rfind(rule.header, 0) != 0 || matches_any(rule.only_in, path)) continue;
        violations.push_back(path + " includes <" + include.path + ">, which belongs in " +
                             join(rule.only_in, ", ") + " only");
      }
    }
  }
  return violations;
}

Violations check_pure_rooms(const SourceTree& tree,
                            const std::map<std::string, std::vector<std::string>>& pure) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    const auto room = pure.find(room_of(path));
    if (room == pure.end()) continue;
    for (const auto& include : includes_of(text)) {
      const bool own = include.quoted && room_of(include.path) == room->first;
      const bool seen = !include.quoted || own || matches_any(room->second, include.path);
      if (seen && !is_impure(include.path)) continue;
      violations.push_back(path + " includes " + include.path + ", but " + room->first + " only computes");
    }
    for (const auto line : lines_matching(code_only(text), R"(\b(printf|fprintf|puts|fopen|getenv)\s*\()")) {
      violations.push_back(at_line(path, line) + " looks outside, but " + room->first + " only computes");
    }
  }
  return violations;
}

Violations check_lengths(const SourceTree& tree, size_t ceiling) {
  Violations violations;
  for (const auto& [path, text] : tree) {
    const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
    if (lines > ceiling)
      violations.push_back(path + " has " + std::to_string(lines) + " lines, more than " +
                           std::to_string(ceiling));
  }
  return violations;
}

Violations check_names(const SourceTree& tree, const std::vector<std::string>& known) {
  static const std::string pattern =
      R"(\b(?:struct|class)\s+(\w*(?:Manager|Helper|Handler|Service|Utils?))\b)";
  static const std::regex regex(pattern);
  Violations violations;
  std::set<std::string> found;
  for (const auto& [path, text] : tree) {
    if (!contains_any(text, {"Manager", "Helper", "Handler", "Service", "Util"})) continue;
    const auto code = code_only(text);
    for (std::sregex_iterator at(code.begin(), code.end(), regex), end; at != end; ++at) {
      const std::string name = (*at)[1];
      found.insert(name);
      if (std::find(known.begin(), known.end(), name) != known.end()) continue;
      violations.push_back(path + ": the name " + name + " does not say what the type is for");
    }
  }
  for (const auto& name : known) {
    if (found.count(name) == 0)
      violations.push_back("no type is called " + name + " any more: take it off the list of exceptions");
  }
  return violations;
}

Violations check_types_unique(const SourceTree& tree) {
  std::map<std::string, std::string> first;
  Violations violations;
  for (const auto& [path, text] : tree) {
    for (const auto& type : shared_types_of(text)) {
      const auto [known, added] = first.emplace(type, path);
      if (!added) violations.push_back(path + " and " + known->second + " both define a type " + type);
    }
  }
  return violations;
}

Violations check_words(const SourceTree& tree) {
  struct Rule {
    const char* word;  ///< without it there is nothing to look for
    const char* pattern;
    const char* why;
    bool comments = false;
    bool headers_only = false;
  };
  static constexpr std::array rules = {
      Rule{"detached", R"(\bdetached\b)", "leaves work running behind its owner"},
      Rule{"->", R"(\[[^\]\[]+\]\s*(\([^()]*\))?\s*(mutable\s*)?->\s*(\w+::)*(Task|awaitable)\s*<)",
           "is a capturing lambda coroutine: its captures are gone when it resumes"},
      Rule{"TODO", R"(\bTODO\b)", "is an open end", true},
      Rule{"FIXME", R"(\bFIXME\b)", "is an open end", true},
      Rule{"using namespace", R"((^|\n)using namespace\b)", "puts names into every file that includes it",
           false, true},
  };
  Violations violations;
  for (const auto& [path, text] : tree) {
    const auto code = code_only(text);
    for (const auto& rule : rules) {
      const auto& where = rule.comments ? text : code;
      if (where.find(rule.word) == std::string::npos || (rule.headers_only && !is_header(path))) continue;
      for (const auto line : lines_matching(where, rule.pattern))
        violations.push_back(at_line(path, line) + " " + rule.why);
    }
    if (is_header(path) && text.find("#pragma once\n") == std::string::npos)
      violations.push_back(path + " has no #pragma once");
  }
  return violations;
}

}  // namespace kopidocka::architecture
