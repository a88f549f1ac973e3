#include "unit/sources.hpp"

#include <algorithm>
#include <map>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using Severity = Problem::Severity;

const Volume* find_volume(const Inventory& inventory, const std::string& name) {
  const auto found = std::find_if(inventory.volumes.begin(), inventory.volumes.end(),
                                  [&](const Volume& volume) { return volume.name == name; });
  return found == inventory.volumes.end() ? nullptr : &*found;
}

bool is_anonymous(const std::string& volume) {
  return volume.size() == 64 && volume.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool matches_any(const std::vector<std::string>& globs, const std::vector<std::string>& names) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return glob_match(glob, name); });
  });
}

bool is_none(const std::vector<std::string>& globs) { return globs.size() == 1 && globs.front() == "none"; }

/// A volume's full name and the short one the compose file uses.
std::vector<std::string> volume_names(const Unit& unit, const std::string& name) {
  std::vector<std::string> names = {name};
  const auto prefix = unit.name + "_";
  if (unit.kind == UnitKind::compose && name.rfind(prefix, 0) == 0) names.push_back(name.substr(prefix.size()));
  return names;
}

/// The host folder behind a `local` volume made with `o=bind`: its data is there also while nobody mounts it.
std::string bind_device(const Volume& volume) {
  const auto options = volume.options.find("o");
  const auto device = volume.options.find("device");
  if (volume.driver != "local" || options == volume.options.end() || device == volume.options.end()) return {};
  const auto flags = split(options->second, ',');
  const bool bind = std::any_of(flags.begin(), flags.end(), [](const auto& flag) { return flag == "bind" || flag == "rbind"; });
  return bind ? device->second : std::string();
}

class SourceFinder {
 public:
  SourceFinder(Unit& unit, const Inventory& inventory, const Surroundings& surroundings)
      : unit_(unit), inventory_(inventory), surroundings_(surroundings) {}

  void run() {
    for (const auto& member : unit_.members) {
      for (const auto& mount : member.container.mounts) {
        if (mount.type == "volume") add_volume(member, mount);
        if (mount.type == "bind") add_bind(member, mount);
      }
    }
    for (auto& source : unit_.sources) {
      find_foreign_writers(source);
      require_visible(source);
    }
    std::sort(unit_.sources.begin(), unit_.sources.end(), [](const DataSource& a, const DataSource& b) {
      return a.kind != b.kind ? a.kind < b.kind : a.name < b.name;
    });
  }

 private:
  void problem(Severity severity, const std::string& where, const std::string& message) {
    const Problem problem{severity, where, message};
    if (std::find(unit_.problems.begin(), unit_.problems.end(), problem) == unit_.problems.end()) unit_.problems.push_back(problem);
  }

  void add_volume(const Member& member, const Mount& mount) {
    const auto& policy = unit_.policy;
    const auto names = volume_names(unit_, mount.name);
    const auto* volume = find_volume(inventory_, mount.name);
    if (is_none(policy.volumes) || matches_any(policy.volumes_exclude, names)) return;
    if (!policy.volumes.empty() && !matches_any(policy.volumes, names)) return;
    if (volume != nullptr && volume_excluded(volume->labels, surroundings_.defaults)) return;
    if (is_anonymous(mount.name) && policy.volumes.empty()) {
      problem(Severity::warning, "container " + printable(member.container.name),
              "keeps " + printable(mount.destination) + " in an anonymous volume, which is not backed up; give it a name in "
              "the compose file or select it with the label " + surroundings_.defaults.prefix + "volumes");
      return;
    }
    DataSource source;
    source.kind = SourceKind::volume;
    source.name = mount.name;
    source.path = mount.source;
    source.driver = mount.driver;
    if (volume != nullptr && !volume->mountpoint.empty()) source.path = volume->mountpoint;
    add(member, mount, source, volume == nullptr ? std::string() : refuse_driver(*volume, source));
  }

