#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "catalog/report_store.hpp"
#include "config/settings.hpp"
#include "daemon/held_ledger.hpp"
#include "daemon/pauses.hpp"
#include "daemon/state_folder.hpp"
#include "docker/engine_client.hpp"
#include "engine/factory.hpp"
#include "run/context.hpp"
#include "unit/discovery.hpp"

namespace kopidocka {

/// All parts, put together once from the settings: the composition root of the daemon and of `--inline`.
/// Members are in order of construction; everything outlives the runs that use it.
struct Assembly {
  Assembly(boost::asio::any_io_executor executor, Settings settings);
  Assembly(const Assembly&) = delete;
  Assembly& operator=(const Assembly&) = delete;

  /// Locks the state folder and opens what it holds; ErrorKind::busy when another process has it. Once is enough.
  void open_folders();
  /// Makes the client of the Docker Engine, which does no I/O. Once is enough.
  void make_docker();
  /// The engine without the Docker Engine's help, for a look at the repository; false when it takes that help to know
  /// who we are in there. Throws what open_folders() throws and what settings make impossible.
  bool build_engine_alone();

  /// Locks the state folder, meets the Docker Engine, finds out who and where we are, opens journal and report store.
  /// Does not touch the repository. Throws what stands in the way; may be called again after a failure.
  Task<> meet_surroundings();

  /// Another kopi-docka container that acts on this engine, before which we step back (see acting_rival).
  Task<std::optional<Container>> find_rival();
  /// Throws ErrorKind::busy when there is one: two would stop each other's units.
  Task<> refuse_rivals();

  /// Connects to the repository and pins its identity. Creates it only when it is the untouched default one in a place
  /// that survives us. Returns what is there; `created` tells whether it is new. One such call at a time: two that create
  /// at once would leave a repository that nobody can open.
  struct OpenedRepository {
    RepositoryInfo info;
    bool created = false;
  };
  Task<OpenedRepository> open_repository(Cancel cancel);
  /// The same on purpose (`kopi-docka repository init`): creates whatever the settings name, but never a second one in
  /// place of one that was pinned and is gone (ErrorKind::refused, nothing is made).
  Task<OpenedRepository> init_repository(Cancel cancel);

  /// What a run works with. `observers` are added to ours.
  /// Engine processes that may wait with an open repository, in one run; 0 = without a gate.
  size_t gate_width() const;
  RunContext run_context(std::vector<RunObserver*> observers);

  boost::asio::any_io_executor executor;
  Settings settings;
  std::string mountinfo;  ///< of this process
  /// Whether this process runs in a container at all. Whether the engine we talk to knows that container is another
  /// question: surroundings.own_container_id.
  bool in_container;
  SystemClock clock;
  StateFolder state;
  HeldLedger held;
  Journal journal;
  ReportStore reports;
  Pauses pauses;
  Worker worker;
  std::function<void(const DockerRequest&)> on_docker_request;  ///< for metrics; may be empty
  std::function<void()> on_journal_failure;                     ///< the same
  std::unique_ptr<Docker> docker;           ///< made at the first meeting, unless a test has put one here
  EngineClient* engine_client = nullptr;    ///< the same, for its events; nullptr for a stand-in
  EngineInfo engine_info;
  Surroundings surroundings;
  std::string hostname;
  /// What we are in the repository cannot be read: containers can be started, and nothing else be done.
  std::optional<Error> identity_trouble;
  std::string state_problem;       ///< why nothing may be held; empty = all is well
  std::string repository_problem;  ///< why a repository may not be created here; empty = it may
  std::function<Result<std::unique_ptr<SnapshotEngine>>(EngineSettings)> engine_maker = make_engine;
  /// Replaced when password or pinned identity change; see retired_.
  std::unique_ptr<SnapshotEngine> engine;
  std::vector<RunObserver*> observers;
  Secret password;
  bool password_generated = false;

 private:
  Task<> find_ourselves();
  void choose_password();
  /// The id pinned for this repository (empty = none yet). The engine is made anew when it was made with another one.
  std::string pinned_id();
  void build_engine(const std::string& pinned);
  Task<> require_no_lost_repository(Cancel cancel);
  Task<OpenedRepository> in_turn(Task<OpenedRepository> work);
  Task<OpenedRepository> connect_or_create(Cancel cancel);
  Task<OpenedRepository> create_repository(Cancel cancel);
  /// Pins what is seen for the first time, refuses another one than the pinned, and holds the engine to the pin.
  void accept(const RepositoryInfo& info);
  Error lost_repository(ErrorKind kind, const std::string& why) const;
  std::string must_survive(const std::string& path, const std::string& what) const;

  Semaphore repository_turn_;
  bool folders_open_ = false;
  std::string engine_pin_;
  /// Engines that were replaced: others may still be inside them.
  std::vector<std::unique_ptr<SnapshotEngine>> retired_;
};

/// Whether this process runs in a container.
bool running_in_container();

/// Path of this very program, for worker children.
std::string own_binary();

}  // namespace kopidocka
