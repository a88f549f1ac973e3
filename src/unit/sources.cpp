#include "unit/sources.hpp"

#include <algorithm>
#include <set>

#include "base/text.hpp"
#include "unit/data_place.hpp"

namespace kopidocka {
namespace {

using Severity = Problem::Severity;

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

class SourceFinder {
 public:
  SourceFinder(Unit& unit, const Survey& survey) : unit_(unit), survey_(survey), surroundings_(survey.surroundings()) {}

  void run() {
    for (const auto& member : unit_.members) {
      for (const auto& mount : member.container.mounts) {
        if (mount.type == "volume") add_volume(member, mount);
        if (mount.type == "bind") add_bind(member, mount);
      }
    }
    for (auto& source : unit_.sources) {
      find_writers_inside(source);
      refuse_writers_that_stay(source);
      find_foreign_writers(source);
      require_visible(source);
    }
    const auto& policy = unit_.policy;
    tell_about_idle_globs("volumes", policy.volumes, volumes_seen_);
    tell_about_idle_globs("volumes.exclude", policy.volumes_exclude, volumes_seen_);
    tell_about_idle_globs("binds", policy.binds, binds_seen_);
    tell_about_idle_globs("binds.exclude", policy.binds_exclude, binds_seen_);
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
    volumes_seen_.insert(names.begin(), names.end());
    const auto* volume = survey_.volume(mount.name);
    if (is_none(policy.volumes) || matches_any(policy.volumes_exclude, names)) return;
    if (!policy.volumes.empty() && !matches_any(policy.volumes, names)) return;
    if (volume != nullptr) {
      for (const auto& found : check_volume_labels(volume->name, volume->labels, surroundings_.defaults)) {
        problem(found.severity, found.where, found.message);
      }
      if (volume_excluded(volume->labels, surroundings_.defaults)) return;
    }
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
    refuse_driver(volume == nullptr ? Volume{mount.name, mount.driver.empty() ? "local" : mount.driver, {}, {}, {}, {}} : *volume);
    add(member, mount, source);
  }

  /// Its data would be gone, or not yet there, while the containers are down.
  void refuse_driver(const Volume& volume) {
    if (!is_mounted_on_use(volume)) return;
    problem(Severity::error, "volume " + printable(volume.name),
            "its data is mounted by driver '" + printable(volume.driver) + "' only while a container uses it, so it cannot "
            "be read cold; leave it out with the label " + surroundings_.defaults.prefix + "volumes.exclude");
  }

  void add_bind(const Member& member, const Mount& mount) {
    const auto& policy = unit_.policy;
    if (is_none(policy.binds)) return;
    if (survey_.is_internal(mount.source)) {
      if (std::find(policy.binds.begin(), policy.binds.end(), mount.source) == policy.binds.end()) return;
      binds_seen_.insert(mount.source);
      problem(Severity::warning, "bind " + printable(mount.source),
              "it belongs to the host, not to the stack, and is not backed up, although the label " +
                  surroundings_.defaults.prefix + "binds names it");
      return;
    }
    binds_seen_.insert(mount.source);
    if (matches_any(policy.binds_exclude, {mount.source})) return;
    if (!policy.binds.empty() && !matches_any(policy.binds, {mount.source})) return;
    DataSource source;
    source.kind = SourceKind::bind;
    source.name = mount.source;
    source.path = mount.source;
    add(member, mount, source);
  }

  void add(const Member& member, const Mount& mount, DataSource source) {
    const auto place = survey_.place(mount);
    if (is_our_own(source, place)) return;
    const auto known = std::find_if(places_.begin(), places_.end(), [&](const std::string& other) { return other == place; });
    if (known != places_.end()) {
      auto& same = unit_.sources[static_cast<size_t>(known - places_.begin())];
      add_user(same, member.container.id);
      same.read_only = same.read_only && !mount.writable;
      return;
    }
    source.destination = mount.destination;
    source.read_only = !mount.writable;
    source.users = {member.container.id};
    if (const auto local = surroundings_.paths.local(place)) {
      source.local_path = local->path;
      source.local_writable = local->writable;
    }
    unit_.sources.push_back(std::move(source));
    places_.push_back(place);
  }

  static void add_user(DataSource& source, const std::string& id) {
    if (std::find(source.users.begin(), source.users.end(), id) == source.users.end()) source.users.push_back(id);
  }

