#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "contract/engine/engine_fixture.hpp"
#include "engine/snapshot_gate.hpp"
#include "worker/types.hpp"

namespace kopidocka::testing {

/// What Kopia counted when it took a snapshot.
struct ReadFiles {
  std::uint64_t anew = 0;     ///< read and hashed
  std::uint64_t trusted = 0;  ///< taken over from an earlier snapshot
  bool operator==(const ReadFiles&) const = default;
};

/// Snapshots taken while a source is written to, on a real Kopia.
class WarmContract : public EngineContract {
 protected:
  void SetUp() override;

  EngineSettings warm_settings(const std::string& client = "one") const;
  SourcePolicy gated_policy(const std::string& path = "/identity/data") const;
  /// With the containers "stopped".
  Snapshot cold(const std::string& path = "/identity/data");
  WarmSnapshot warm(const std::string& run = "run-1", const std::string& path = "/identity/data");
  WarmDoubt distrust(const WarmSnapshot& warm, TimePoint since, const std::vector<std::string>& touched = {},
                     const std::string& path = "/identity/data");
  WarmDoubt distrust(const WarmSnapshot& warm, const Settled& settled, const Touched& touched);
  size_t drop(const std::string& run = {}, const std::string& path = {}) { return await(engine_->drop_warm(run, path, Cancel())); }

  /// All that is in the repository, whoever it belongs to.
  std::vector<Snapshot> everything();
  std::vector<Snapshot> incomplete();
  ReadFiles read_for(const std::string& id);
  std::string restored(const std::string& id, const std::string& name);

  /// Writes a file that looks as if it was written an hour ago.
  void write_old(const std::string& name, const std::string& content);
  static TimePoint minutes_ago(int minutes) { return std::chrono::system_clock::now() - std::chrono::minutes(minutes); }
};

/// Writes without a change of the file's time, as some programs do on purpose.
void write_unseen(const std::filesystem::path& path, const std::string& content);

}  // namespace kopidocka::testing
