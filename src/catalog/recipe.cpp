#include "catalog/recipe.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.hpp"
#include "catalog/redact.hpp"

namespace kopidocka {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const Json& json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"; }

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// Docker allows no '/' in container names, but the text comes from outside.
std::string one_component(std::string name) {
  std::replace_if(name.begin(), name.end(), [](unsigned char letter) { return letter == '/' || letter < 0x20; }, '_');
  return name.empty() || name == "." || name == ".." ? "_" : name;
}

/// "compose.yml" -> "compose.2.yml", "project-files/.env" -> "project-files/.env.2"
std::string numbered(const std::string& name, int number) {
  const auto dot = name.rfind('.');
  const auto slash = name.rfind('/');
  const auto first = slash == std::string::npos ? 0 : slash + 1;
  const auto stem = dot == std::string::npos || dot <= first ? name : name.substr(0, dot);
  return stem + "." + std::to_string(number) + name.substr(stem.size());
}

class RecipeBuilder {
 public:
  explicit RecipeBuilder(const RecipeInput& input) : input_(input) {
    taken_ = {"compose_order.json", "coverage-manifest.json", "environment.json", "reconstructed-compose.yaml", "project-files"};
  }

  Result<StagedFolder> make() {
    if (auto inspected = add_containers(); !inspected) return inspected.error();
    add_compose_files();
    add_project_files();
    folder_.files.push_back({"coverage-manifest.json", coverage_manifest(input_), 0600, 0});
    if (input_.unit.kind == UnitKind::standalone || !all_compose_files_) {
      auto text = reconstructed_compose(input_);
      if (!text) return text.error();
      folder_.files.push_back({"reconstructed-compose.yaml", std::move(*text), 0600, 0});
    }
    return std::move(folder_);
  }

 private:
  Result<void> add_containers() {
    Json environments = Json::object();
    for (const auto& container : input_.containers) {
      auto inspect = Json::parse(container.json, nullptr, false);
      if (!inspect.is_object()) {
        return Error{ErrorKind::invalid, "the engine's description of container " + printable(container.name) + " cannot be read"};
      }
      environments[container.name] = Json::array();
      if (inspect.contains("Config") && inspect["Config"].is_object() && inspect["Config"].contains("Env") &&
          inspect["Config"]["Env"].is_array()) {
        environments[container.name] = inspect["Config"]["Env"];
        redact(inspect["Config"]["Env"]);
      }
      const auto name = unique(one_component(container.name) + "_inspect.json");
      folder_.files.push_back({name, text_of(Json::array({std::move(inspect)})), 0600, 0});
    }
    if (input_.include_environment) folder_.files.push_back({"environment.json", text_of(environments), 0600, 0});
    return {};
  }

  static void redact(Json& environment) {
    for (auto& entry : environment) {
      if (entry.is_string()) entry = redact_assignment(entry.get<std::string>());
    }
  }

  void add_compose_files() {
    Json order = Json::array();
    for (const auto& compose : input_.compose_files) {
      if (!compose.file.problem.empty()) {
        all_compose_files_ = false;
        note(compose, "a reconstructed one is saved instead");
        continue;
      }
      const auto wanted = one_component(base_name(compose.path));
      const auto name = unique(wanted);
      if (name != wanted) folder_.notes.push_back("compose file " + printable(compose.path, 200) + " was saved as " + printable(name));
      order.push_back(name);
      add(name, compose);
    }
    all_compose_files_ = all_compose_files_ && !input_.compose_files.empty();
    if (!order.empty()) folder_.files.push_back({"compose_order.json", text_of(order), 0600, 0});
  }

  void add_project_files() {
    std::set<std::string> compose;
    for (const auto& file : input_.compose_files) compose.insert(file.path);
    for (const auto& file : input_.project_files) {
      if (compose.contains(file.path)) continue;
      if (!file.file.problem.empty()) {
        note(file, {});
        continue;
      }
      const auto wanted = one_component(base_name(file.path));
      const auto path = unique("project-files/" + wanted);
      if (path != "project-files/" + wanted) folder_.notes.push_back(printable(file.path, 200) + " was saved as " + printable(path));
      add(path, file);
    }
  }

  void note(const RecipeContent& content, const std::string& instead) {
    folder_.notes.push_back(printable(content.path, 200) + " was not saved: " + printable(content.file.problem, 200) +
                            (instead.empty() ? "" : "; " + instead));
  }

  void add(const std::string& path, const RecipeContent& content) {
    folder_.files.push_back({path, content.file.content, content.file.mode & 0777, content.file.mtime_seconds});
  }

  std::string unique(const std::string& wanted) {
    auto name = wanted;
    for (int number = 2; !taken_.insert(name).second; ++number) name = numbered(wanted, number);
    return name;
  }

  const RecipeInput& input_;
  StagedFolder folder_;
  std::set<std::string> taken_;
  bool all_compose_files_ = true;
};

}  // namespace

Result<StagedFolder> make_recipe(const RecipeInput& input) { return RecipeBuilder(input).make(); }

}  // namespace kopidocka
