#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "engine/kopia/kopia_json.hpp"
#include "engine/kopia/kopia_policy.hpp"
#include "engine/program.hpp"
#include "engine/settings.hpp"
#include "engine/storage.hpp"

namespace kopidocka {

/// Kopia by its command line. Connects by itself when its config file is missing, with the identity of the settings;
/// never creates a repository on the way, and refuses one whose unique id is not the pinned one, or a config file that
/// leads elsewhere than the settings. Calls may run side by side.
class KopiaEngine : public SnapshotEngine {
 public:
  explicit KopiaEngine(EngineSettings settings);
  ~KopiaEngine() override;

  std::string name() const override { return "kopia"; }
  Task<RepositoryInfo> probe(Cancel cancel) override;
  Task<RepositoryInfo> create(Cancel cancel) override;
  Task<> prepare(std::vector<SourcePolicy> policies, Cancel cancel) override;
  Task<Snapshot> snapshot(SnapshotRequest request, Cancel cancel) override;
  Task<std::vector<Snapshot>> list(SnapshotFilter filter, Cancel cancel) override;
  Task<> restore(RestoreRequest request, Cancel cancel) override;
  Task<> remove(std::vector<std::string> ids, Cancel cancel) override;
  Task<std::vector<std::string>> expire(std::vector<SourcePolicy> policies, Cancel cancel) override;
  Task<> verify(std::vector<std::string> ids, int read_percent, Cancel cancel) override;
  Task<> maintain(bool full, Cancel cancel) override;

 private:
  struct Turn;  ///< lets one coroutine at a time connect

  ProgramCall make_call(std::string doing, std::vector<std::string> args) const;
  std::string config_file() const;
  std::string target_of(const std::string& path) const;
  Task<std::string> run(ProgramCall call, Cancel cancel);
  [[noreturn]] void fail(const ProcessResult& result, const ProgramCall& call);

  Task<> ensure_connected(Cancel cancel);
  Task<> connect(std::string verb, Cancel cancel);
  Task<RepositoryInfo> read_info(Cancel cancel);
  Task<std::string> read_version(Cancel cancel);
  Task<std::map<std::string, KopiaChange>> make_policies_hold(std::vector<SourcePolicy> policies, Cancel cancel);
  ProgramCall snapshot_call(const SnapshotRequest& request) const;
  Task<Snapshot> confirm(Snapshot claimed, ProcessResult result, ProgramCall call);
  Task<> discard(std::string id);

  EngineSettings settings_;
  EngineProgram program_;
  std::unique_ptr<Semaphore> turns_;
  bool connected_ = false;
  std::string version_;
};

}  // namespace kopidocka
