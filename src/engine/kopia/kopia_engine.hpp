#pragma once

#include <exception>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "engine/kopia/kopia_json.hpp"
#include "engine/kopia/kopia_policy.hpp"
#include "engine/kopia/kopia_review.hpp"
#include "engine/kopia/kopia_warm_rules.hpp"
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
  bool waits_at_gate() const override { return !settings_.gate_helper.empty(); }
  bool reads_ahead() const override { return waits_at_gate(); }
  Task<Snapshot> snapshot(SnapshotRequest request, Cancel cancel) override;
  Task<std::vector<Snapshot>> list(SnapshotFilter filter, Cancel cancel) override;
  Task<> restore(RestoreRequest request, Cancel cancel) override;
  Task<SnapshotListing> browse(Snapshot snapshot, std::string path, Cancel cancel) override;
  Task<> read_file(Snapshot snapshot, std::string path, int output, Cancel cancel) override;
  Task<> remove(std::vector<std::string> ids, Cancel cancel) override;
  Task<> pin(std::vector<std::string> ids, bool pinned, Cancel cancel) override;
  Task<std::vector<std::string>> expire(std::vector<SourcePolicy> policies, Cancel cancel) override;
  Task<> verify(std::vector<std::string> ids, int read_percent, Cancel cancel) override;
  Task<> maintain(bool full, Cancel cancel) override;
  bool can_warm() const override { return waits_at_gate(); }
  Task<WarmSnapshot> warm(WarmRequest request, Cancel cancel) override;
  Task<WarmDoubt> distrust(std::string id, std::string path, TimePoint since, std::vector<std::string> touched, Cancel cancel) override;
  Task<size_t> drop_warm(std::string run, std::string path, Cancel cancel) override;

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
  Task<ProcessResult> run_outside_gate(ProgramCall call, SnapshotGate* gate, Cancel cancel);
  Task<ProcessResult> run_at_gate(ProgramCall call, SnapshotGate& gate, bool held_back, Cancel cancel);
  Task<Snapshot> judge(ProcessResult result, ProgramCall call);
  Task<Snapshot> confirm(Snapshot claimed, ProcessResult result, ProgramCall call);
  Task<> discard(std::string id);
  Task<SnapshotListing> folder_at(Snapshot snapshot, std::string path, Cancel cancel);
  Task<std::string> list_text(Cancel cancel);
  bool own(const Snapshot& snapshot) const { return identity().owns(snapshot); }
  KopiaIdentity identity() const { return {settings_.hostname, settings_.username}; }

  Task<> require_warmable(SnapshotSource source, Cancel cancel);
  Task<> upload_warm(WarmRequest request, Cancel cancel);
  Task<WarmSnapshot> take_stock(std::string path, std::string run, std::vector<std::string> known, Cancel cancel);
  [[noreturn]] void fail_warm(const ProcessResult& result, const ProgramCall& call);
  struct Cleared {
    size_t gone = 0;
    std::vector<Snapshot> all;  ///< what is there now, of everybody
  };
  Task<Cleared> clear(KopiaChoice choice, Cancel cancel);
  Task<> clear_after(KopiaChoice choice, std::exception_ptr failure);
  Task<WarmDoubt> take_out(Snapshot warm, TimePoint since, std::vector<std::string> touched, std::string list_before, Cancel cancel);
  Task<KopiaReview> review(std::string id, TimePoint since, std::vector<std::string> touched, std::string list, Cancel cancel);
  Task<> remove_files(std::string id, std::vector<std::string> object_ids, Cancel cancel);

  EngineSettings settings_;
  EngineProgram program_;
  std::unique_ptr<Semaphore> turns_;
  bool connected_ = false;
  std::set<std::string> gated_;  ///< source paths whose policy brings a snapshot to our gate
  std::string version_;
};

}  // namespace kopidocka
