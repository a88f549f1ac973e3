#include "unit/discovery.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "base/text.hpp"
#include "unit/dependencies.hpp"
#include "unit/foreign.hpp"
#include "unit/members.hpp"
#include "unit/sources.hpp"
#include "unit/survey.hpp"

namespace kopidocka {
namespace {

std::string first_label(const Unit& unit, const std::string& name) {
  for (const auto& member : unit.members) {
    const auto found = member.container.labels.find(name);
    if (found != member.container.labels.end() && !found->second.empty()) return found->second;
  }
  return {};
}

RecipeFile recipe_file(const std::string& written, const Survey& survey) {
  const auto& paths = survey.surroundings().paths;
  const auto path = std::filesystem::path(written).lexically_normal().string();
  RecipeFile file;
  file.path = path;
  if (const auto local = paths.local(path)) file.local_path = local->path;
  if (const auto host = survey.through_mounts(path); !host.empty()) {
    if (const auto local = paths.local(host)) file.alternative_local_path = local->path;
  }
  return file;
}

bool is_out_of_sight(const RecipeFile& file) { return file.local_path.empty() && file.alternative_local_path.empty(); }

/// Whether one of the files lies in that folder and is not seen: the line that shows it shows the whole folder.
bool is_out_of_sight(const std::vector<RecipeFile>& files, const std::string& folder) {
  return std::any_of(files.begin(), files.end(), [&](const RecipeFile& file) {
    return is_out_of_sight(file) && std::filesystem::path(file.path).parent_path().string() == folder;
  });
}

/// What a file that we do not see costs, and how to let us see it; nothing for one in sight.
void tell_when_out_of_sight(Unit& unit, const RecipeFile& file, const std::string& kind, const std::string& cost, const HostPaths& paths) {
  if (!is_out_of_sight(file)) return;
  const auto folder = printable(std::filesystem::path(file.path).parent_path().string());
  const auto& nothing = paths.nothing_visible_because();
  unit.problems.push_back({Problem::Severity::warning, kind + " " + printable(file.path),
                           "kopi-docka does not see it, so the backup " + cost +
                               (nothing.empty() ? "; add '" + folder + ":" + folder + ":ro' to the volumes of the kopi-docka service"
                                                : ": " + nothing)});
}

/// A path in one of compose's labels; relative ones are meant from the project folder.
std::vector<std::string> paths_in_label(const Unit& unit, const std::string& label) {
  std::vector<std::string> paths;
  for (const auto& name : split(first_label(unit, label), ',')) {
    if (!name.empty()) paths.push_back(name.front() == '/' ? name : unit.working_folder + "/" + name);
  }
  return paths;
}

void find_recipe(Unit& unit, const Survey& survey) {
  const auto& paths = survey.surroundings().paths;
  unit.working_folder = first_label(unit, "com.docker.compose.project.working_dir");
  for (const auto& path : paths_in_label(unit, "com.docker.compose.project.config_files")) {
    unit.compose_files.push_back(recipe_file(path, survey));
    tell_when_out_of_sight(unit, unit.compose_files.back(), "compose file", "holds a reconstructed one", paths);
  }
  const auto named = paths_in_label(unit, "com.docker.compose.project.environment_file");
  std::set<std::string> env_files(named.begin(), named.end());
  // Compose reads this one by itself when it is there; whether it is cannot be told from here.
  const auto implied = unit.working_folder.empty() ? std::string() : unit.working_folder + "/.env";
  const bool told = is_out_of_sight(unit.compose_files, unit.working_folder);
  if (!implied.empty()) env_files.insert(implied);
  for (const auto& path : env_files) {
    unit.env_files.push_back(recipe_file(path, survey));
    const bool certain = path != implied || std::find(named.begin(), named.end(), path) != named.end();
    if (!certain && told) continue;
    tell_when_out_of_sight(unit, unit.env_files.back(), "env file",
                           certain ? "does not hold it" : "does not hold it, if there is one", paths);
  }
}

/// A stack without any data has nothing to be backed up. Nobody asked for it when only KOPI_DOCKA_WATCH=all took it in;
/// whoever labelled it is told, and so is everybody when there is data that cannot be taken.
void judge_without_data(Unit& unit, bool data_refused) {
  if (!unit.policy.enabled || !unit.sources.empty()) return;
  if (!unit.labelled && !data_refused) {
    unit.policy.enabled = false;
    unit.policy.schedule.reset();
    return;
  }
  unit.problems.push_back({Problem::Severity::error, "unit " + printable(unit.name),
                           "it has no volume and no bind mount that can be backed up; give its data a named volume, or take the "
                           "stack out with the label enable=false"});
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

/// What the copy is worth is told in the list and in every report, not only where the label stands.
void tell_what_is_not_cold(Unit& unit, const PolicyDefaults& defaults) {
  const auto consistency = unit.policy.consistency;
  if (!unit.policy.enabled || consistency == Consistency::stop) return;
  unit.problems.push_back({Problem::Severity::warning, "label " + defaults.prefix + "consistency",
                           consistency == Consistency::pause
                               ? "pause: the copies are as after a power cut, not cold; programs must be able to start from that"
                               : "none: nothing is stopped, so the copies are hot and of no one moment; programs may not start from them"});
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
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> known = {{
      {"percona-server-mongodb", "mongodb"}, {"percona-distribution-postgresql", "postgres"}, {"percona-postgresql", "postgres"},
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
  const Survey survey(inventory, surroundings);
  std::vector<Unit> units;
  std::set<std::string> names;
  for (auto& group : group_members(survey)) {
    Unit unit;
    unit.name = group.name;
    unit.kind = group.kind;
    unit.members = std::move(group.members);
    refuse_bad_name(unit, !names.insert(unit.name).second);
    read_policies(unit, surroundings.defaults);
    tell_what_is_not_cold(unit, surroundings.defaults);
    resolve_dependencies(unit);
    refuse_unholdable(unit, survey);
    const auto problems = unit.problems.size();
    find_sources(unit, survey);
    judge_without_data(unit, unit.problems.size() > problems);
    find_networks(unit);
    find_recipe(unit, survey);
    units.push_back(std::move(unit));
  }
  judge_foreign_writers(units, survey);
  return units;
}

}  // namespace kopidocka
