#include "plan/restore_plan.hpp"

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/text.hpp"
#include "plan/hold_steps.hpp"
#include "unit/data_place.hpp"
#include "unit/namespaces.hpp"

namespace kopidocka {
namespace {

bool is_data(const PointMember& member) { return member.type == SnapshotType::volume || member.type == SnapshotType::bind; }

std::vector<std::string> names_of(const RestorePoint& point, const PointMember& member) {
  std::vector<std::string> names = {member.name};
  const auto prefix = point.unit + "_";
  if (member.name.rfind(prefix, 0) == 0) names.push_back(member.name.substr(prefix.size()));
  return names;
}

/// With the way to go on with the rest.
Error old_tar(const PointMember& tar, const std::vector<PointMember>& members) {
  std::string others;
  for (const auto& member : members) {
    if (is_data(member) && !member.legacy_tar) others += " --volume " + printable(member.name);
  }
  return {ErrorKind::refused, "volume " + printable(tar.name) + " was saved as a tar by an old version of Kopi-Docka",
          "get it with 'kopia snapshot restore " + printable(tar.snapshot.id) + " FOLDER' and unpack the tar" +
              (others.empty() ? "" : "; restore the others with" + others)};
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
    if (member.legacy_tar) return old_tar(member, members);
  }
  return members;
}

std::string flat(std::string path) {
  while (!path.empty() && path.front() == '/') path.erase(0, 1);
  std::replace(path.begin(), path.end(), '/', '_');
  return path;
}

/// Names come from the tags of a repository that others may write to.
bool is_plain_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

bool is_plain_path(const std::string& path) {
  return path.size() > 1 && path.front() == '/' && path.find('\0') == std::string::npos &&
         std::filesystem::path(path).lexically_normal().string() == path && path.back() != '/';
}

RestoreTarget target_of(const PointMember& member, bool in_place) {
  RestoreTarget target;
  target.snapshot = member.snapshot;
  target.name = member.name;
  target.in_place = in_place;
  const auto kind = member.snapshot.tags.find("kd_kind");
  target.single_file = member.snapshot.single_file || (kind != member.snapshot.tags.end() && kind->second == "file");
  return target;
}

Error odd_name(const PointMember& member) {
  return {ErrorKind::refused,
          std::string(to_string(member.type)) + " '" + printable(member.name, 100) + "' of this backup has no name that can be restored",
          "look at the snapshot's tags: kopi-docka does not write such names"};
}

/// A folder per snapshot below the wished one; binds lose their slashes, and a number keeps apart what is then the same.
Result<RestoreTarget> beside(const PointMember& member, const std::string& to_folder, std::set<std::string>& taken) {
  auto target = target_of(member, false);
  const std::string type(to_string(member.type));
  const auto name = member.type == SnapshotType::bind ? flat(member.name) : member.name;
  if (is_data(member) && !is_plain_name(name)) return odd_name(member);
  const auto wished = to_folder + "/" + (is_data(member) ? type + "s/" + name : type);
  target.local_path = wished;
  for (int number = 2; !taken.insert(target.local_path).second; ++number) target.local_path = wished + "-" + std::to_string(number);
  return target;
}

/// Restored data belongs where it stays, where nobody takes it for something else, and where no backup saves it once more.
std::optional<Error> unfit_folder(const std::string& folder, const RestoreSite& site) {
  const auto named = "--to " + printable(folder);
  const std::string advice = "name a folder of its own, as in --to /srv/restore/shop";
  if (folder.find_first_not_of('/') == std::string::npos) return Error{ErrorKind::refused, named + ": that is the root of everything", advice};
  const auto host = site.paths.host(folder);
  if (!host) {
    return Error{ErrorKind::refused, named + " is inside this container and would be gone with it",
                 "give the kopi-docka service a folder of the host, as in '- /srv/restore:/srv/restore' in its volumes, and name that"};
  }
  for (const auto& own : site.own_places) {
    if (is_within(*host, own)) return Error{ErrorKind::refused, named + " lies in kopi-docka's own repository, state or cache", advice};
  }
  for (const auto& volume : site.volumes) {
    if (!volume.mountpoint.empty() && is_within(*host, volume.mountpoint) &&
        std::none_of(site.containers.begin(), site.containers.end(), [&](const Container& one) {
          return one.id == site.own_container_id && std::any_of(one.mounts.begin(), one.mounts.end(), [&](const Mount& mount) { return mount.name == volume.name; });
        })) {
      return Error{ErrorKind::refused, named + " lies in volume " + printable(volume.name), advice};
    }
  }
  for (const auto& source : site.backed_up) {
    if (is_within(*host, source.path)) {
      return Error{ErrorKind::refused, named + " lies in " + std::string(to_string(source.kind)) + " " + printable(source.name) + ", which is backed up", advice};
    }
  }
  return std::nullopt;
}

/// The place of a volume or bind on the host as it is now.
Result<std::string> host_place(const PointMember& member, const RestoreSite& site) {
  if (member.type == SnapshotType::bind) {
    if (!is_plain_path(member.name)) return odd_name(member);
    if (!is_host_internal(member.name)) return member.name;
    return Error{ErrorKind::refused, "bind " + printable(member.name) + " belongs to the host: nothing is restored onto it",
                 "restore to a folder with --to"};
  }
  const auto volume = std::find_if(site.volumes.begin(), site.volumes.end(),
                                   [&](const Volume& candidate) { return candidate.name == member.name; });
  if (volume == site.volumes.end()) {
    return Error{ErrorKind::refused, "volume " + printable(member.name) + " does not exist on this host",
                 "create the stack with 'docker compose up --no-start' first, or restore to a folder with --to"};
  }
  if (is_mounted_on_use(*volume)) {
    return Error{ErrorKind::refused,
                 "volume " + printable(member.name) + " is mounted by driver '" + printable(volume->driver) +
                     "' only while a container uses it, so its data cannot be replaced while all are stopped",
                 "restore to a folder with --to"};
  }
  const auto device = bind_device(*volume);
  return device.empty() ? volume->mountpoint : device;
}

Result<RestoreTarget> in_place(const PointMember& member, const RestoreSite& site) {
  const auto place = host_place(member, site);
  if (!place) return place.error();
  auto target = target_of(member, true);
  target.host_path = *place;
  const auto local = site.paths.local(*place);
  if (!local) {
    return Error{ErrorKind::refused, "kopi-docka does not see " + printable(*place),
                 site.paths.nothing_visible_because().empty()
                     ? "add '" + printable(line_to_see(*place)) + "' to the volumes of the kopi-docka service, or use --to"
                     : site.paths.nothing_visible_because()};
  }
  if (!local->writable) {
    return Error{ErrorKind::refused, "kopi-docka may not write to " + printable(*place),
                 "take ':ro' from its line in the volumes of the kopi-docka service, or use --to"};
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
      if (mount.source.empty() || !is_within(data_place(mount, site.volumes), target.host_path)) continue;
      return Error(ErrorKind::refused,
                   "container " + printable(container.name) + ", which is not of this unit, uses " + printable(target.name),
                   "stop it first, or restore to a folder with --to");
    }
  }
  return std::nullopt;
}

