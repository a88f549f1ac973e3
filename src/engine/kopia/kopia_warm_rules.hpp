#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/engine.hpp"

namespace kopidocka {

/// Whose snapshots are ours.
struct KopiaIdentity {
  std::string host, user;
  bool owns(const Snapshot& snapshot) const { return snapshot.host == host && snapshot.user == user; }
};

/// Picks ids out of all snapshots of a repository.
using KopiaChoice = std::function<std::vector<std::string>(const std::vector<Snapshot>&)>;

/// What drop_warm removes. Kopia saves what it has read every 45 minutes, without tags, but with the start of the pass.
KopiaChoice warm_of_run(KopiaIdentity identity, std::string run, std::string path);

/// Warm and incomplete snapshots of a source, but the `known` ones: what a pass left.
KopiaChoice left_of_pass(KopiaIdentity identity, std::string path, std::vector<std::string> known);

/// Of these, the ones that Kopia saved on its way.
KopiaChoice checkpoints_of_pass(KopiaIdentity identity, std::string path, std::vector<std::string> known);

/// The one warm snapshot of a source, in the state in which a pass leaves it; else why there is none to work with.
Result<Snapshot> only_warm(const std::vector<Snapshot>& all, const KopiaIdentity& identity, const std::string& path);

/// Snapshots that were there before and now have another id: somebody has rewritten them. The one called `expected` may be.
std::vector<std::string> rewritten(const std::vector<Snapshot>& before, const std::vector<Snapshot>& after, const std::string& expected);

}  // namespace kopidocka
