#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/engine.hpp"

namespace kopidocka {

/// What is defined for one source itself, without what it inherits. Only the fields we care for; empty = not defined.
struct KopiaPolicy {
  std::map<std::string, std::string> fields;  ///< by the name of the flag that sets it: "keep-latest" -> "10"
  std::vector<std::string> ignore;
  std::vector<std::string> dot_ignore;
};

/// The policies of `policy list --json` by source path, of this identity only.
Result<std::map<std::string, KopiaPolicy>> decode_kopia_policies(const std::string& json, const std::string& user,
                                                                 const std::string& host);

/// The flags of `policy set` that make `wanted` hold for a source whose own definition is `current`; empty when it holds.
/// Everything is defined at the source itself, so that what it inherits cannot lose data. Ignore rules of others stay;
/// those in `ours`, which an earlier run added, go when they are no longer wanted.
std::vector<std::string> kopia_policy_flags(const SourcePolicy& wanted, const KopiaPolicy& current,
                                            const std::vector<std::string>& ours);

}  // namespace kopidocka
