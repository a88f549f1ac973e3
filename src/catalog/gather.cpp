#include "catalog/gather.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hpp"

namespace kopidocka {
namespace {

/// What the Python original takes along from the folders of the compose files.
const std::vector<std::string>& project_patterns() {
  static const std::vector<std::string> patterns = {".env*", "*.conf", "*.config", "*.toml"};
  return patterns;
}

constexpr const char* kDockerFolder = "/etc/docker";
constexpr const char* kUnitFolder = "/etc/systemd/system";

std::string not_visible(const std::string& folder) {
  return "kopi-docka does not see " + folder + "; add '" + folder + ":" + folder + ":ro' to the volumes of the kopi-docka service";
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

RecipeContent out_of_sight(const std::string& path) {
  RecipeContent content{path, {}};
  content.file.path = path;
  content.file.problem = "it is not visible to kopi-docka (mount its folder read-only)";
  return content;
}

/// First each file's own place, then, for those not there, the one inside a manager's volume.
Task<std::vector<RecipeContent>> read_recipe_files(const Worker& worker, std::vector<RecipeFile> files, Cancel cancel) {
  std::vector<RecipeContent> contents;
  for (const auto& file : files) contents.push_back(out_of_sight(file.path));
  for (const auto place : {&RecipeFile::local_path, &RecipeFile::alternative_local_path}) {
    std::vector<FileWanted> wanted;
    std::vector<size_t> positions;
    for (size_t i = 0; i < files.size(); ++i) {
      if (contents[i].file.problem.empty() || (files[i].*place).empty()) continue;
      FileWanted want;
      want.path = files[i].*place;
      wanted.push_back(std::move(want));
      positions.push_back(i);
    }
    auto read = co_await worker.read_files(std::move(wanted), cancel);
    for (size_t i = 0; i < read.size(); ++i) contents[positions[i]].file = std::move(read[i]);
  }
  co_return contents;
}

/// Files beside the compose files that nobody named, by the paths at which they are seen here.
Task<std::vector<RecipeFile>> find_project_files(const Worker& worker, std::vector<RecipeContent> compose,
                                                 std::vector<RecipeFile> known, Cancel cancel) {
  std::vector<std::string> folders;
  std::set<std::string> seen;
  for (const auto& file : known) seen.insert(file.local_path);
  for (const auto& file : compose) {
    if (!file.file.problem.empty()) continue;
    seen.insert(file.file.path);
    const auto folder = folder_of(file.file.path);
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) folders.push_back(folder);
  }
  std::vector<RecipeFile> found;
  for (const auto& path : co_await worker.find_files(std::move(folders), project_patterns(), cancel)) {
    if (!seen.insert(path).second) continue;
    RecipeFile file;
    file.path = path;
    file.local_path = path;
    found.push_back(std::move(file));
  }
  co_return found;
}

/// Compose needs no .env: one that is not there is not missed. One out of sight may be there.
bool is_missed(const RecipeContent& content) {
  const bool optional = content.path.substr(content.path.rfind('/') + 1) == ".env";
  return !optional || !content.file.missing;
}

}  // namespace

Task<StagedFolder> gather_recipe(Docker& docker, const Worker& worker, RecipeInput input, Cancel cancel) {
  for (const auto& member : input.unit.members) {
    InspectedContainer container;
    container.name = member.container.name;
    container.json = co_await docker.inspect_container_json(member.container.id);
    input.containers.push_back(std::move(container));
  }
  input.compose_files = co_await read_recipe_files(worker, input.unit.compose_files, cancel);
  auto project = input.unit.env_files;
  const auto found = co_await find_project_files(worker, input.compose_files, project, cancel);
  project.insert(project.end(), found.begin(), found.end());
  input.project_files = co_await read_recipe_files(worker, std::move(project), cancel);
  std::erase_if(input.project_files, [](const RecipeContent& content) { return !is_missed(content); });
  auto recipe = make_recipe(input);
  if (!recipe) throw recipe.error();
  co_return std::move(*recipe);
}

Task<StagedFolder> gather_networks(Docker& docker, std::string unit, std::vector<std::string> networks, TimePoint time) {
  std::vector<std::string> inspected, notes;
  for (const auto& network : networks) {
    try {
      inspected.push_back(co_await docker.inspect_network_json(network));
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::not_found) throw;
      notes.push_back("network " + printable(network) + " is gone and was not saved");
    }
  }
  auto folder = make_networks(unit, time, inspected);
  if (!folder) throw folder.error();
  folder->notes.insert(folder->notes.end(), notes.begin(), notes.end());
  co_return std::move(*folder);
}

DockerConfigPaths docker_config_paths(const HostPaths& paths) {
  const auto seen = [&](const std::string& path) {
    const auto local = paths.local(path);
    return local ? local->path : std::string();
  };
  return {seen(std::string(kDockerFolder) + "/daemon.json"), seen(std::string(kUnitFolder) + "/docker.service.d")};
}

Task<StagedFolder> gather_docker_config(const Worker& worker, DockerConfigPaths paths, Cancel cancel) {
  std::vector<FileWanted> wanted(1);
  wanted[0].path = paths.daemon_json;
  std::vector<std::string> folders;
  if (!paths.service_drop_ins.empty()) folders.push_back(paths.service_drop_ins);
  for (auto& path : co_await worker.find_files(std::move(folders), std::vector<std::string>(1, "*"), cancel)) {
    FileWanted want;
    want.path = std::move(path);
    wanted.push_back(std::move(want));
  }
  auto files = co_await worker.read_files(std::move(wanted), cancel);
  auto daemon_json = std::move(files.front());
  if (paths.daemon_json.empty()) {
    daemon_json.missing = false;
    daemon_json.problem = not_visible(kDockerFolder);
  }
  files.erase(files.begin());
  auto folder = make_docker_config(daemon_json, files);
  if (paths.service_drop_ins.empty()) {
    folder.gaps.push_back("the drop-ins of docker.service were not saved: " + not_visible(kUnitFolder));
  }
  co_return folder;
}

}  // namespace kopidocka
