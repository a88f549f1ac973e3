#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "catalog/report_store.hpp"
#include "docker/docker.hpp"
#include "engine/engine.hpp"
#include "journal/journal.hpp"
#include "journal/recovery.hpp"
#include "run/event.hpp"
#include "unit/discovery.hpp"
#include "worker/worker.hpp"

namespace kopidocka {

/// Bounds of a run, from the settings.
struct RunLimits {
  size_t workers = 2;                       ///< snapshots read at the same time
  Milliseconds snapshot_timeout{43'200'000};  ///< one source
  Milliseconds open_timeout{300'000};         ///< from the start of an engine's process until it waits at its gate
  Milliseconds hook_timeout{300'000};
  Milliseconds stop_margin = kStopMargin;   ///< beyond a container's own grace
  Milliseconds start_retry{60'000};         ///< how long a start that fails is tried again inside the run
  std::uint64_t min_free_bytes = 0;         ///< wanted in the repository's file system before a run
  unsigned min_free_percent = 0;            ///< the same as a share of its size; 0 = the bytes count
};

/// Everybody a run works with; all outlive it.
struct RunContext {
  Docker& docker;
  SnapshotEngine& engine;
  Worker& worker;
  Journal& journal;
  ReportStore& reports;
  const Clock& clock;
  RunLimits limits;
  std::filesystem::path cache_folder;
  std::filesystem::path hooks_folder;
  std::string docker_engine_id;
  std::string version;
  bool recipe_environment = true;  ///< the full environment goes into the recipe
  std::string own_container_id;    ///< never counted as somebody who writes
  std::string state_problem;       ///< not empty: the journal would not survive us, so nothing may be stopped
  std::vector<RunObserver*> observers;
  Surroundings surroundings = {};  ///< where the host's own files are seen here, and who belongs to kopi-docka
};

}  // namespace kopidocka
