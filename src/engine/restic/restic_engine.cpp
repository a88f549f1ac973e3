#include "engine/restic/restic_engine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "engine/place.hpp"
#include "engine/request_checks.hpp"
#include "engine/snapshot_gate.hpp"
#include "engine/restic/restic_errors.hpp"
#include "engine/restic/restic_exclude.hpp"
#include "engine/restic/restic_layout.hpp"

namespace kopidocka {
namespace {

constexpr int kSomeUnreadable = 3;
const std::vector<std::string> kAll;  ///< no ids: every snapshot

std::vector<std::string> restic_environment(const EngineSettings& settings) {
  auto environment = engine_environment(settings.cache_folder);
  if (const auto storage = parse_storage(settings.repository)) environment.push_back("RESTIC_REPOSITORY=" + storage->path);
  environment.push_back("RESTIC_PASSWORD=" + settings.password.reveal());
  environment.push_back("RESTIC_CACHE_DIR=" + settings.cache_folder + "/restic");
  environment.emplace_back("RESTIC_PROGRESS_FPS=1");
  return environment;
}

/// Between two tries on a repository that another program has locked.
constexpr Milliseconds kRetryAfter{1'000};
/// Entries counted by name; of what cannot be read beyond that, every line counts.
constexpr size_t kMostNames = 100'000;

}  // namespace

struct ResticEngine::Backup {
  std::optional<ResticSummary> summary;
  std::set<std::string> unreadable;  ///< restic names an entry once while it scans and again while it reads
  std::uint64_t beyond = 0;          ///< those that are too many to be kept by name

