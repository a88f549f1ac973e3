#include "labels/sorted_labels.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.hpp"
#include "labels/label_value.hpp"
#include "labels/words.hpp"

namespace kopidocka {
namespace {

constexpr size_t kShownName = 100;
constexpr size_t kMaxHookName = 63;

bool valid_hook_name(std::string_view name) {
  const auto lower_or_digit = [](char letter) { return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'); };
  return !name.empty() && name.size() <= kMaxHookName && lower_or_digit(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char letter) { return lower_or_digit(letter) || letter == '-'; });
}

std::string unknown_label(const LabelContract& contract, std::string_view name, const std::string& prefix) {
  const auto meant = contract.nearest_name(name);
  if (!meant.empty()) return "no such label; did you mean " + prefix + meant + "?";
  if (name.starts_with("hook.")) return "no such label; a hook label is " + prefix + "hook.<name>.when, .exec, .timeout and so on";
  return "no such label; 'kopi-docka labels' lists all";
}

std::string name_fault(std::string_view name) {
  if (name.size() > kMaxLabelName) return "the name of the label is longer than " + std::to_string(kMaxLabelName) + " bytes";
  if (!plain_text(name)) return "the name of the label holds control characters or is not UTF-8";
  return {};
}

/// Where a known label belongs; nothing when it is internal or wrong (then a problem was added).
std::optional<KnownLabel> recognise(KnownLabel label, std::string_view name, const std::string& prefix,
                                    std::vector<Problem>& problems) {
  const auto& contract = label_contract();
  if (const auto* internal = contract.find(name, LabelLevel::internal)) {
    if (const auto value = parse_label_value(*internal, label.text, "UTC"); !value) add_error(problems, label.where(), value.error().message());
    return std::nullopt;
  }
  const auto hook = split_hook_label(name);
  for (const auto level : {LabelLevel::unit, LabelLevel::member}) {
    if (label.spec == nullptr) label.spec = contract.find(name, level);
  }
  if (hook) label.spec = contract.find(hook->spec, LabelLevel::hook);
  if (label.spec == nullptr) {
    add_error(problems, label.where(), unknown_label(contract, name, prefix));
  } else if (hook && !valid_hook_name(hook->hook)) {
    add_error(problems, label.where(),
              "the name of a hook is made of a-z, 0-9 and '-', begins with a letter or digit and has at most 63 characters");
  } else if (const auto fault = text_fault(label.text); !fault.empty()) {
    add_error(problems, label.where(), fault + "; expected " + expected_value(*label.spec));
  } else {
    return label;
  }
  return std::nullopt;
}

void place(KnownLabel label, std::string_view name, SortedLabels& sorted) {
  if (label.spec->level == LabelLevel::unit) {
    sorted.unit.push_back(std::move(label));
  } else if (label.spec->level == LabelLevel::member) {
    sorted.member.push_back(std::move(label));
  } else {
    sorted.hooks[split_hook_label(name)->hook].push_back(std::move(label));
  }
}

}  // namespace

std::string label_place(std::string_view kind, std::string_view owner, std::string_view label) {
  return std::string(kind) + " " + printable(owner, kShownName) + ", label " + printable(label, kShownName);
}

std::string KnownLabel::where() const { return label_place("container", container, full_name); }

bool begins_with_prefix(std::string_view full_name, const std::string& prefix) {
  return lower(full_name.substr(0, prefix.size())) == lower(prefix);
}

std::string text_fault(std::string_view text) {
  if (text.empty()) return "the value is empty; leave the label out to have the default";
  if (text.size() > kMaxLabelValue) return "the value is longer than " + std::to_string(kMaxLabelValue) + " bytes";
  if (!plain_text(text)) return "the value holds control characters (a line break, perhaps) or is not UTF-8";
  return {};
}

void add_error(std::vector<Problem>& problems, std::string where, std::string message) {
  problems.push_back({Problem::Severity::error, std::move(where), std::move(message)});
}

void add_warning(std::vector<Problem>& problems, std::string where, std::string message) {
  problems.push_back({Problem::Severity::warning, std::move(where), std::move(message)});
}

void add_not_yet(const LabelSpec& spec, std::string_view value, const std::string& where, std::vector<Problem>& problems) {
  if (spec.status == LabelStatus::works) return;
  if (std::find(spec.works_now.begin(), spec.works_now.end(), value) != spec.works_now.end()) return;
  if (spec.meanwhile == Meanwhile::warning) return add_warning(problems, where, "has no effect in this version yet");
  const auto instead = spec.works_now.empty() ? "leave it out" : "only '" + join(spec.works_now, ", ") + "' works so far";
  add_error(problems, where, "does not work in this version yet, and the backup would not be what you asked for; " + instead);
}

SortedLabels sort_labels(const LabelSet& set, const std::string& prefix, std::vector<Problem>& problems) {
  SortedLabels sorted;
  sorted.container = set.container;
  for (const auto& [full_name, value] : set.labels) {
    if (!begins_with_prefix(full_name, prefix)) continue;
    KnownLabel label{nullptr, set.container, full_name, trim(value)};
    if (!full_name.starts_with(prefix)) {
      add_error(problems, label.where(), "no such label; the prefix is written " + prefix);
      continue;
    }
    if (const auto fault = name_fault(full_name); !fault.empty()) {
      add_error(problems, label.where(), fault);
      continue;
    }
    const auto name = std::string_view(full_name).substr(prefix.size());
    if (auto known = recognise(std::move(label), name, prefix, problems)) place(std::move(*known), name, sorted);
  }
  return sorted;
}

}  // namespace kopidocka
