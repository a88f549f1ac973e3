#pragma once

#include <string>

#include "labels/contract.hpp"

namespace kopidocka {

/// docs/labels.md, whole, from the contract. Written by `kopi-docka labels --markdown > docs/labels.md`.
std::string labels_markdown(const LabelContract& contract = label_contract());

/// The labels for a terminal of 80 columns, under the prefix that holds here. Internal labels are left out.
std::string labels_text(const std::string& prefix = label_contract().prefix(),
                        const LabelContract& contract = label_contract());

/// The contract as JSON, as declared.
std::string labels_json();

}  // namespace kopidocka
