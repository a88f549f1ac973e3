#include "base/text.hpp"
#include "run/actions.hpp"

namespace kopidocka {
namespace {

void require_readable(const DataSource& source, const PathFacts& facts) {
  const auto name = std::string(to_string(source.kind)) + " " + printable(source.name);
  if (!facts.problem.empty()) throw Error(ErrorKind::refused, name + ": " + facts.problem, "look at its disk or network mount");
  if (facts.kind == PathKind::missing) {
    throw Error(ErrorKind::refused, name + ": " + printable(source.local_path) + " does not exist here",
                "is its disk mounted? If it was mounted after kopi-docka started, start kopi-docka again");
  }
  if (facts.kind == PathKind::other) {
    throw Error(ErrorKind::refused, name + " is neither a folder nor a regular file", "leave it out with a label");
  }
}

}  // namespace

Task<> perform_probe_sources(RunState& state, ProbeSources step) {
  std::vector<std::string> paths;
  for (const auto& source : step.sources) paths.push_back(source.local_path);
  if (paths.empty()) co_return;
  const auto facts = co_await state.context.worker.probe(std::move(paths), state.engine_cancel);
  for (size_t i = 0; i < step.sources.size(); ++i) {
    require_readable(step.sources[i], facts.at(i));
    if (facts.at(i).kind == PathKind::file) state.single_files.insert(step.sources[i].path);
  }
}

}  // namespace kopidocka