  bool is_our_own(const DataSource& source, const std::string& place) {
    const auto where = std::string(to_string(source.kind)) + " " + printable(source.name);
    for (const auto& own : survey_.own_places()) {
      if (is_within(place, own) || is_within(source.path, own)) {
        problem(Severity::warning, where, "holds kopi-docka's own repository, state or cache and is not backed up");
        return true;
      }
      if (is_within(own, place)) {
        // Left out with a warning, the rest of the folder would be lost without anybody noticing.
        problem(Severity::error, where,
                "kopi-docka's own repository, state or cache lies in it, at " + printable(own) +
                    "; move that elsewhere, or leave this source out with a label");
        return true;
      }
    }
    return false;
  }

  const std::string& place_of(const DataSource& source) const {
    return places_[static_cast<size_t>(&source - unit_.sources.data())];
  }

  void require_visible(const DataSource& source) {
    if (!source.local_path.empty()) return;
    const auto& place = place_of(source);
    const auto& nothing = surroundings_.paths.nothing_visible_because();
    problem(Severity::error, std::string(to_string(source.kind)) + " " + printable(source.name),
            "kopi-docka does not see " + printable(place) +
                (nothing.empty() ? "; add '" + printable(line_to_see(place)) +
                                       "' to the volumes of the kopi-docka service, or leave it out with a label"
                                 : ": " + nothing));
  }

  /// Members that mount a folder inside this one, or the one above it: they write to it too.
  void find_writers_inside(DataSource& source) {
    const auto& place = place_of(source);
    for (const auto& member : unit_.members) {
      for (const auto& mount : member.container.mounts) {
        if (!mount.writable || mount.source.empty()) continue;
        const auto other = survey_.place(mount);
        if (is_within(other, place) || is_within(place, other)) add_user(source, member.container.id);
        if (other != place && is_within(place, other)) source.folder_shared = true;
      }
    }
  }

  /// What would be copied hot and called cold. A pause has one moment for all as well; only a unit that is not held at all
  /// promises nothing that a writer could break.
  void refuse_writers_that_stay(const DataSource& source) {
    if (unit_.policy.consistency == Consistency::none) return;
    const auto& place = place_of(source);
    for (const auto& member : unit_.members) {
      if (unit_.holds(member)) continue;
      for (const auto& mount : member.container.mounts) {
        const auto used = mount.source.empty() ? std::string() : survey_.place(mount);
        if (!mount.writable || used.empty() || (!is_within(used, place) && !is_within(place, used))) continue;
        problem(Severity::error, "container " + printable(member.container.name) + ", label " + surroundings_.defaults.prefix + "stop",
                "it is to stay up, but can write to " + std::string(to_string(source.kind)) + " " + printable(source.name) + " through its mount at " +
                    printable(mount.destination) + ": a copy would not be cold; mount that read-only there (':ro'), take the label away, or "
                    "leave the source out with a label");
      }
    }
  }

  void find_foreign_writers(DataSource& source) {
    for (const auto& writer : survey_.writers_around(place_of(source))) {
      if (unit_.member(writer.container->id) == nullptr) look_at_foreign(source, *writer.container, writer.place);
    }
  }

  /// Those that mount a host's own folder (/, Docker's) look at everything and work on nothing of it.
  void look_at_foreign(DataSource& source, const Container& container, const std::string& written) {
    const auto where = std::string(to_string(source.kind)) + " " + printable(source.name);
    const auto& place = place_of(source);
    if (is_within(written, place)) {
      auto& writers = source.foreign_writers;
      if (std::find(writers.begin(), writers.end(), container.id) == writers.end()) writers.push_back(container.id);
    } else if (is_within(place, written) && !survey_.is_internal(written)) {
      source.folder_shared = true;
      problem(Severity::warning, where,
              "container " + printable(container.name) + " of another unit mounts the folder above it writable: if it "
              "writes here during a backup, the copy is not cold");
    }
  }

  /// A name that fits nothing is mostly a typing error, and what it was to select is not backed up.
  void tell_about_idle_globs(const std::string& label, const std::vector<std::string>& globs, const std::set<std::string>& seen) {
    if (is_none(globs)) return;
    const std::vector<std::string> names(seen.begin(), seen.end());
    for (const auto& glob : globs) {
      if (matches_any({glob}, names)) continue;
      const auto meant = nearest(glob, names);
      problem(Severity::warning, "label " + surroundings_.defaults.prefix + label,
              "'" + printable(glob) + "' fits nothing that the containers of this unit mount" +
                  (meant.empty() ? std::string() : "; did you mean '" + printable(meant) + "'?"));
    }
  }

  Unit& unit_;
  const Survey& survey_;
  const Surroundings& surroundings_;
  std::vector<std::string> places_;  ///< where the data of each of unit_.sources lies, same order
  std::set<std::string> volumes_seen_, binds_seen_;
};

}  // namespace

void find_sources(Unit& unit, const Survey& survey) {
  SourceFinder(unit, survey).run();
}

}  // namespace kopidocka
