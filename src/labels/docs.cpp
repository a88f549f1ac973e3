#include "labels/docs.hpp"

#include <array>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr size_t kColumns = 80;

struct Section {
  LabelLevel level;
  std::string_view title;
  std::string_view intro;
};

constexpr std::array kSections = {
    Section{LabelLevel::unit, "The stack",
            "These stand on any container of the stack and hold for all of it. Two containers must not give one of them "
            "different values."},
    Section{LabelLevel::member, "One container", "These act on the container that carries them."},
    Section{LabelLevel::hook, "Hooks",
            "A hook is a command at one moment of a backup or restore. It has a name of your choice (a-z, 0-9 and '-'), and "
            "exactly one of exec, script and preset says what it does. It acts on the container that carries the labels."},
    Section{LabelLevel::volume, "A Docker volume", "This stands on the volume itself, under volumes: in the compose file."},
};

constexpr std::string_view kIntro = R"(# Labels

<!-- Generated from labels/labels.json. Do not edit: kopi-docka labels --markdown > docs/labels.md -->

Labels in your compose file say which stacks are backed up, when and how. One is enough:

```yaml
services:
  web:
    image: nginx
    labels:
      kopi-docka.schedule: "0 3 * * *"
```

Everything else has a default. The rules for all labels:

- The prefix is `kopi-docka.` unless the sidecar was told another.
- The labels of a stack are checked together, and every problem is reported with its container, its label and what was
  expected. A stack with an error is marked invalid and not backed up; other stacks are not affected.
- An unknown label under the prefix is an error, so that a typing mistake cannot switch something off in silence.
- A value is at most 4096 bytes of UTF-8 without line breaks or other control characters; it must not be empty.
- Lists are separated by commas, or written as a JSON array of strings: `'["one", "two, with comma"]'`.
- Commands never see a shell. They are words with `'...'`, `"..."` and `\`, or a JSON array of strings.
- Durations are written `30s`, `5m`, `1h30m` or `2d`.
- Compose replaces `$` in values: write `$$` for one.
)";

std::string default_of(const LabelSpec& spec) {
  return spec.default_text.empty() ? spec.default_value.value_or("none") : spec.default_text;
}

/// What the label does not do yet, as one sentence; empty when it works.
std::string not_yet(const LabelSpec& spec) {
  if (spec.status == LabelStatus::works) return {};
  if (spec.meanwhile == Meanwhile::warning) return "Checked, but without effect yet: it gives a warning.";
  if (spec.works_now.empty()) return "Not yet available: it makes the stack invalid.";
  return "Not yet available: any value but " + join(spec.works_now, ", ") + " makes the stack invalid.";
}

/// As a YAML scalar: single quotes where they need no escapes.
std::string yaml_quoted(const std::string& text) {
  if (text.find('"') == std::string::npos) return '"' + text + '"';
  std::string quoted = "'";
  for (const char letter : text) quoted += letter == '\'' ? std::string("''") : std::string(1, letter);
  return quoted + "'";
}

/// The name as somebody would write it, for examples.
std::string example_name(const LabelSpec& spec) {
  constexpr std::string_view pattern = "<name>";
  auto name = spec.name;
  const auto at = name.find(pattern);
  return at == std::string::npos ? name : name.replace(at, pattern.size(), "dump");
}

std::string example_line(const LabelSpec& spec, const std::string& prefix) {
  return prefix + example_name(spec) + ": " + yaml_quoted(spec.example);
}


void add_section(const LabelContract& contract, const Section& section, std::string& page) {
  page += "\n## " + std::string(section.title) + "\n\n" + std::string(section.intro) + "\n\n";
  page += "| label | default |\n|---|---|\n";
  for (const auto& spec : contract.labels()) {
    if (spec.level == section.level) page += "| `" + contract.prefix() + spec.name + "` | " + default_of(spec) + " |\n";
  }
  for (const auto& spec : contract.labels()) {
    if (spec.level != section.level) continue;
    page += "\n### `" + contract.prefix() + spec.name + "`\n\n" + spec.text + "\n\n";
    page += "- Value: " + expected_value(spec) + "\n";
    page += "- Default: " + default_of(spec) + "\n";
    page += "- Example: `" + example_line(spec, contract.prefix()) + "`\n";
    if (const auto missing = not_yet(spec); !missing.empty()) page += "- **" + missing + "**\n";
  }
}

std::string names_of(const LabelContract& contract, Meanwhile meanwhile) {
  std::vector<std::string> names;
  for (const auto& spec : contract.labels()) {
    if (spec.status == LabelStatus::works || spec.meanwhile != meanwhile) continue;
    const auto name = "`" + (spec.level == LabelLevel::hook ? "hook.<name>.*" : spec.name) + "`";
    if (names.empty() || names.back() != name) names.push_back(name);
  }
  return names.empty() ? "none" : join(names, ", ");
}

/// `text` in lines of at most kColumns, each indented; a word longer than a line keeps its own.
std::string wrapped(std::string_view text, size_t indent) {
  std::string result, line;
  for (const auto& word : split(text, ' ')) {
    if (!line.empty() && indent + line.size() + 1 + word.size() > kColumns) {
      result += std::string(indent, ' ') + line + "\n";
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
  }
  return result + std::string(indent, ' ') + line + "\n";
}

}  // namespace

std::string labels_markdown(const LabelContract& contract) {
  std::string page(kIntro);
  for (const auto& section : kSections) add_section(contract, section, page);
  page += "\n## What does not work yet\n\n";
  page += "Every label is checked from the first version on. Some of them have no effect in this one.\n\n";
  page += "- They would change how safe the backup is or how long the stack is down, so until they work they make the stack\n"
          "  invalid: " + names_of(contract, Meanwhile::invalid) + ".\n";
  page += "- They give a warning: " + names_of(contract, Meanwhile::warning) + ".\n";
  return page;
}

std::string labels_text(const std::string& prefix, const LabelContract& contract) {
  std::string page = wrapped("Every name below begins with " + prefix, 0);
  for (const auto& section : kSections) {
    page += "\n" + std::string(section.title) + "\n" + wrapped(section.intro, 2);
    for (const auto& spec : contract.labels()) {
      if (spec.level != section.level) continue;
      page += "\n  " + spec.name + "\n" + wrapped(spec.text, 6);
      page += wrapped("Value: " + expected_value(spec), 6);
      page += wrapped("Default: " + default_of(spec), 6);
      page += wrapped("Example: " + example_line(spec, prefix), 6);
      if (const auto missing = not_yet(spec); !missing.empty()) page += wrapped(missing, 6);
    }
  }
  return page;
}

std::string labels_json() { return std::string(label_contract_json()); }

}  // namespace kopidocka
