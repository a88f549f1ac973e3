#include "unit/discovery.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/text.hpp"
#include "unit/members.hpp"
#include "unit/sources.hpp"

namespace kopidocka {
namespace {

std::string first_label(const Unit& unit, const std::string& name) {
  for (const auto& member : unit.members) {
    const auto found = member.container.labels.find(name);
    if (found != member.container.labels.end() && !found->second.empty()) return found->second;
  }
  return {};
}

bool holds_docker_socket(const Container& container) {
  return std::any_of(container.mounts.begin(), container.mounts.end(),
                     [](const Mount& mount) { return mount.source.ends_with("/docker.sock"); });
}

/// A path that a stack manager wrote as it sees it inside its own container, as the path on the host. Many containers
/// mount something at /data; the one that holds Docker's socket is the manager.
std::string through_mounts(const std::string& path, const Inventory& inventory) {
  const Mount* best = nullptr;
  std::pair<bool, size_t> best_rank;
  for (const auto& container : inventory.containers) {
    const bool manager = holds_docker_socket(container);
    for (const auto& mount : container.mounts) {
      if (mount.source.empty() || mount.destination == "/" || !is_within(path, mount.destination)) continue;
      const std::pair rank(manager, mount.destination.size());
      if (best != nullptr && rank <= best_rank) continue;
      best = &mount;
      best_rank = rank;
    }
  }
  return best == nullptr ? std::string() : best->source + path.substr(best->destination.size());
}

RecipeFile recipe_file(const std::string& written, const Inventory& inventory, const HostPaths& paths) {
  const auto path = std::filesystem::path(written).lexically_normal().string();
  RecipeFile file;
  file.path = path;
  if (const auto local = paths.local(path)) file.local_path = local->path;
  if (const auto host = through_mounts(path, inventory); !host.empty()) {
    if (const auto local = paths.local(host)) file.alternative_local_path = local->path;
  }
  return file;
}

void find_recipe(Unit& unit, const Inventory& inventory, const HostPaths& paths) {
  unit.working_folder = first_label(unit, "com.docker.compose.project.working_dir");
  for (const auto& name : split(first_label(unit, "com.docker.compose.project.config_files"), ',')) {
    if (name.empty()) continue;
    const auto path = name.front() == '/' ? name : unit.working_folder + "/" + name;
    unit.compose_files.push_back(recipe_file(path, inventory, paths));
  }
  std::set<std::string> env_files;
  for (const auto& name : split(first_label(unit, "com.docker.compose.project.environment_file"), ',')) {
    if (!name.empty()) env_files.insert(name.front() == '/' ? name : unit.working_folder + "/" + name);
  }
  if (!unit.working_folder.empty()) env_files.insert(unit.working_folder + "/.env");
  for (const auto& path : env_files) unit.env_files.push_back(recipe_file(path, inventory, paths));
  for (const auto& file : unit.compose_files) {
    if (!file.local_path.empty() || !file.alternative_local_path.empty()) continue;
    const auto folder = std::filesystem::path(file.path).parent_path().string();
    unit.problems.push_back({Problem::Severity::warning, "compose file " + printable(file.path),
                             "kopi-docka does not see it, so the backup holds a reconstructed one; add '" + printable(folder) + ":" +
                                 printable(folder) + ":ro' to the volumes of the kopi-docka service"});
  }
}

void find_networks(Unit& unit) {
  std::set<std::string> names;
  for (const auto& member : unit.members) {
    for (const auto& [name, attachment] : member.container.networks) {
      if (name != "bridge" && name != "host" && name != "none") names.insert(name);
    }
  }
  unit.networks.assign(names.begin(), names.end());
}

void read_policies(Unit& unit, const PolicyDefaults& defaults) {
  std::vector<LabelSet> labels;
  for (const auto& member : unit.members) {
    labels.push_back({member.container.name, member.container.labels});
    for (const auto& [name, value] : member.container.labels) unit.labelled = unit.labelled || name.rfind(defaults.prefix, 0) == 0;
  }
  auto parsed = parse_labels(labels, defaults);
  unit.policy = std::move(parsed.unit);
  for (size_t i = 0; i < unit.members.size() && i < parsed.members.size(); ++i) {
    unit.members[i].policy = std::move(parsed.members[i]);
  }
  unit.problems.insert(unit.problems.end(), parsed.problems.begin(), parsed.problems.end());
}

void refuse_bad_name(Unit& unit, bool taken) {
  const bool odd = unit.name.empty() || unit.name.size() > 200 || unit.name == "." || unit.name == ".." ||
                   std::any_of(unit.name.begin(), unit.name.end(),
                               [](unsigned char c) { return c < 0x20 || c == 0x7f || c == '/' || c >= 0x80; });
  if (odd) {
    unit.problems.push_back({Problem::Severity::error, "unit " + printable(unit.name, 60),
                             "a unit's name must be 1 to 200 printable characters without '/'; rename the project or container"});
  }
  if (taken) {
    unit.problems.push_back({Problem::Severity::error, "container " + printable(unit.name),
                             "a compose project has the same name, so the two cannot be told apart; rename the container"});
  }
}

}  // namespace

std::string database_of(const std::string& image) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> known = {{
      {"postgres", "postgres"}, {"postgresql", "postgres"}, {"postgis", "postgres"}, {"timescaledb", "postgres"},
      {"pgvector", "postgres"}, {"mysql", "mysql"}, {"percona", "mysql"}, {"mariadb", "mariadb"}, {"mongo", "mongodb"},
      {"mongodb", "mongodb"}, {"redis", "redis"}, {"valkey", "redis"}, {"influxdb", "influxdb"}, {"couchdb", "couchdb"}}};
  // Tools named after the database that they look at.
  static constexpr std::array<std::string_view, 9> tools = {"exporter", "express", "commander", "admin",  "backup",
                                                            "operator", "insight", "proxy",     "client"};
  auto name = image.substr(0, image.find('@'));
  name = name.substr(name.rfind('/') == std::string::npos ? 0 : name.rfind('/') + 1);
  name = lower(name.substr(0, name.find(':')));
  const auto is_in_name = [&](std::string_view tool) { return name.find(tool) != std::string::npos; };
  if (std::any_of(tools.begin(), tools.end(), is_in_name)) return {};
  for (const auto& [word, database] : known) {
    if (name == word || (name.rfind(word, 0) == 0 && name.find_first_of("-_", word.size()) == word.size())) return std::string(database);
  }
  return {};
}

std::vector<Unit> discover(const Inventory& inventory, const Surroundings& surroundings) {
  std::vector<Unit> units;
  std::set<std::string> names;
  for (auto& group : group_members(inventory, surroundings)) {
    Unit unit;
    unit.name = group.name;
    unit.kind = group.kind;
    unit.members = std::move(group.members);
    refuse_bad_name(unit, !names.insert(unit.name).second);
    read_policies(unit, surroundings.defaults);
    resolve_dependencies(unit);
    refuse_unholdable(unit, inventory, surroundings);
    find_sources(unit, inventory, surroundings);
    find_networks(unit);
    find_recipe(unit, inventory, surroundings.paths);
    units.push_back(std::move(unit));
  }
  return units;
}

}  // namespace kopidocka
