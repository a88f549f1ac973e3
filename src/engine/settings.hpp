#pragma once

#include <string>

#include "base/duration.hpp"
#include "base/secret.hpp"

namespace kopidocka {

/// Wall time an engine call may take; 0 = no bound.
struct EngineDeadlines {
  Milliseconds quick{std::chrono::minutes(5)};      ///< status, lists, policies, deletes
  Milliseconds transfer{std::chrono::hours(24)};    ///< snapshot and restore without a deadline of their own, verify
  Milliseconds maintenance{std::chrono::hours(6)};  ///< giving space back
  Milliseconds locked{120'000};                     ///< wait for a repository that somebody else has locked (restic)
  Milliseconds grace{10'000};                       ///< from SIGINT to SIGKILL
};

/// All an engine needs to know. The folders are the daemon's own; each engine uses files of its own name below them.
struct EngineSettings {
  std::string engine = "kopia";  ///< "kopia" or "restic"
  std::string repository;        ///< "filesystem:///path"
  Secret password;
  std::string hostname;      ///< identity: host part, stable over recreated containers
  std::string username;      ///< identity: user part (restic has none: kept by Kopia only)
  std::string state_folder;  ///< kept over restarts: Kopia's config
  std::string cache_folder;  ///< may be lost at any time: caches, temporary files, the children's HOME
  std::string pinned_id;     ///< unique id the repository must have; empty = any
  std::string binary;        ///< the engine's program; empty = its name, searched on PATH
  std::string gate_helper;   ///< a program that Kopia calls at the gate, with the argument "gate": our own; empty = no gate
  EngineDeadlines deadlines;
};

}  // namespace kopidocka
