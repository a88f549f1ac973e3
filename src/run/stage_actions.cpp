#include "catalog/gather.hpp"
#include "run/actions.hpp"

namespace kopidocka {
namespace {

Task<StagedFolder> gather_recipe_of(RunState& state) {
  RecipeInput input;
  input.unit = state.plan.unit;
  input.backup_id = state.plan.run;
  input.scope = scope_from(state.plan.scope).value_or(Scope::standard);
  input.time = state.report.started_at;
  input.include_environment = state.context.recipe_environment;
  co_return co_await gather_recipe(state.context.docker, state.context.worker, std::move(input), state.engine_cancel);
}

Task<StagedFolder> gather(RunState& state, SnapshotType type) {
  if (type == SnapshotType::networks) {
    co_return co_await gather_networks(state.context.docker, state.plan.unit.name, state.plan.unit.networks, state.report.started_at);
  }
  if (type == SnapshotType::docker_config) {
    auto paths = docker_config_paths(state.context.surroundings.paths);
    co_return co_await gather_docker_config(state.context.worker, std::move(paths), state.engine_cancel);
  }
  co_return co_await gather_recipe_of(state);
}

}  // namespace

Task<> perform_stage_folder(RunState& state, StageFolder step) {
  const auto type = snapshot_type_from(step.type);
  if (!type) throw Error(ErrorKind::internal, "there is no staging folder of type " + step.type);
  const auto content = co_await gather(state, *type);
  for (const auto& note : content.notes) state.note(note);
  for (const auto& gap : content.gaps) state.degrade(Error(ErrorKind::failed, gap), "recipe");
  if (content.files.empty()) {
    if (content.gaps.empty()) state.note("there is no " + step.type + " to save: the host has no such files");
    state.nothing_staged.insert(step.type);
    co_return;
  }
  const auto staging = (state.context.cache_folder / "staging").string();
  if (auto written = write_staging(staging, *type, state.plan.unit.name, content); !written) throw written.error();
}

}  // namespace kopidocka