  void add(std::string item) {
    if (unreadable.size() < kMostNames) {
      unreadable.insert(std::move(item));
    } else {
      ++beyond;
    }
  }
  std::uint64_t errors() const { return unreadable.size() + beyond; }
};

ResticEngine::ResticEngine(EngineSettings settings)
    : settings_(std::move(settings)),
      program_(settings_.binary.empty() ? "restic" : settings_.binary, restic_environment(settings_), settings_.password,
               settings_.deadlines.grace) {}

ProgramCall ResticEngine::make_call(std::string doing, std::vector<std::string> args) const {
  ProgramCall call;
  call.doing = std::move(doing);
  call.args = std::move(args);
  call.deadline = settings_.deadlines.quick;
  return call;
}

Task<> ResticEngine::fail(ProcessResult result, std::string doing, Cancel cancel) {
  auto error = restic_error(doing, result);
  if (error.kind() == ErrorKind::not_found) {
    const auto path = parse_storage(settings_.repository).value().path;
    if (!(co_await look_at(path, std::move(cancel))).exists) {
      throw Error(ErrorKind::unreachable, doing + ": the repository's folder " + printable(path) + " cannot be reached",
                  "check that the storage is mounted and that KOPI_DOCKA_REPOSITORY names it");
    }
  }
  throw error;
}

/// Another program's lock goes when that program ends: tried again until the patience is over.
Task<ProcessResult> ResticEngine::attempt(ProgramCall call, Milliseconds patience, Cancel cancel) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (true) {
    auto result = co_await program_.run(call, cancel);
    const bool locked = !result.ok() && !result.aborted && !result.timed_out && restic_locked(result);
    if (!locked || std::chrono::steady_clock::now() >= until) co_return result;
    for (Milliseconds waited{0}; waited < kRetryAfter; waited += kRetryAfter / 4) {
      if (cancel.grade() == CancelGrade::abort_step) throw Error(ErrorKind::cancelled, call.doing + ": asked to stop");
      co_await sleep_for(kRetryAfter / 4);
    }
  }
}

Task<std::string> ResticEngine::run(ProgramCall call, Cancel cancel) {
  co_return co_await run(std::move(call), std::move(cancel), settings_.deadlines.locked);
}

Task<std::string> ResticEngine::run(ProgramCall call, Cancel cancel, Milliseconds patience) {
  auto result = co_await attempt(call, patience, cancel);
  throw_unless_ended(result, call);
  if (!result.ok()) co_await fail(result, call.doing, cancel);
  co_return std::move(result.output);
}

/// Settings, folders and version, once.
Task<> ResticEngine::ready(Cancel cancel) {
  if (ready_) co_return;
  require_identity(settings_).value();
  parse_storage(settings_.repository).value();
  make_engine_folders(settings_).value();
  auto call = make_call("ask restic for its version", {"version"});
  const auto output = co_await run(std::move(call), std::move(cancel));
  std::sscanf(output.c_str(), "restic %d.%d", &version_.first, &version_.second);
  const auto words = split(trim(output), ' ');
  version_text_ = "restic " + printable(words.size() > 1 ? words[1] : output, 40);
  ready_ = true;
}

/// Before the first use of what is in the repository: it is the one we know.
Task<> ResticEngine::open(Cancel cancel) {
  co_await ready(cancel);
  if (!pin_checked_ && !settings_.pinned_id.empty()) require_pinned(settings_.pinned_id, co_await read_info(cancel)).value();
  pin_checked_ = true;
}

Task<> ResticEngine::unlock(Cancel cancel) {
  auto call = make_call("remove stale locks", {"unlock"});
  co_await run(std::move(call), std::move(cancel));
}

Task<RepositoryInfo> ResticEngine::read_info(Cancel cancel) {
  auto call = make_call("open the repository", {"cat", "config", "--no-lock"});
  const auto output = co_await run(std::move(call), cancel);
  const auto storage = parse_storage(settings_.repository).value();
  RepositoryInfo info;
  info.unique_id = decode_restic_config(output).value();
  info.storage = storage.text();
  info.engine_version = version_text_;
  const auto space = co_await space_of(storage.path, cancel);
  info.bytes_free = space.free;
  info.bytes_total = space.total;
  co_return info;
}

Task<RepositoryInfo> ResticEngine::probe(Cancel cancel) {
  co_await ready(cancel);
  const auto info = co_await read_info(cancel);
  require_pinned(settings_.pinned_id, info).value();
  co_return info;
}

Task<RepositoryInfo> ResticEngine::create(Cancel cancel) {
  co_await ready(cancel);
  const auto path = parse_storage(settings_.repository).value().path;
  co_await require_empty_repository(path, cancel);
  auto call = make_call("create the repository in " + printable(path), {"init"});
  co_await run(std::move(call), cancel);
  co_return co_await probe(cancel);
}

Task<> ResticEngine::prepare(std::vector<SourcePolicy> policies, Cancel cancel) {
  if (policies.empty()) co_return;
  co_await open(cancel);
  std::vector<std::string> paths;
  for (const auto& policy : policies) paths.push_back(normal_path(policy.path));
  // The new run has yet to succeed: until then the last one's snapshots are not superseded.
  for (const auto& path : paths) postponed_.retention.erase(path);
  gate_.announce(paths);
  const auto pass = co_await gate_.enter({}, settings_.deadlines.locked, cancel);
  co_await unlock(cancel);
  auto call = make_call("look whether the repository is locked", {"list", "keys"});
  co_await run(std::move(call), cancel);
}

ProgramCall ResticEngine::backup_call(const SnapshotRequest& request, Backup& heard) const {
  const auto path = normal_path(request.source.path), local = normal_path(request.source.local_path);
  std::vector<std::string> args{"backup", "--json", "--host", settings_.hostname};
  if (request.reread) args.emplace_back("--force");
  ResticMarks marks;
  if (path != local) marks.source = path;
  for (const auto& tag : encode_restic_tags(request.tags, marks)) args.push_back("--tag=" + tag);
  for (const auto& pattern : restic_patterns(local, exclude_rules(request.policy))) args.push_back("--exclude=" + pattern);
  const auto& compression = request.policy.compression;
  if (compression == "none" || compression == "off") args.emplace_back("--compression=off");
  if (compression == "max") args.emplace_back("--compression=max");
  if (!request.on_progress) args.emplace_back("--quiet");
  // Nobody watches: no second walk over the tree for an estimate.
  if (!request.on_progress && version_ >= Version{0, 15}) args.emplace_back("--no-scan");
  args.push_back(local);
  auto call = make_call("snapshot " + printable(path), std::move(args));
  call.deadline = request.deadline.count() > 0 ? request.deadline : settings_.deadlines.transfer;
  call.on_error_line = [&heard](const std::string& line) {
    if (auto item = decode_restic_error(line)) heard.add(std::move(*item));
  };
  call.on_output_line = [&heard, progress = progress_lines(request.on_progress, restic_bytes_done)](const std::string& line) {
    if (auto summary = decode_restic_summary(line)) heard.summary = std::move(summary);
    if (progress) progress(line);
  };
  return call;
}

Task<Snapshot> ResticEngine::snapshot(SnapshotRequest request, Cancel cancel) {
  require_source(request.source).value();
  require_tags(request.tags).value();
  const GateEnd gate_end(request.gate);
  co_await open(cancel);
  auto place = co_await look_at(request.source.local_path, cancel);
  if (place.type == 'l') {
    // Restic would save the link alone.
    request.source.local_path = co_await real_path(request.source.local_path, cancel);
    place = co_await look_at(request.source.local_path, cancel);
  }
  // Restic leaves out a missing source and calls that a success when there are others.
  if (place.type != 'd' && place.type != 'f') {
    throw Error(ErrorKind::failed, "source " + printable(request.source.local_path) + (place.exists ? " is neither a folder nor a file" : " does not exist"),
                "check that the path exists and is mounted");
  }
  Backup heard;
  auto call = backup_call(request, heard);
  auto pass = co_await gate_.enter(normal_path(request.source.path), settings_.deadlines.locked, cancel);
  co_await wait_outside(request.gate, cancel);
  const auto result = co_await attempt(call, settings_.deadlines.locked, cancel);
  if (request.gate != nullptr) request.gate->tell_all_read();
  pass.reset();
  const bool saved = heard.summary && !heard.summary->id.empty();
  const bool ended = !result.aborted && !result.timed_out;
  if (saved && !ended) co_await discard(heard.summary->id);
  throw_unless_ended(result, call);
  const bool usable = saved && (result.exit_code == 0 || result.exit_code == kSomeUnreadable);
  if (!usable && result.exit_code != 0) co_await fail(result, call.doing, cancel);
  if (!usable) throw Error(ErrorKind::failed, call.doing + ": restic saved nothing: " + last_words(result), "run it again");
  const std::uint64_t least = result.exit_code == kSomeUnreadable ? 1 : 0;
  // Not to be cancelled any more: what is saved must become known.
  co_return co_await find_saved(*heard.summary, std::max(heard.errors(), least), Cancel());
}

Task<Snapshot> ResticEngine::find_saved(ResticSummary summary, std::uint64_t errors, Cancel cancel) {
  auto found = co_await read_snapshots(std::vector<std::string>(1, summary.id), cancel);
  if (found.size() != 1) {
    throw Error(ErrorKind::failed, "restic reported snapshot " + printable(summary.id) + " but does not list it", "run it again");
  }
  auto& saved = found.front();
  if (errors > 0) co_await mark_errors(saved, errors, cancel);
  saved.snapshot.bytes = summary.bytes;
  saved.snapshot.files = summary.files;
  saved.snapshot.errors = errors;
  co_return saved.snapshot;
}

Task<std::vector<ResticSnapshot>> ResticEngine::read_snapshots(std::vector<std::string> arguments, Cancel cancel) {
  std::vector<std::string> args{"snapshots", "--json", "--no-lock"};
  args.insert(args.end(), arguments.begin(), arguments.end());
  auto call = make_call("list snapshots", std::move(args));
  const auto output = co_await run(std::move(call), std::move(cancel));
  auto snapshots = decode_restic_snapshots(output).value();
  for (auto& one : snapshots) {
    if (const auto it = postponed_.errors.find(one.snapshot.id); it != postponed_.errors.end()) one.snapshot.errors = it->second;
  }
  co_return snapshots;
}

bool ResticEngine::is_postponed(const std::string& id) const {
  // What a backup calls itself may be the beginning of its id.
  return std::any_of(postponed_.removals.begin(), postponed_.removals.end(), [&](const auto& removal) { return id.rfind(removal, 0) == 0; });
}

Task<std::vector<Snapshot>> ResticEngine::list(SnapshotFilter filter, Cancel cancel) {
  co_await open(cancel);
  std::vector<Snapshot> result;
  for (auto& found : co_await read_snapshots(kAll, cancel)) {
    const bool own = found.snapshot.host == settings_.hostname;
    // Who asks by tag, as for all of one run, may be about to remove it. Otherwise what is to go is gone.
    if (filter.tags.empty() && is_postponed(found.snapshot.id)) continue;
    if ((filter.all_hosts || own) && matches(filter, found.snapshot)) result.push_back(std::move(found.snapshot));
  }
  co_return result;
}

Task<> ResticEngine::restore(RestoreRequest request, Cancel cancel) {
  require_ids({request.id}, 8).value();
  co_await open(cancel);
  co_await require_empty_target(request.target, request.single_file, cancel);
  const auto found = co_await read_snapshots(std::vector<std::string>(1, request.id), cancel);
  if (found.size() != 1 || found.front().stored_paths.size() != 1) {
    throw Error(ErrorKind::not_found, "there is no snapshot " + request.id + " of a single source", "list the snapshots and name one of them");
  }
  const auto stage = co_await ResticStage::make(request.target, request.single_file, cancel);
  std::vector<std::string> args{"restore", request.id, "--target", stage.folder()};
  if (version_ >= Version{0, 15}) args.emplace_back("--sparse");
  auto call = make_call("restore " + request.id + " to " + printable(request.target), std::move(args));
  call.deadline = request.deadline.count() > 0 ? request.deadline : settings_.deadlines.transfer;
  std::exception_ptr failure;
  try {
    auto pass = co_await gate_.enter({}, settings_.deadlines.locked, cancel);
    co_await run(std::move(call), cancel);
    pass.reset();
    co_await stage.deliver(found.front().stored_paths.front(), cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  co_await stage.undo();
  std::rethrow_exception(failure);
}

}  // namespace kopidocka
