#pragma once

#include <string>
#include <vector>

#include "catalog/staged_folder.hpp"
#include "unit/unit.hpp"
#include "worker/types.hpp"

namespace kopidocka {

struct InspectedContainer {
  std::string name;
  std::string json;  ///< the engine's own GET /containers/{id}/json
};

/// A file of the stack: its path on the host, and its content or why there is none.
struct RecipeContent {
  std::string path;
  FileContent file;
};

struct RecipeInput {
  Unit unit;
  std::string backup_id;
  Scope scope = Scope::standard;
  TimePoint time{};
  std::vector<InspectedContainer> containers;
  std::vector<RecipeContent> compose_files;  ///< in compose's order
  std::vector<RecipeContent> project_files;  ///< env files and what lies beside the compose files
  bool include_environment = true;           ///< the full environment in a file of its own, mode 0600
};

/// The recipe of a unit, laid out so that the Python original restores from it:
///  compose files by name, compose_order.json, project-files/, <container>_inspect.json (an array of one, secrets in the
///  environment taken out), coverage-manifest.json; and of our own environment.json and, when a compose file is out of
///  sight or the unit is a single container, reconstructed-compose.yaml. Pure. A broken inspect text is `invalid`.
Result<StagedFolder> make_recipe(const RecipeInput& input);

/// coverage-manifest.json: every place the containers depend on and whether this backup has it.
std::string coverage_manifest(const RecipeInput& input);

/// A compose file made from inspect data alone, marked as such; secrets appear as ${NAME}.
Result<std::string> reconstructed_compose(const RecipeInput& input);

}  // namespace kopidocka