  /// Where the data of the volume really lies; says so when that place is only there while a container uses it.
  std::string refuse_driver(const Volume& volume, const DataSource& source) {
    if (const auto device = bind_device(volume); !device.empty()) return device;
    const bool mounted_on_use = volume.driver != "local" || volume.options.count("device") != 0 || volume.options.count("type") != 0;
    if (mounted_on_use) {
      problem(Severity::error, "volume " + printable(volume.name),
              "its data is mounted by driver '" + printable(volume.driver) + "' only while a container uses it, so it cannot "
              "be read cold; leave it out with the label " + surroundings_.defaults.prefix + "volumes.exclude");
    }
    return source.path;
  }

  void add_bind(const Member& member, const Mount& mount) {
    const auto& policy = unit_.policy;
    if (is_host_internal(mount.source) || is_none(policy.binds)) return;
    if (matches_any(policy.binds_exclude, {mount.source})) return;
    if (!policy.binds.empty() && !matches_any(policy.binds, {mount.source})) return;
    DataSource source;
    source.kind = SourceKind::bind;
    source.name = mount.source;
    source.path = mount.source;
    add(member, mount, source, mount.source);
  }

  void add(const Member& member, const Mount& mount, DataSource source, const std::string& data_path) {
    for (const auto& own : surroundings_.own_paths) {
      if (!is_within(source.path, own) && !is_within(own, source.path)) continue;
      problem(Severity::warning, std::string(to_string(source.kind)) + " " + printable(source.name),
              "holds kopi-docka's own repository, state or cache and is not backed up");
      return;
    }
    const auto known = std::find_if(unit_.sources.begin(), unit_.sources.end(),
                                    [&](const DataSource& other) { return other.path == source.path; });
    if (known != unit_.sources.end()) {
      known->users.push_back(member.container.id);
      known->read_only = known->read_only && !mount.writable;
      return;
    }
    source.destination = mount.destination;
    source.read_only = !mount.writable;
    source.users = {member.container.id};
    if (const auto local = surroundings_.paths.local(data_path.empty() ? source.path : data_path)) {
      source.local_path = local->path;
      source.local_writable = local->writable;
    }
    unit_.sources.push_back(std::move(source));
  }

  void require_visible(const DataSource& source) {
    if (!source.local_path.empty()) return;
    const auto line = source.kind == SourceKind::volume ? std::string("/var/lib/docker/volumes:/var/lib/docker/volumes")
                                                        : source.path + ":" + source.path;
    problem(Severity::error, std::string(to_string(source.kind)) + " " + printable(source.name),
            "kopi-docka does not see " + printable(source.path) + "; add '" + printable(line) +
                "' to the volumes of the kopi-docka service, or leave it out with a label");
  }

  void find_foreign_writers(DataSource& source) {
    for (const auto& container : inventory_.containers) {
      if (unit_.member(container.id) != nullptr || container.id == surroundings_.own_container_id) continue;
      if (!container.running()) continue;
      for (const auto& mount : container.mounts) {
        if (!mount.writable || mount.source.empty()) continue;
        if (is_within(mount.source, source.path)) {
          source.foreign_writers.push_back(container.id);
          problem(Severity::error, std::string(to_string(source.kind)) + " " + printable(source.name),
                  "container " + printable(container.name) + ", which is not of this unit, writes to it too: a copy would "
                  "not be cold; mount it read-only there, stop that container, or leave the source out with a label");
        } else if (is_within(source.path, mount.source) && !is_host_internal(mount.source)) {
          problem(Severity::warning, std::string(to_string(source.kind)) + " " + printable(source.name),
                  "container " + printable(container.name) + " of another unit mounts the folder above it writable: if it "
                  "writes here during a backup, the copy is not cold");
        }
      }
    }
  }

  Unit& unit_;
  const Inventory& inventory_;
  const Surroundings& surroundings_;
};

}  // namespace

void find_sources(Unit& unit, const Inventory& inventory, const Surroundings& surroundings) {
  SourceFinder(unit, inventory, surroundings).run();
}

}  // namespace kopidocka
