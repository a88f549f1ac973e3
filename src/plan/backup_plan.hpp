#pragma once

#include "base/result.hpp"
#include "plan/plan.hpp"

namespace kopidocka {

struct BackupOptions {
  std::string run;       ///< the backup_id, a UUID
  TimePoint time{};
  std::string trigger;   ///< schedule, catch-up, request
  Scope scope = Scope::standard;
  int default_grace = 30;           ///< seconds, for containers without a StopTimeout of their own
  std::string staging_folder;       ///< <cache>/staging, as this process sees it
  size_t gate_width = 0;  ///< engine processes that may wait at a gate while everything is up; 0: the engine has none
};

/// The plan of a cold backup. ErrorKind::refused when the unit may not be backed up now: invalid labels, a paused
/// member, no data at all. Pure.
Result<Plan> make_backup_plan(const Unit& unit, const BackupOptions& options);

}  // namespace kopidocka