/// Why a stop of this running container would do more than stop it.
std::string harm_of_stop(const Container& container, const Container* self) {
  if (container.auto_remove) return "was started with --rm and would be deleted by a stop";
  if (container.labels.count("com.docker.swarm.service.id") != 0) return "is a swarm task and would be replaced by swarm";
  if (container.state.status == "paused") return "is paused";
  const bool our_network = self != nullptr && (self->network_mode == "container:" + container.id ||
                                               self->network_mode == "container:" + container.name);
  return our_network ? "gives kopi-docka its network, which would be cut off" : std::string();
}

/// A container that lives in a namespace of one that is gone or down could be stopped, but not started again.
std::string harm_of_start(const Container& container, const RestoreSite& site) {
  for (const auto& from : borrowed_namespaces(container)) {
    const auto owner = std::find_if(site.containers.begin(), site.containers.end(),
                                    [&](const Container& candidate) { return is_meant(from.owner, candidate); });
    if (owner != site.containers.end() && owner->running()) continue;
    return "lives in the " + from.kind + " namespace of a container that is gone or down, and could not be started again";
  }
  return {};
}

std::optional<Error> unholdable(const Unit& unit, const RestoreSite& site) {
  const auto self = std::find_if(site.containers.begin(), site.containers.end(), [&](const Container& container) {
    return !site.own_container_id.empty() && container.id == site.own_container_id;
  });
  for (const auto& member : unit.members) {
    if (!member.container.running()) continue;
    auto harm = harm_of_stop(member.container, self == site.containers.end() ? nullptr : &*self);
    if (harm.empty()) harm = harm_of_start(member.container, site);
    if (harm.empty()) continue;
    return Error(ErrorKind::refused, "container " + printable(member.container.name) + " " + harm,
                 "stop it first, or restore to a folder with --to");
  }
  return std::nullopt;
}

/// Whether its place lies in one that an earlier target replaces as a whole.
bool is_inside_another(const std::vector<RestoreTarget>& targets, size_t index) {
  return std::any_of(targets.begin(), targets.begin() + static_cast<std::ptrdiff_t>(index), [&](const RestoreTarget& outer) {
    return is_within(targets[index].local_path, outer.local_path);
  });
}

