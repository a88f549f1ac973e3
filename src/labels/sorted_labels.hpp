#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "labels/contract.hpp"
#include "labels/policy.hpp"

namespace kopidocka {

/// One label that passed the first checks: known, short enough, plain text, not empty. Its value is not yet read.
struct KnownLabel {
  const LabelSpec* spec = nullptr;
  std::string container;
  std::string full_name;  ///< with prefix, as it stands on the container
  std::string text;       ///< trimmed

  /// "container shop-db-1, label kopi-docka.schedule"
  std::string where() const;
};

/// The labels of one container under the prefix, by level.
struct SortedLabels {
  std::string container;
  std::vector<KnownLabel> unit, member;
  std::map<std::string, std::vector<KnownLabel>> hooks;  ///< by hook name
};

/// Names beyond this and values beyond that are refused unread: bytes.
inline constexpr size_t kMaxLabelName = 200;
inline constexpr size_t kMaxLabelValue = 4096;

/// Picks the labels under `prefix` and adds a problem for each that is unknown or cannot be read as plain text.
SortedLabels sort_labels(const LabelSet& set, const std::string& prefix, std::vector<Problem>& problems);

/// "container shop-db-1, label kopi-docka.schedule", with names printable and short.
std::string label_place(std::string_view kind, std::string_view owner, std::string_view label);

/// Whether the name begins with the prefix, in whatever letter case.
bool begins_with_prefix(std::string_view full_name, const std::string& prefix);

/// What is wrong with the text of any label (empty, too long, control characters), nothing when it is fine.
std::string text_fault(std::string_view text);

/// The problem of a label whose behaviour comes later, unless its value already holds.
void add_not_yet(const LabelSpec& spec, std::string_view value, const std::string& where, std::vector<Problem>& problems);

void add_error(std::vector<Problem>& problems, std::string where, std::string message);
void add_warning(std::vector<Problem>& problems, std::string where, std::string message);

}  // namespace kopidocka
