#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "engine/engine.hpp"
#include "engine/kopia/kopia_config.hpp"

namespace kopidocka {

/// The action that brings a snapshot to our gate, as its flag is written. It names nothing of ours: another client that carries
/// it out, even one of the same identity, has no KOPI_DOCKA_GATE in its environment, does nothing and succeeds.
inline constexpr std::string_view kKopiaGate = R"(/bin/sh -c "exec $KOPI_DOCKA_GATE")";

/// What is defined for one source itself, without what it inherits. Only the fields we care for; empty = not defined.
struct KopiaPolicy {
  std::map<std::string, std::string> fields;  ///< by the name of the flag that sets it: "keep-latest" -> "10"
  std::vector<std::string> ignore;
  std::vector<std::string> dot_ignore;
};

/// The policies of `policy list --json` by source path, of this identity only.
Result<std::map<std::string, KopiaPolicy>> decode_kopia_policies(const std::string& json, const std::string& user,
                                                                 const std::string& host);

/// What makes `wanted` hold for a source whose own definition is `current`, of which `ours` came from us.
///
/// Everything is defined at the source itself, so that what it inherits cannot lose data; Kopia drops inherited ignore rules
/// where there is one of its own. What others defined at this very source stays, ignore rules included, with two exceptions:
/// a value that the user asked for (one that is not our default), and identical snapshots, which must not be left out. Ignore
/// rules of ours go when they are no longer wanted.
struct KopiaChange {
  std::vector<std::string> flags;  ///< of `policy set`; empty when nothing is to be done
  KopiaOurs during;                ///< what is ours while the change goes on, to be noted before
  KopiaOurs after;                 ///< and when it is done
  Retention retention;             ///< what then holds, ours or theirs
  bool gated = false;              ///< it comes to our gate; false although wanted when somebody has an action of his own here
};
KopiaChange kopia_policy_change(const SourcePolicy& wanted, const KopiaPolicy& current, const KopiaOurs& ours);

}  // namespace kopidocka
