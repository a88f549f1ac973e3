#include "engine/kopia/kopia_engine.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <filesystem>
#include <utility>

#include "base/text.hpp"
#include "engine/kopia/kopia_config.hpp"
#include "engine/kopia/kopia_errors.hpp"
#include "engine/kopia/kopia_progress.hpp"
#include "engine/place.hpp"
#include "engine/request_checks.hpp"
#include "engine/retention.hpp"

namespace kopidocka {
namespace {

constexpr size_t kNamesPerCall = 200;

std::string config_file_of(const EngineSettings& settings) { return settings.state_folder + "/kopia.config"; }
std::string record_file_of(const EngineSettings& settings) { return settings.state_folder + "/kopia-policies.json"; }

std::vector<std::string> kopia_environment(const EngineSettings& settings) {
  auto environment = engine_environment(settings.cache_folder);
  environment.push_back("KOPIA_CONFIG_PATH=" + config_file_of(settings));
  environment.push_back("KOPIA_CACHE_DIRECTORY=" + settings.cache_folder + "/kopia");
  environment.push_back("KOPIA_LOG_DIR=" + settings.cache_folder + "/kopia-log");
  environment.push_back("KOPIA_PASSWORD=" + settings.password.reveal());
  environment.insert(environment.end(), {"KOPIA_CHECK_FOR_UPDATES=false", "KOPIA_PERSIST_CREDENTIALS_ON_CONNECT=false",
                                         "KOPIA_USE_KEYRING=false", "KOPIA_REPO_UPGRADE_NO_BLOCK=true"});
  return environment;
}

/// Config and settings must lead to the same place: following either one silently would split the history.
void require_same_storage(const KopiaConfig& config, const Storage& storage, const std::string& file) {
  if (config.storage_type == "filesystem" && normal_path(config.storage_path) == storage.path) return;
  throw Error(ErrorKind::refused,
              "Kopia is connected to " + printable(config.storage_type + ":" + config.storage_path) + ", but the settings name " +
                  printable(storage.text()),
              "restore KOPI_DOCKA_REPOSITORY, or remove " + printable(file) + " when the repository was moved on purpose");
}

/// Looked for by ourselves because Kopia, asked to connect to an empty folder, leaves a file in it: below the mount point
/// of a storage that is not mounted.
Task<> require_repository(Storage storage, Cancel cancel) {
  const auto shown = printable(storage.path);
  if (!(co_await look_at(storage.path + "/.", cancel)).folder()) {
    throw Error(ErrorKind::unreachable, "the repository's folder " + shown + " cannot be reached",
                "check that the storage is mounted and that KOPI_DOCKA_REPOSITORY names it");
  }
  if (!(co_await look_at(storage.path + "/kopia.repository.f", cancel)).exists) {
    throw Error(ErrorKind::not_found, "there is no Kopia repository in " + shown,
                "check that the storage is mounted; create the repository if it is meant to be new");
  }
}

}  // namespace

/// One coroutine at a time connects; the others find the connection made.
struct KopiaEngine::Turn {
  explicit Turn(Semaphore& semaphore) : semaphore_(semaphore) {}
  Turn(const Turn&) = delete;
  ~Turn() { semaphore_.release(); }
  Semaphore& semaphore_;
};

KopiaEngine::KopiaEngine(EngineSettings settings)
    : settings_(std::move(settings)),
      program_(settings_.binary.empty() ? "kopia" : settings_.binary, kopia_environment(settings_), settings_.password,
               settings_.deadlines.grace) {}

KopiaEngine::~KopiaEngine() = default;

std::string KopiaEngine::config_file() const { return config_file_of(settings_); }

std::string KopiaEngine::target_of(const std::string& path) const {
  return settings_.username + "@" + settings_.hostname + ":" + normal_path(path);
}

ProgramCall KopiaEngine::make_call(std::string doing, std::vector<std::string> args) const {
  ProgramCall call;
  call.doing = std::move(doing);
  call.args = std::move(args);
  // Maintenance on its own would make a snapshot take minutes longer and its failure would look like the snapshot's.
  call.args.insert(call.args.end(), {"--no-auto-maintenance", "--disable-file-logging", "--disable-content-log"});
  call.deadline = settings_.deadlines.quick;
  return call;
}

void KopiaEngine::fail(const ProcessResult& result, const ProgramCall& call) {
  throw_unless_ended(result, call);
  if (kopia_not_connected(result)) connected_ = false;
  throw kopia_error(call.doing, result, config_file());
}

Task<std::string> KopiaEngine::run(ProgramCall call, Cancel cancel) {
  auto result = co_await program_.run(call, std::move(cancel));
  if (!result.ok()) fail(result, call);
  co_return std::move(result.output);
}

Task<std::string> KopiaEngine::read_version(Cancel cancel) {
  if (version_.empty()) {
    ProgramCall call;
    call.doing = "ask kopia for its version";
    call.args = {"--version"};
    call.deadline = settings_.deadlines.quick;
    const auto words = split(trim(co_await run(call, std::move(cancel))), ' ');
    version_ = "kopia " + printable(words.front(), 40);
  }
  co_return version_;
}

Task<> KopiaEngine::connect(std::string verb, Cancel cancel) {
  auto storage = parse_storage(settings_.repository);
  auto call = make_call(verb + " the repository in " + printable(storage.value().path),
                        {"repository", verb, "filesystem", "--path=" + storage->path, "--override-hostname=" + settings_.hostname,
                         "--override-username=" + settings_.username});
  co_await run(std::move(call), std::move(cancel));
}

Task<RepositoryInfo> KopiaEngine::read_info(Cancel cancel) {
  auto call = make_call("ask for the repository's status", {"repository", "status", "--json"});
  const auto output = co_await run(std::move(call), cancel);
  const auto status = decode_kopia_status(output).value();
  RepositoryInfo info;
  info.unique_id = status.unique_id;
  info.storage = status.storage_type + ":" + status.storage_path;
  info.engine_version = co_await read_version(cancel);
  info.bytes_free = status.bytes_free;
  info.bytes_total = status.bytes_total;
  co_return info;
}

Task<RepositoryInfo> KopiaEngine::probe(Cancel cancel) {
  require_identity(settings_).value();
  const auto storage = parse_storage(settings_.repository).value();
  make_engine_folders(settings_).value();
  if (!turns_) turns_ = std::make_unique<Semaphore>(co_await boost::asio::this_coro::executor, 1);
  co_await turns_->acquire();
  const Turn turn(*turns_);
  const auto config = read_kopia_config(config_file()).value();
  if (config) require_same_storage(*config, storage, config_file());
  co_await require_repository(storage, cancel);
  const bool same_identity = config && config->hostname == settings_.hostname && config->username == settings_.username;
  if (!same_identity) co_await connect("connect", cancel);
  const auto info = co_await read_info(cancel);
  require_pinned(settings_.pinned_id, info).value();
  connected_ = true;
  co_return info;
}

Task<> KopiaEngine::ensure_connected(Cancel cancel) {
  if (!connected_) co_await probe(std::move(cancel));
}

Task<RepositoryInfo> KopiaEngine::create(Cancel cancel) {
  require_identity(settings_).value();
  const auto storage = parse_storage(settings_.repository).value();
  make_engine_folders(settings_).value();
  const auto config = read_kopia_config(config_file()).value();
  if (config) require_same_storage(*config, storage, config_file());
  co_await require_empty_repository(storage.path, cancel);
  // Kopia would take the cached format of an earlier repository for that of the new one, and call its password wrong.
  std::error_code ignored;
  std::filesystem::remove_all(settings_.cache_folder + "/kopia", ignored);
  co_await connect("create", cancel);
  co_return co_await probe(cancel);
}

Task<> KopiaEngine::prepare(std::vector<SourcePolicy> policies, Cancel cancel) {
  (void)co_await make_policies_hold(std::move(policies), std::move(cancel));
}

/// What was changed, by path.
Task<std::map<std::string, KopiaChange>> KopiaEngine::make_policies_hold(std::vector<SourcePolicy> policies, Cancel cancel) {
  std::map<std::string, KopiaChange> changes;
  if (policies.empty()) co_return changes;
  co_await ensure_connected(cancel);
  auto call = make_call("list policies", {"policy", "list", "--json"});
  const auto output = co_await run(std::move(call), cancel);
  auto current = decode_kopia_policies(output, settings_.username, settings_.hostname).value();
  auto before = KopiaRecord::read(record_file_of(settings_));
  std::map<std::vector<std::string>, std::vector<std::string>> targets_by_flags;
  for (const auto& policy : policies) {
    const auto path = normal_path(policy.path);
    auto change = kopia_policy_change(policy, current[path], before.of(path));
    if (!change.flags.empty()) targets_by_flags[change.flags].push_back(target_of(path));
    before.set(path, change.during);
    changes.insert_or_assign(path, std::move(change));
  }
  // Noted before they are set: what nobody knows to be ours would stay for ever.
  before.write().value();
  for (const auto& [flags, targets] : targets_by_flags) {
    for (size_t first = 0; first < targets.size(); first += kNamesPerCall) {
      std::vector<std::string> args{"policy", "set"};
      const auto last = std::min(first + kNamesPerCall, targets.size());
      args.insert(args.end(), targets.begin() + static_cast<std::ptrdiff_t>(first), targets.begin() + static_cast<std::ptrdiff_t>(last));
      args.insert(args.end(), flags.begin(), flags.end());
      co_await run(make_call("set the policy of " + printable(targets[first]), std::move(args)), cancel);
    }
  }
  // Read anew: another unit may have noted its own meanwhile.
  auto after = KopiaRecord::read(record_file_of(settings_));
  for (const auto& [path, change] : changes) {
    after.set(path, change.after);
    if (change.gated) {
      gated_.insert(path);
    } else {
      gated_.erase(path);
    }
  }
  after.write().value();
  co_return changes;
}

Task<std::string> KopiaEngine::list_text(Cancel cancel) {
  co_await ensure_connected(cancel);
  // With --json Kopia filters by neither identity nor completeness dependably, so all are read and filtered here.
  auto call = make_call("list snapshots", {"snapshot", "list", "--json", "--all"});
  co_return co_await run(std::move(call), cancel);
}

Task<std::vector<Snapshot>> KopiaEngine::list(SnapshotFilter filter, Cancel cancel) {
  const auto output = co_await list_text(cancel);
  auto snapshots = decode_kopia_list(output).value();
  const bool warm_too = filter.tags.contains(kWarmTag);
  std::erase_if(snapshots, [&](const Snapshot& snapshot) {
    return (!filter.all_hosts && !own(snapshot)) || !matches(filter, snapshot) || (!warm_too && snapshot.tags.contains(kWarmTag));
  });
  co_return snapshots;
}

Task<> KopiaEngine::restore(RestoreRequest request, Cancel cancel) {
  require_ids({request.id}, 32).value();
  co_await require_empty_target(request.target, request.single_file, cancel);
  co_await ensure_connected(cancel);
  // --mode: a target whose name ends in .zip or .tar would become an archive. Not --write-files-atomically: it writes
  // holes as zeros, and in an empty folder no file can be replaced.
  std::vector<std::string> args{"snapshot", "restore", request.id, request.target, "--mode=local", "--no-ignore-permission-errors",
                                "--write-sparse-files"};
  if (request.on_progress) args.emplace_back("--progress");
  auto call = make_call("restore " + request.id + " to " + printable(request.target), std::move(args));
  call.deadline = request.deadline.count() > 0 ? request.deadline : settings_.deadlines.transfer;
  std::optional<std::uint64_t> files;
  call.on_error_line = [&files, progress = progress_lines(request.on_progress, kopia_bytes_done)](const std::string& line) {
    if (const auto count = kopia_restored_files(line)) files = count;
    if (progress) progress(line);
  };
  co_await run(std::move(call), cancel);
  // Kopia keeps names as text: of those that differ only in bytes that are none, one is saved.
  if (files && *files < request.files && request.on_warning) {
    request.on_warning(std::to_string(request.files - *files) + " of " + std::to_string(request.files) +
                       " files did not come back: Kopia does not tell names apart that are not valid UTF-8");
  }
}

Task<> KopiaEngine::remove(std::vector<std::string> ids, Cancel cancel) {
  require_ids(ids, 32).value();
  if (ids.empty()) co_return;
  co_await ensure_connected(cancel);
  for (size_t first = 0; first < ids.size(); first += kNamesPerCall) {
    std::vector<std::string> args{"snapshot", "delete", "--delete"};
    for (size_t i = first; i < std::min(first + kNamesPerCall, ids.size()); ++i) args.push_back(ids[i]);
    co_await run(make_call("remove snapshots", std::move(args)), cancel);
  }
}

/// Kopia's own `expire` would keep one more than was asked for.
Task<std::vector<std::string>> KopiaEngine::expire(std::vector<SourcePolicy> policies, Cancel cancel) {
  std::vector<std::string> gone;
  if (policies.empty()) co_return gone;
  const auto changes = co_await make_policies_hold(std::move(policies), cancel);
  // Named: g++ 12 destroys a brace-made aggregate in a co_await expression twice.
  const SnapshotFilter own;
  std::map<std::string, std::vector<Snapshot>> by_path;
  for (auto& snapshot : co_await list(own, cancel)) {
    if (changes.contains(snapshot.path)) by_path[snapshot.path].push_back(std::move(snapshot));
  }
  for (auto& [path, snapshots] : by_path) {
    for (auto& id : expired_ids(std::move(snapshots), changes.at(path).retention)) gone.push_back(std::move(id));
  }
  co_await remove(gone, cancel);
  co_return gone;
}

Task<> KopiaEngine::verify(std::vector<std::string> ids, int read_percent, Cancel cancel) {
  require_ids(ids, 32).value();
  co_await ensure_connected(cancel);
  std::vector<std::string> args{"snapshot", "verify", "--json", "--max-errors=10",
                                "--verify-files-percent=" + std::to_string(std::clamp(read_percent, 0, 100))};
  args.insert(args.end(), ids.begin(), ids.end());
  auto call = make_call("verify snapshots", std::move(args));
  call.deadline = settings_.deadlines.transfer;
  const auto result = co_await program_.run(call, cancel);
  throw_unless_ended(result, call);
  if (result.exit_code != 0 && trim(result.output).empty()) fail(result, call);
  const auto errors = decode_kopia_verify(result.output).value();
  if (errors.empty() && result.exit_code == 0) co_return;
  const auto shown = errors.empty() ? last_words(result) : printable(join(errors, "; "), 1'000);
  throw Error(ErrorKind::failed, call.doing + ": damaged or missing data: " + shown,
              "make a new backup now; then look at the storage, see 'kopia content verify'");
}

Task<> KopiaEngine::maintain(bool full, Cancel cancel) {
  co_await ensure_connected(cancel);
  std::vector<std::string> args{"maintenance", "run"};
  if (full) args.emplace_back("--full");
  auto call = make_call("maintain the repository", std::move(args));
  call.deadline = settings_.deadlines.maintenance;
  co_await run(std::move(call), cancel);
}

}  // namespace kopidocka
