#include "plan/restore_plan.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "plan/hold_steps.hpp"

namespace kopidocka {
namespace {

bool is_data(const PointMember& member) { return member.type == SnapshotType::volume || member.type == SnapshotType::bind; }

std::vector<std::string> names_of(const RestorePoint& point, const PointMember& member) {
  std::vector<std::string> names = {member.name};
  const auto prefix = point.unit + "_";
  if (member.name.rfind(prefix, 0) == 0) names.push_back(member.name.substr(prefix.size()));
  return names;
}

/// The snapshots that were asked for; not_found names what the point has instead.
Result<std::vector<PointMember>> chosen(const RestorePoint& point, const RestoreOptions& options) {
  std::vector<PointMember> members;
  std::set<std::string> missing(options.volumes.begin(), options.volumes.end());
  std::vector<std::string> available;
  for (const auto& member : point.members) {
    if (!is_data(member)) {
      if (options.volumes.empty() && !options.to_folder.empty()) members.push_back(member);
      continue;
    }
    available.push_back(member.name);
    bool wanted = options.volumes.empty();
    for (const auto& name : names_of(point, member)) {
      if (std::find(options.volumes.begin(), options.volumes.end(), name) == options.volumes.end()) continue;
      wanted = true;
      missing.erase(name);
    }
    if (wanted) members.push_back(member);
  }
  if (!missing.empty()) {
    return Error{ErrorKind::not_found, "the backup of " + printable(point.unit) + " has no volume '" + printable(*missing.begin()) + "'",
                 "it has: " + printable(join(available, ", "))};
  }
  for (const auto& member : members) {
    if (member.legacy_tar) {
      return Error{ErrorKind::refused, "volume " + printable(member.name) + " was saved as a tar by an old version of Kopi-Docka",
                   "restore it with 'kopia snapshot restore " + member.snapshot.id + "' and unpack the tar"};
    }
  }
  return members;
}

std::string flat(std::string path) {
  while (!path.empty() && path.front() == '/') path.erase(0, 1);
  std::replace(path.begin(), path.end(), '/', '_');
  return path;
}

Result<RestoreTarget> beside(const PointMember& member, const RestoreOptions& options) {
  RestoreTarget target;
  target.snapshot = member.snapshot;
  target.name = member.name;
  target.in_place = false;
  const std::string type(to_string(member.type));
  const auto name = member.type == SnapshotType::bind ? flat(member.name) : member.name;
  target.local_path = options.to_folder + "/" + (is_data(member) ? type + "s/" + name : type);
  return target;
}

Result<RestoreTarget> in_place(const PointMember& member, const RestoreSite& site) {
  RestoreTarget target;
  target.snapshot = member.snapshot;
  target.name = member.name;
  target.host_path = member.name;
  if (member.type == SnapshotType::volume) {
    const auto volume = std::find_if(site.volumes.begin(), site.volumes.end(),
                                     [&](const Volume& candidate) { return candidate.name == member.name; });
    if (volume == site.volumes.end()) {
      return Error{ErrorKind::refused, "volume " + printable(member.name) + " does not exist on this host",
                   "create the stack with 'docker compose up --no-start' first, or restore to a folder with --to"};
    }
    const auto device = volume->options.find("device");
    target.host_path = device == volume->options.end() ? volume->mountpoint : device->second;
  }
  const auto local = site.paths.local(target.host_path);
  if (!local || !local->writable) {
    const auto line = member.type == SnapshotType::volume ? std::string("/var/lib/docker/volumes") : target.host_path;
    return Error{ErrorKind::refused,
                 "kopi-docka " + std::string(local ? "may not write to " : "does not see ") + printable(target.host_path),
                 "add '" + line + ":" + line + "' to the volumes of the kopi-docka service, or use --to"};
  }
  target.local_path = local->path;
  return target;
}

/// A running container outside the unit that uses the place would keep the old data open.
std::optional<Error> used_by_others(const RestoreTarget& target, const std::optional<Unit>& unit, const RestoreSite& site) {
  for (const auto& container : site.containers) {
    if (!container.running() || container.id == site.own_container_id) continue;
    if (unit && unit->member(container.id) != nullptr) continue;
    for (const auto& mount : container.mounts) {
      if (mount.source.empty() || !is_within(mount.source, target.host_path)) continue;
      return Error(ErrorKind::refused,
                   "container " + printable(container.name) + ", which is not of this unit, uses " + printable(target.name),
                   "stop it first, or restore to a folder with --to");
    }
  }
  return std::nullopt;
}

std::optional<Error> unholdable(const Unit& unit) {
  for (const auto& member : unit.members) {
    const auto& container = member.container;
    if (!container.running()) continue;
    const bool swarm = container.labels.count("com.docker.swarm.service.id") != 0;
    if (!container.auto_remove && !swarm && container.state.status != "paused") continue;
    return Error(ErrorKind::refused,
                 "container " + printable(container.name) +
                     (container.auto_remove ? " was started with --rm and would be deleted by a stop"
                      : swarm               ? " is a swarm task and would be replaced by swarm"
                                            : " is paused"),
                 "stop it first, or restore to a folder with --to");
  }
  return std::nullopt;
}


void add_hold(Plan& plan, const std::vector<RestoreTarget>& targets, int default_grace) {
  auto stops = add_stops(plan, default_grace);
  std::vector<StepId> all_stopped;
  for (const auto& [id, steps] : stops) all_stopped.insert(all_stopped.end(), steps.begin(), steps.end());
  StepsOf swaps;
  std::vector<StepId> previous = all_stopped;
  for (const auto& target : targets) {
    // One after another: recovery puts back in the opposite order, and a swap is two renames.
    const auto swap = plan.add({Phase::hold, SwapData{target}, previous, OnFailure::abort, false});
    previous = {swap};
  }
  const auto revert = plan.add({Phase::hold, RevertOnAbort{}, previous, OnFailure::abort, true});
  for (const auto& [id, steps] : stops) swaps[id].push_back(revert);
  add_starts(plan, stops, swaps, default_grace);
  add_health(plan, stops, default_grace);
}

}  // namespace

Result<Plan> make_restore_plan(const RestorePoint& point, const std::optional<Unit>& unit, const RestoreOptions& options,
                               const RestoreSite& site) {
  auto members = chosen(point, options);
  if (!members) return members.error();
  if (members->empty()) return Error{ErrorKind::refused, "this backup holds no volumes and no binds", "use --to to get its recipe"};
  const bool beside_only = !options.to_folder.empty();
  std::vector<RestoreTarget> targets;
  for (const auto& member : *members) {
    auto target = beside_only ? beside(member, options) : in_place(member, site);
    if (!target) return target.error();
    const auto kind = member.snapshot.tags.find("kd_kind");
    target->single_file = kind != member.snapshot.tags.end() && kind->second == "file";
    if (!beside_only) {
      if (auto used = used_by_others(*target, unit, site)) return *used;
    }
    targets.push_back(std::move(*target));
  }
  // Outer places first, so that an inner one is prepared in the data that will be there.
  std::sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.local_path < b.local_path; });
  Plan plan;
  plan.kind = RunKind::restore;
  if (unit && !beside_only) plan.unit = *unit;
  plan.unit.name = point.unit;
  plan.run = options.run;
  plan.scope = std::string(to_string(point.scope));
  plan.trigger = options.trigger;
  plan.restored_from = point.backup_id;
  if (auto refused = unholdable(plan.unit)) return *refused;

  const auto probe = plan.add({Phase::prepare, ProbeRepository{}, {}, OnFailure::abort, false});
  const auto hook = plan.add({Phase::prepare, RunHook{"pre_restore"}, {probe}, OnFailure::abort, false});
  for (const auto& target : targets) plan.add({Phase::prepare, StageRestore{target}, {hook}, OnFailure::abort, false});
  add_hold(plan, targets, options.default_grace);
  std::vector<StepId> settled;
  for (StepId id = 0; id < plan.steps.size(); ++id) {
    if (plan.steps[id].phase == Phase::settle) settled.push_back(id);
  }
  const auto post = plan.add({Phase::settle, RunHook{"post_restore"}, settled, OnFailure::degrade, true});
  for (const auto& target : targets) plan.add({Phase::settle, DropAside{target}, {post}, OnFailure::degrade, true});
  return plan;
}

}  // namespace kopidocka
