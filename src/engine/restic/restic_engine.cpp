#include "engine/restic/restic_engine.hpp"

#include <algorithm>
#include <cstdio>
#include <exception>
#include <set>
#include <utility>

#include "base/text.hpp"
#include "engine/place.hpp"
#include "engine/request_checks.hpp"
#include "engine/restic/restic_errors.hpp"
#include "engine/restic/restic_exclude.hpp"
#include "engine/restic/restic_layout.hpp"
#include "engine/retention.hpp"

namespace kopidocka {
namespace {

constexpr size_t kNamesPerCall = 200;
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

bool same_id(const std::string& id, const std::string& asked) { return id.rfind(asked, 0) == 0; }

}  // namespace

struct ResticEngine::Backup {
  std::optional<ResticSummary> summary;
  std::set<std::string> unreadable;  ///< restic names an entry once while it scans and again while it reads
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

Task<std::string> ResticEngine::run(ProgramCall call, Cancel cancel) {
  auto result = co_await program_.run(call, cancel);
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
  co_await ready(cancel);
  co_await unlock(cancel);
}

ProgramCall ResticEngine::backup_call(const SnapshotRequest& request, Backup& heard) const {
  const auto path = normal_path(request.source.path), local = normal_path(request.source.local_path);
  std::vector<std::string> args{"backup", "--json", "--host", settings_.hostname};
  ResticMarks marks;
  if (path != local) marks.source = path;
  for (const auto& tag : encode_restic_tags(request.tags, marks)) args.push_back("--tag=" + tag);
  for (const auto& pattern : restic_patterns(local, request.policy.exclude)) args.push_back("--exclude=" + pattern);
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
    if (auto item = decode_restic_error(line)) heard.unreadable.insert(std::move(*item));
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
  co_await ready(cancel);
  // Restic leaves out a missing source and calls that a success when there are others.
  const auto place = co_await look_at(request.source.local_path, cancel);
  if (place.type != 'd' && place.type != 'f') {
    throw Error(ErrorKind::failed, "source " + printable(request.source.local_path) + (place.exists ? " is neither a folder nor a file" : " does not exist"),
                "check that the path exists and is mounted");
  }
  Backup heard;
  auto call = backup_call(request, heard);
  const auto result = co_await program_.run(call, cancel);
  const bool saved = heard.summary && !heard.summary->id.empty();
  const bool ended = !result.aborted && !result.timed_out;
  if (saved && !ended) co_await forget(std::vector<std::string>(1, heard.summary->id), Cancel());
  throw_unless_ended(result, call);
  const bool usable = saved && (result.exit_code == 0 || result.exit_code == kSomeUnreadable);
  if (!usable && result.exit_code != 0) co_await fail(result, call.doing, cancel);
  if (!usable) throw Error(ErrorKind::failed, call.doing + ": restic saved nothing: " + last_words(result), "run it again");
  const std::uint64_t least = result.exit_code == kSomeUnreadable ? 1 : 0;
  // Not to be cancelled any more: what is saved must become known.
  co_return co_await find_saved(*heard.summary, std::max<std::uint64_t>(heard.unreadable.size(), least), Cancel());
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

/// Restic itself does not remember that entries were left out. Changing tags gives the snapshot another id.
Task<> ResticEngine::mark_errors(ResticSnapshot& saved, std::uint64_t errors, Cancel cancel) {
  auto call = make_call("note unreadable entries", {"tag", "--add", restic_errors_tag(errors), saved.snapshot.id});
  co_await run(std::move(call), cancel);
  for (const auto& other : co_await read_snapshots(kAll, cancel)) {
    const bool same = other.tree == saved.tree && other.snapshot.start_time == saved.snapshot.start_time;
    if (same && other.snapshot.path == saved.snapshot.path) saved.snapshot.id = other.snapshot.id;
  }
}

Task<std::vector<ResticSnapshot>> ResticEngine::read_snapshots(std::vector<std::string> arguments, Cancel cancel) {
  std::vector<std::string> args{"snapshots", "--json", "--no-lock"};
  args.insert(args.end(), arguments.begin(), arguments.end());
  auto call = make_call("list snapshots", std::move(args));
  const auto output = co_await run(std::move(call), std::move(cancel));
  co_return decode_restic_snapshots(output).value();
}

Task<std::vector<Snapshot>> ResticEngine::list(SnapshotFilter filter, Cancel cancel) {
  co_await ready(cancel);
  std::vector<Snapshot> result;
  for (auto& found : co_await read_snapshots(kAll, cancel)) {
    const bool own = found.snapshot.host == settings_.hostname;
    if ((filter.all_hosts || own) && matches(filter, found.snapshot)) result.push_back(std::move(found.snapshot));
  }
  co_return result;
}

Task<> ResticEngine::restore(RestoreRequest request, Cancel cancel) {
  require_ids({request.id}, 8).value();
  co_await ready(cancel);
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
    co_await run(std::move(call), cancel);
    co_await stage.deliver(found.front().stored_paths.front(), cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  co_await stage.undo();
  std::rethrow_exception(failure);
}

Task<> ResticEngine::forget(std::vector<std::string> ids, Cancel cancel) {
  for (size_t first = 0; first < ids.size(); first += kNamesPerCall) {
    std::vector<std::string> args{"forget"};
    for (size_t i = first; i < std::min(first + kNamesPerCall, ids.size()); ++i) args.push_back(ids[i]);
    auto call = make_call("remove snapshots", std::move(args));
    co_await run(std::move(call), cancel);
  }
}

Task<> ResticEngine::remove(std::vector<std::string> ids, Cancel cancel) {
  require_ids(ids, 8).value();
  if (ids.empty()) co_return;
  co_await ready(cancel);
  // Restic calls it a success when it finds none of them.
  const auto all = co_await read_snapshots(kAll, cancel);
  for (const auto& id : ids) {
    if (std::none_of(all.begin(), all.end(), [&](const auto& one) { return same_id(one.snapshot.id, id); })) {
      throw Error(ErrorKind::not_found, "remove snapshots: there is no snapshot " + id, "list the snapshots and name one of them");
    }
  }
  co_await forget(std::move(ids), cancel);
}

Task<std::vector<std::string>> ResticEngine::expire(std::vector<SourcePolicy> policies, Cancel cancel) {
  if (policies.empty()) co_return std::vector<std::string>();
  co_await ready(cancel);
  co_await unlock(cancel);
  const auto all = co_await read_snapshots(kAll, cancel);
  std::vector<std::string> gone;
  for (const auto& policy : policies) {
    std::vector<Snapshot> own;
    for (const auto& one : all) {
      const bool same = one.snapshot.host == settings_.hostname && one.snapshot.path == normal_path(policy.path);
      if (same && one.marks.ours) own.push_back(one.snapshot);
    }
    for (auto& id : expired_ids(std::move(own), policy.retention)) gone.push_back(std::move(id));
  }
  co_await forget(gone, cancel);
  co_return gone;
}

Task<> ResticEngine::verify(std::vector<std::string> ids, int read_percent, Cancel cancel) {
  require_ids(ids, 8).value();
  co_await ready(cancel);
  co_await unlock(cancel);
  const auto all = co_await read_snapshots(kAll, cancel);
  for (const auto& id : ids) {
    if (std::none_of(all.begin(), all.end(), [&](const auto& one) { return same_id(one.snapshot.id, id); })) {
      throw Error(ErrorKind::failed, "verify snapshots: snapshot " + id + " is gone", "make a new backup now");
    }
  }
  std::vector<std::string> args{"check"};
  const int percent = std::clamp(read_percent, 0, 100);
  if (percent == 100) args.emplace_back("--read-data");
  if (percent > 0 && percent < 100) args.push_back("--read-data-subset=" + std::to_string(percent) + "%");
  auto call = make_call("verify snapshots", std::move(args));
  call.deadline = settings_.deadlines.transfer;
  const auto result = co_await program_.run(call, cancel);
  throw_unless_ended(result, call);
  if (result.ok()) co_return;
  const auto error = restic_error(call.doing, result);
  if (error.kind() != ErrorKind::failed) throw error;
  throw Error(ErrorKind::failed, call.doing + ": damaged or missing data: " + last_words(result),
              "make a new backup now; then look at the storage, see 'restic check'");
}

Task<> ResticEngine::maintain(bool full, Cancel cancel) {
  co_await ready(cancel);
  co_await unlock(cancel);
  if (!full) co_return;
  auto call = make_call("prune the repository", {"prune"});
  call.deadline = settings_.deadlines.maintenance;
  co_await run(std::move(call), cancel);
}

}  // namespace kopidocka
