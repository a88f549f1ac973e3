#include "base/text.hpp"
#include "run/actions.hpp"

namespace kopidocka {
namespace {

std::string shown(const DataSource& source) { return std::string(to_string(source.kind)) + " " + printable(source.name); }

/// How many files the newest backup that has this source found in it; 0 when none has it.
std::uint64_t files_before(const ReportStore& reports, const std::string& unit, const DataSource& source) {
  constexpr size_t kAllOfAUnit = 400;
  ReportFilter filter;
  filter.unit = unit;
  filter.kind = RunKind::backup;
  filter.limit = kAllOfAUnit;
  for (const auto& report : reports.list(filter).reports) {
    if (report.result != RunResult::success && report.result != RunResult::partial) continue;
    for (const auto& snapshot : report.snapshots) {
      if (snapshot.type == to_string(source.kind) && snapshot.source == source.name) return snapshot.files;
    }
  }
  return 0;
}

/// A folder whose disk was mounted after we started, or is not mounted at all, looks empty from here: a backup of it would
/// be a restore point that has nothing. Only a person knows that emptiness is meant, and says so by asking for a backup.
void refuse_sudden_emptiness(RunState& state, const DataSource& source) {
  const auto before = files_before(state.context.reports, state.plan.unit.name, source);
  if (before == 0) return;
  const auto found = shown(source) + " is empty, but held " + std::to_string(before) + " files at its last backup";
  if (state.report.trigger == "request") return state.note(found + "; it was taken as it is, as the backup was asked for");
  throw Error(ErrorKind::refused, found,
              "is its disk mounted? If it was mounted after kopi-docka started, start kopi-docka again; if it is meant to be "
              "empty, run 'kopi-docka backup " + printable(state.plan.unit.name) + "' once, which takes it as it is");
}

void require_readable(const DataSource& source, const PathFacts& facts) {
  const auto name = shown(source);
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
  if (state.plan.kind == RunKind::restore) co_return co_await perform_probe_targets(state);
  std::vector<std::string> paths;
  for (const auto& source : step.sources) paths.push_back(source.local_path);
  if (paths.empty()) co_return;
  const auto facts = co_await state.context.worker.probe(std::move(paths), state.engine_cancel);
  for (size_t i = 0; i < step.sources.size(); ++i) {
    require_readable(step.sources[i], facts.at(i));
    if (facts.at(i).kind == PathKind::folder && facts.at(i).empty) refuse_sudden_emptiness(state, step.sources[i]);
    if (facts.at(i).kind == PathKind::file) state.single_files.insert(step.sources[i].path);
    // A file may be replaced by its owner; a folder that is mounted somewhere cannot be.
    if (facts.at(i).kind == PathKind::folder) state.folders[step.sources[i].path] = facts.at(i);
  }
}

Task<> require_same_folders(RunState& state, Cancel cancel) {
  std::vector<std::string> paths;
  std::vector<PathFacts> before;
  for (const auto& [path, facts] : state.folders) {
    before.push_back(facts);
    paths.push_back(facts.path);
  }
  if (state.plan.kind != RunKind::backup || paths.empty()) co_return;
  const auto now = co_await state.context.worker.probe(std::move(paths), std::move(cancel));
  for (size_t i = 0; i < before.size(); ++i) {
    const auto where = printable(before[i].path);
    if (!now.at(i).problem.empty()) throw Error(ErrorKind::refused, where + ": " + now[i].problem, "look at its disk or network mount");
    if (now[i].kind == PathKind::folder && now[i].device == before[i].device && now[i].inode == before[i].inode) continue;
    throw Error(ErrorKind::refused, where + " is another folder than when the run began",
                "did its disk go, or was something mounted or moved to its place? Run it again when it is settled");
  }
}

}  // namespace kopidocka
