#include "contract/engine/warm_fixture.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "engine/kopia/kopia_json.hpp"

namespace kopidocka::testing {
namespace fs = std::filesystem;

void WarmContract::SetUp() {
  EngineContract::SetUp();
  if (IsSkipped()) return;
  engine_ = engine(warm_settings());
  await(engine_->create(Cancel()));
}

EngineSettings WarmContract::warm_settings(const std::string& client) const {
  auto result = settings(client);
  result.gate_helper = fs::read_symlink("/proc/self/exe").string();
  return result;
}

SourcePolicy WarmContract::gated_policy(const std::string& path) const {
  auto result = policy(path);
  result.gated = true;
  return result;
}

Snapshot WarmContract::cold(const std::string& path) {
  auto asked = request(path);
  asked.policy = gated_policy(path);
  return prepared_snapshot(*engine_, asked);
}

WarmSnapshot WarmContract::warm(const std::string& run, const std::string& path) {
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_policy(path)), Cancel()));
  WarmRequest asked;
  asked.source = {path, source_.string()};
  asked.run = run;
  return await(engine_->warm(asked, Cancel()));
}

WarmDoubt WarmContract::distrust(const WarmSnapshot& warm, TimePoint since, const std::vector<std::string>& touched, const std::string& path) {
  return await(engine_->distrust(warm.id, path, since, touched, Cancel()));
}

WarmDoubt WarmContract::distrust(const WarmSnapshot& warm, const Settled& settled, const Touched& touched) {
  std::vector<std::string> paths;
  for (const auto& file : touched.files) paths.push_back(file.path);
  return distrust(warm, settled.since(), paths);
}

std::vector<Snapshot> WarmContract::everything() {
  return decode_kopia_list(tool({"kopia", "snapshot", "list", "--json", "--all", "--incomplete"})).value();
}

std::vector<Snapshot> WarmContract::incomplete() {
  auto all = everything();
  std::erase_if(all, [](const Snapshot& snapshot) { return snapshot.incomplete.empty(); });
  return all;
}

ReadFiles WarmContract::read_for(const std::string& id) {
  const auto all = nlohmann::json::parse(tool({"kopia", "snapshot", "list", "--json", "--all"}));
  for (const auto& snapshot : all) {
    if (snapshot.at("id") == id) return {snapshot.at("stats").at("nonCachedFiles"), snapshot.at("stats").at("cachedFiles")};
  }
  ADD_FAILURE() << "no snapshot " << id;
  return {};
}

std::string WarmContract::restored(const std::string& id, const std::string& name) {
  const auto back = folder_ / ("back-" + id);
  if (!fs::exists(back)) restore(*engine_, id, back.string());
  return read(back / name);
}

void WarmContract::write_old(const std::string& name, const std::string& content) {
  write(source_ / name, content);
  fs::last_write_time(source_ / name, fs::file_time_type::clock::now() - std::chrono::hours(1));
}

void write_unseen(const fs::path& path, const std::string& content) {
  struct stat before {};
  ASSERT_EQ(::lstat(path.c_str(), &before), 0);
  write(path, content);
  const timespec times[2] = {before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
}

}  // namespace kopidocka::testing
