#include "contract/engine/engine_fixture.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/text.hpp"
#include "process/process.hpp"

namespace kopidocka::testing {
namespace fs = std::filesystem;

namespace {

ProcessResult run_plain(const std::vector<std::string>& argv, const std::vector<std::string>& more) {
  boost::asio::io_context io;
  ProcessSpec spec;
  spec.argv = argv;
  spec.environment = clean_environment();
  spec.environment.insert(spec.environment.end(), more.begin(), more.end());
  return run_task(io, run_process(spec, Cancel()));
}

}  // namespace

bool installed(const std::string& program) {
  for (const auto& folder : split(std::getenv("PATH") ? std::getenv("PATH") : "", ':')) {
    if (::access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

void EngineContract::SetUp() {
  if (!installed(GetParam())) GTEST_SKIP() << GetParam() << " is not installed";
  auto name = (fs::temp_directory_path() / "kd-engine-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  repository_ = folder_ / "repository";
  source_ = folder_ / "source";
  fs::create_directories(repository_);
  fs::create_directories(source_);
  write(source_ / "file", "content");
}

void EngineContract::TearDown() {
  engine_.reset();
  if (!folder_.empty()) shell("rm -rf '" + folder_.string() + "'");
}

EngineSettings EngineContract::settings(const std::string& client) const {
  EngineSettings result;
  result.engine = GetParam();
  result.repository = "filesystem://" + repository_.string();
  result.password = Secret("canary-s3cret");
  result.hostname = "host-" + client;
  result.username = "root";
  result.state_folder = (folder_ / client / "state").string();
  result.cache_folder = (folder_ / client / "cache").string();
  return result;
}

std::unique_ptr<SnapshotEngine> EngineContract::engine(const EngineSettings& settings) const {
  return make_engine(settings).value();
}

SnapshotEngine& EngineContract::created() {
  if (!engine_) {
    engine_ = engine(settings());
    await(engine_->create(Cancel()));
  }
  return *engine_;
}

SourcePolicy EngineContract::policy(const std::string& path) const {
  SourcePolicy result;
  result.path = path;
  return result;
}

SnapshotRequest EngineContract::request(const std::string& path) const {
  SnapshotRequest result;
  result.source = {path, source_.string()};
  result.policy = policy(path);
  return result;
}

Snapshot EngineContract::prepared_snapshot(SnapshotEngine& engine, const SnapshotRequest& request) {
  await(engine.prepare(std::vector<SourcePolicy>(1, request.policy), Cancel()));
  return await(engine.snapshot(request, Cancel()));
}

std::vector<std::string> EngineContract::ids(SnapshotEngine& engine, const SnapshotFilter& filter) {
  std::vector<std::string> result;
  for (const auto& snapshot : await(engine.list(filter, Cancel()))) result.push_back(snapshot.id);
  return result;
}

void EngineContract::restore(SnapshotEngine& engine, const std::string& id, const std::string& target, bool single_file) {
  RestoreRequest request;
  request.id = id;
  request.target = target;
  request.source_path = "/identity/data";
  request.single_file = single_file;
  await(engine.restore(request, Cancel()));
}

std::string EngineContract::wrapped(const std::string& script) const {
  const auto path = folder_ / "wrapped";
  write(path, "#!/bin/bash\n" + script + "\nexec " + GetParam() + " \"$@\"\n");
  fs::permissions(path, fs::perms(0755));
  return path.string();
}

std::string EngineContract::tool(const std::vector<std::string>& argv) {
  const auto own = settings();
  const auto result = run_plain(argv, {"KOPIA_CONFIG_PATH=" + own.state_folder + "/kopia.config", "KOPIA_PASSWORD=canary-s3cret",
                                       "KOPIA_CHECK_FOR_UPDATES=false", "KOPIA_LOG_DIR=" + own.cache_folder + "/log",
                                       "RESTIC_REPOSITORY=" + repository_.string(), "RESTIC_PASSWORD=canary-s3cret",
                                       "RESTIC_CACHE_DIR=" + own.cache_folder + "/restic"});
  EXPECT_EQ(result.exit_code, 0) << join(argv, " ") << ": " << result.error_tail;
  return result.output;
}

std::string shell(const std::string& script) {
  const auto result = run_plain({"bash", "-ec", script}, {});
  EXPECT_EQ(result.exit_code, 0) << script << ": " << result.error_tail;
  return result.output;
}

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> children() {
  std::vector<std::string> result;
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::istringstream pids(read(task.path() / "children"));
    for (std::string pid; pids >> pid;) result.push_back(pid);
  }
  return result;
}

INSTANTIATE_TEST_SUITE_P(Engine, EngineContract, ::testing::Values("kopia", "restic"), [](const auto& info) { return info.param; });

}  // namespace kopidocka::testing
