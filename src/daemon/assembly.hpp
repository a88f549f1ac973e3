#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <memory>
#include <string>
#include <vector>

#include "catalog/report_store.hpp"
#include "config/settings.hpp"
#include "daemon/held_ledger.hpp"
#include "daemon/state_folder.hpp"
#include "docker/engine_client.hpp"
#include "engine/engine.hpp"
#include "run/context.hpp"
#include "unit/discovery.hpp"

namespace kopidocka {

/// All parts, put together once from the settings: the composition root of the daemon and of `--inline`.
/// Members are in order of construction; everything outlives the runs that use it.
struct Assembly {
  Assembly(boost::asio::any_io_executor executor, Settings settings);
  Assembly(const Assembly&) = delete;
  Assembly& operator=(const Assembly&) = delete;

  /// Locks the state folder, meets the Docker Engine, finds out who and where we are, opens journal and report store.
  /// Does not touch the repository. Throws what stands in the way; may be called again after a failure.
  Task<> meet_surroundings();

  /// Throws ErrorKind::busy when an older kopi-docka container works on this engine: two would stop each other's units.
  Task<> refuse_rivals();

  /// Connects to the repository and pins its identity. Creates it only when it is the untouched default one in a place
  /// that survives us. Returns what is there; `created` tells whether it is new.
  struct OpenedRepository {
    RepositoryInfo info;
    bool created = false;
  };
  Task<OpenedRepository> open_repository(Cancel cancel);
  /// The same on purpose (`kopi-docka repository init`): creates whatever the settings name.
  Task<OpenedRepository> init_repository(Cancel cancel);

  /// What a run works with. `observers` are added to ours.
  RunContext run_context(std::vector<RunObserver*> observers);

  boost::asio::any_io_executor executor;
  Settings settings;
  bool in_container;
  SystemClock clock;
  StateFolder state;
  HeldLedger held;
  Journal journal;
  ReportStore reports;
  Worker worker;
  std::unique_ptr<EngineClient> docker;
  EngineInfo engine_info;
  Surroundings surroundings;
  std::string hostname;
  std::string state_problem;       ///< why nothing may be held; empty = all is well
  std::string repository_problem;  ///< why a repository may not be created here; empty = it may
  std::unique_ptr<SnapshotEngine> engine;
  std::vector<RunObserver*> observers;
  Secret password;
  bool password_generated = false;

 private:
  Task<> find_ourselves();
  void choose_password();
  void build_engine();
  std::string must_survive(const std::string& path, const std::string& what) const;

  bool met_ = false;
};

/// Whether this process runs in a container.
bool running_in_container();

/// Path of this very program, for worker children.
std::string own_binary();

}  // namespace kopidocka
