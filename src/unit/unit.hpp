#pragma once

#include <string>
#include <vector>

#include "docker/types.hpp"
#include "labels/policy.hpp"

namespace kopidocka {

enum class UnitKind { compose, standalone };
enum class SourceKind { volume, bind };

std::string_view to_string(UnitKind kind);
std::string_view to_string(SourceKind kind);

/// A place on the Docker host whose content belongs to a unit: a named volume or a bind mount.
struct DataSource {
  SourceKind kind = SourceKind::volume;
  std::string name;         ///< volume name; for a bind its path on the host
  std::string path;         ///< on the Docker host: the identity in the repository
  std::string local_path;   ///< where this process sees it; empty when it does not
  bool local_writable = false;
  std::string destination;  ///< inside the first container that mounts it
  std::string driver;
  bool read_only = false;   ///< every user mounts it read-only
  bool folder_shared = false;  ///< a container works in the folder it lies in, or in one above, and would see what is put beside it
  std::vector<std::string> users;            ///< ids of the unit's containers that mount it
  std::vector<std::string> foreign_writers;  ///< ids of running containers outside the unit that mount it writable
};

/// A file on the host that describes the stack (compose file, env file).
struct RecipeFile {
  std::string path;        ///< on the Docker host (or, with Portainer and the like, inside the manager's volume)
  std::string local_path;  ///< empty when out of sight
  std::string alternative_local_path;  ///< where it is when a manager's container (Portainer) named its own path
};

struct Member {
  Container container;
  MemberPolicy policy;
  std::string service;   ///< compose service, empty for standalone
  int number = 1;
  std::string database;  ///< "postgres", "mysql", ... recognised by image; empty otherwise
  std::vector<std::string> providers;  ///< ids of members that must be up before this one
  std::vector<std::string> healthy_providers;  ///< those of them that must be healthy, not only running
};

/// The thing that is backed up as a whole: a compose project or a single container.
struct Unit {
  std::string name;
  UnitKind kind = UnitKind::compose;
  std::vector<Member> members;
  std::vector<Member> foreign;  ///< of other units, held with this one in its backups, as they write to its data
  std::vector<DataSource> sources;
  std::vector<std::string> networks;  ///< names of its non-default networks
  std::string working_folder;         ///< compose project folder on the host
  std::vector<RecipeFile> compose_files;
  std::vector<RecipeFile> env_files;
  UnitPolicy policy;
  bool labelled = false;  ///< some member carries a label of ours: the user means this unit, enabled or not
  std::vector<Problem> problems;

  bool valid() const;
  const Member* member(const std::string& id) const;
  /// A member or one of the foreign containers that are held with them.
  const Member* anybody(const std::string& id) const;
  /// Whether a backup stops or pauses this member while it runs.
  bool holds(const Member& member) const;
};

}  // namespace kopidocka