Result<std::vector<RestoreTarget>> targets_of(const std::vector<PointMember>& members, const std::optional<Unit>& unit,
                                              const RestoreOptions& options, const RestoreSite& site) {
  std::vector<RestoreTarget> targets;
  std::set<std::string> taken;
  for (const auto& member : members) {
    auto target = options.to_folder.empty() ? in_place(member, site) : beside(member, options.to_folder, taken);
    if (!target) return target.error();
    if (target->in_place) {
      if (auto used = used_by_others(*target, unit, site)) return *used;
    }
    targets.push_back(std::move(*target));
  }
  // Outer places first: an inner one is then put into the data that will be there. A bind and a volume may be one place.
  std::stable_sort(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.local_path < b.local_path; });
  const auto same = [](const auto& a, const auto& b) { return a.local_path == b.local_path; };
  targets.erase(std::unique(targets.begin(), targets.end(), same), targets.end());
  return targets;
}

void add_hold(Plan& plan, const std::vector<RestoreTarget>& targets, int default_grace) {
  auto stops = add_stops(plan, default_grace);
  std::vector<StepId> all_stopped;
  for (const auto& [id, steps] : stops) all_stopped.insert(all_stopped.end(), steps.begin(), steps.end());
  StepsOf swaps;
  std::vector<StepId> previous = all_stopped;
  for (size_t index = 0; index < targets.size(); ++index) {
    // What was staged within an outer place would be moved aside with it.
    if (is_inside_another(targets, index)) {
      previous = {plan.add({Phase::hold, StageRestore{targets[index]}, previous, OnFailure::abort, false})};
    }
    // One after another: recovery puts back in the opposite order, and a swap is two renames.
    previous = {plan.add({Phase::hold, SwapData{targets[index]}, previous, OnFailure::abort, false})};
  }
  const auto revert = plan.add({Phase::hold, RevertOnAbort{}, previous, OnFailure::abort, true});
  for (const auto& [id, steps] : stops) swaps[id].push_back(revert);
  add_starts(plan, stops, swaps, default_grace);
  add_health(plan, stops, default_grace);
}

/// What is looked at before anything is written.
std::vector<DataSource> places_of(const std::vector<RestoreTarget>& targets) {
  std::vector<DataSource> places;
  for (const auto& target : targets) {
    DataSource place;
    const auto tag = target.snapshot.tags.find("type");
    const auto type = snapshot_type_from(tag == target.snapshot.tags.end() ? "" : tag->second);
    place.kind = type == SnapshotType::volume ? SourceKind::volume : SourceKind::bind;
    place.name = target.name;
    place.path = target.host_path;
    place.local_path = target.local_path;
    places.push_back(std::move(place));
  }
  return places;
}

}  // namespace

Result<Plan> make_restore_plan(const RestorePoint& point, const std::optional<Unit>& unit, const RestoreOptions& options,
                               const RestoreSite& site) {
  auto members = chosen(point, options);
  if (!members) return members.error();
  if (members->empty()) return Error{ErrorKind::refused, "this backup holds no volumes and no binds", "use --to to get its recipe"};
  const bool beside_only = !options.to_folder.empty();
  if (beside_only) {
    if (auto unfit = unfit_folder(options.to_folder, site)) return *unfit;
  }
  auto targets = targets_of(*members, unit, options, site);
  if (!targets) return targets.error();
  Plan plan;
  plan.kind = RunKind::restore;
  if (unit && !beside_only) plan.unit = *unit;
  plan.unit.name = point.unit;
  plan.run = options.run;
  plan.scope = std::string(to_string(point.scope));
  plan.trigger = options.trigger;
  plan.restored_from = point.backup_id;
  if (auto refused = unholdable(plan.unit, site)) return *refused;

  const auto probe = plan.add({Phase::prepare, ProbeRepository{}, {}, OnFailure::abort, false});
  const auto room = plan.add({Phase::prepare, ProbeSources{places_of(*targets)}, {probe}, OnFailure::abort, false});
  const auto hook = plan.add({Phase::prepare, RunHook{"pre_restore"}, {room}, OnFailure::abort, false});
  for (size_t index = 0; index < targets->size(); ++index) {
    if (is_inside_another(*targets, index)) continue;
    plan.add({Phase::prepare, StageRestore{(*targets)[index]}, {hook}, OnFailure::abort, false});
  }
  add_hold(plan, *targets, options.default_grace);
  std::vector<StepId> settled;
  for (StepId id = 0; id < plan.steps.size(); ++id) {
    if (plan.steps[id].phase == Phase::settle) settled.push_back(id);
  }
  const auto post = plan.add({Phase::settle, RunHook{"post_restore"}, settled, OnFailure::degrade, true});
  for (const auto& target : *targets) plan.add({Phase::settle, DropAside{target}, {post}, OnFailure::degrade, true});
  return plan;
}

}  // namespace kopidocka
