#include "plan/backup_plan.hpp"

#include <algorithm>
#include <numeric>

#include "base/text.hpp"
#include "catalog/tags.hpp"
#include "plan/hold_steps.hpp"

namespace kopidocka {
namespace {

SourcePolicy policy_for(const Unit& unit, const std::string& path, bool data, bool gated = false) {
  const auto& wanted = unit.policy.retention;
  SourcePolicy policy;
  policy.path = path;
  policy.gated = gated;
  policy.retention = {wanted.latest, wanted.hourly, wanted.daily, wanted.weekly, wanted.monthly, wanted.annual};
  policy.compression = unit.policy.compression;
  if (data) policy.exclude = unit.policy.exclude;
  return policy;
}

bool lies_in(const std::string& path, const std::string& folder) {
  return path == folder || folder == "/" || path.rfind(folder + "/", 0) == 0;
}

/// Whether a user of the source can change what is in it. Only one whose every mount that touches it (the same volume or
/// path, one inside it or one around it) is read-only cannot.
bool may_write(const Container& container, const DataSource& source) {
  bool reads = false;
  for (const auto& mount : container.mounts) {
    const bool same_volume = source.kind == SourceKind::volume && mount.type == "volume" && mount.name == source.name;
    const bool overlaps = !mount.source.empty() && (lies_in(mount.source, source.path) || lies_in(source.path, mount.source));
    if (!same_volume && !overlaps) continue;
    if (mount.writable) return true;
    reads = true;
  }
  return !reads;
}

class BackupPlanner {
 public:
  BackupPlanner(const Unit& unit, const BackupOptions& options) : options_(options) {
    plan_.kind = RunKind::backup;
    plan_.unit = unit;
    plan_.run = options.run;
    plan_.scope = std::string(to_string(options.scope));
    plan_.trigger = options.trigger;
    plan_.max_downtime = unit.policy.max_downtime;
    tags_ = {unit.name, options.run, options.scope, options.time, unit.sources.size(), unit.policy.consistency};
  }

  Plan make() {
    const auto probe = plan_.add({Phase::prepare, ProbeRepository{}, {}, OnFailure::abort, false});
    const auto sources = plan_.add({Phase::prepare, ProbeSources{plan_.unit.sources}, {probe}, OnFailure::abort, false});
    collect_policies();
    const auto policies = plan_.add({Phase::prepare, PreparePolicies{policies_}, {sources}, OnFailure::abort, false});
    const auto hook = plan_.add({Phase::prepare, RunHook{"pre_backup"}, {policies}, OnFailure::abort, false});
    add_secondary(hook);
    add_warm_ups();
    add_openings();
    add_hold();
    add_settle();
    return std::move(plan_);
  }

 private:
  std::vector<SnapshotType> secondary_types() const {
    if (options_.scope == Scope::minimal) return {};
    std::vector<SnapshotType> types = {SnapshotType::recipe};
    if (!plan_.unit.networks.empty()) types.push_back(SnapshotType::networks);
    if (options_.scope == Scope::full) types.push_back(SnapshotType::docker_config);
    return types;
  }

  void collect_policies() {
    for (const auto type : secondary_types()) {
      policies_.push_back(policy_for(plan_.unit, staging_identity(type, plan_.unit.name), false));
    }
    for (const auto& source : plan_.unit.sources) policies_.push_back(policy_of(source));
  }

  Tags secondary_tags(SnapshotType type) const {
    switch (type) {
      case SnapshotType::networks: return networks_tags(tags_, plan_.unit.networks.size());
      case SnapshotType::docker_config: return docker_config_tags(tags_, "daemon.json,docker.service.d/");
      default: return recipe_tags(tags_);
    }
  }

  void add_secondary(StepId hook) {
    for (const auto type : secondary_types()) {
      const std::string word(to_string(type));
      const auto stage = plan_.add({Phase::prepare, StageFolder{word}, {hook}, OnFailure::degrade, false});
      TakeSnapshot take;
      take.type = word;
      take.name = plan_.unit.name;
      take.request.policy = policy_for(plan_.unit, staging_identity(type, plan_.unit.name), false);
      take.request.source = {take.request.policy.path, local_staging(take.request.policy.path)};
      take.request.tags = secondary_tags(type);
      plan_.add({Phase::prepare, std::move(take), {stage}, OnFailure::degrade, false});
    }
  }

  /// /var/cache/kopi-docka/staging/recipes/shop -> <our staging folder>/recipes/shop
  std::string local_staging(const std::string& identity) const {
    return options_.staging_folder + identity.substr(identity.find("/staging/") + std::string_view("/staging").size());
  }

  SourcePolicy policy_of(const DataSource& source) const { return policy_for(plan_.unit, source.path, true, options_.gate_width > 0); }

  SnapshotRequest request_for(const DataSource& source) const {
    SnapshotRequest request;
    request.source = {source.path, source.local_path};
    request.policy = policy_of(source);
    request.tags = source_tags(tags_, source, 0);
    return request;
  }

  /// What is read while everything is up need not be read while it is down.
  void add_warm_ups() {
    const auto& wanted = plan_.unit.policy.warm;
    if (wanted == "off" || plan_.unit.policy.consistency == Consistency::none) return;
    std::vector<StepId> before(plan_.steps.size());
    std::iota(before.begin(), before.end(), StepId{0});
    for (const auto& source : plan_.unit.sources) {
      WarmUp warm{std::string(to_string(source.kind)), source.name, {source.path, source.local_path}, wanted, wanted == "auto" && has_room_beside(source)};
      plan_.add({Phase::prepare, std::move(warm), before, OnFailure::abort, false});
    }
  }

  /// A copy beside a source that lies in another one, or in a folder that containers work in, would be seen by them.
  bool has_room_beside(const DataSource& source) const {
    return !source.folder_shared && std::none_of(plan_.unit.sources.begin(), plan_.unit.sources.end(), [&](const DataSource& other) {
      return other.path != source.path && lies_in(source.path, other.path);
    });
  }

  /// Opening takes an engine seconds, and minutes where the repository is slow: done while everything is up, for as many
  /// sources as there is memory for.
  void add_openings() {
    std::vector<StepId> before(plan_.steps.size());
    std::iota(before.begin(), before.end(), StepId{0});
    for (size_t i = 0; i < std::min(options_.gate_width, plan_.unit.sources.size()); ++i) {
      const auto& source = plan_.unit.sources[i];
      const bool room_for_two = options_.gate_width >= 2 * plan_.unit.sources.size();
      OpenSnapshot open{std::string(to_string(source.kind)), source.name, request_for(source), room_for_two};
      plan_.add({Phase::prepare, std::move(open), before, OnFailure::abort, false});
    }
  }

  void add_hold() {
    plan_.gate_width = std::max<size_t>(options_.gate_width, 1);
    stops_ = add_stops(plan_, options_.default_grace);
    StepsOf reads;
    for (size_t i = 0; i < plan_.unit.sources.size(); ++i) {
      const auto& source = plan_.unit.sources[i];
      ReadSource read{std::string(to_string(source.kind)), source.name, request_for(source), i < options_.gate_width};
      Step step{Phase::hold, std::move(read), {}, OnFailure::abort, false};
      const auto writers = writers_of(source);
      for (const auto& id : writers) {
        const auto stop = stops_.find(id);
        if (stop != stops_.end()) step.after.push_back(stop->second.front());
      }
      const auto id = plan_.add(std::move(step));
      for (const auto& writer : writers) reads[writer].push_back(id);
    }
    add_starts(plan_, stops_, reads, options_.default_grace);
  }

  /// Members that only read a source change nothing in it: its copy need not wait for them, nor they for it.
  std::vector<std::string> writers_of(const DataSource& source) const {
    std::vector<std::string> writers;
    for (const auto& id : source.users) {
      const auto* member = plan_.unit.member(id);
      if (member == nullptr || may_write(member->container, source)) writers.push_back(id);
    }
    writers.insert(writers.end(), source.foreign_writers.begin(), source.foreign_writers.end());
    return writers;
  }

  /// Always: what is read and saved counts, also when an end was requested meanwhile.
  void add_saves() {
    for (const auto& source : plan_.unit.sources) {
      plan_.add({Phase::settle, SaveSnapshot{std::string(to_string(source.kind)), source.name, request_for(source)}, {}, OnFailure::abort, true});
    }
  }

  void add_settle() {
    add_saves();
    // Who asks for a hot copy has no use for one that is refused for being hot.
    if (plan_.unit.policy.consistency != Consistency::none) {
      plan_.add({Phase::settle, CheckTaint{plan_.unit.sources}, {}, OnFailure::abort, true});
    }
    add_health(plan_, stops_, options_.default_grace);
    plan_.add({Phase::settle, ApplyRetention{policies_}, {}, OnFailure::degrade, false});
    plan_.add({Phase::settle, RunHook{"post_backup"}, {}, OnFailure::degrade, true});
    // The hook and the retention come when the outcome of everything before them is known.
    const auto hook = plan_.steps.size() - 1, retention = plan_.steps.size() - 2;
    for (StepId id = 0; id < retention; ++id) {
      if (plan_.steps[id].phase == Phase::settle) plan_.steps[retention].after.push_back(id);
    }
    plan_.steps[hook].after = {retention};
  }

  const BackupOptions& options_;
  Plan plan_;
  RunTags tags_;
  std::vector<SourcePolicy> policies_;
  StepsOf stops_;
};

}  // namespace

Result<Plan> make_backup_plan(const Unit& unit, const BackupOptions& options) {
  if (auto refused = hold_refusal(unit)) return *refused;
  if (unit.sources.empty()) {
    return Error{ErrorKind::refused, "unit " + printable(unit.name) + " has no volume and no bind mount to back up",
                 "see 'kopi-docka list " + printable(unit.name) + "'"};
  }
  return BackupPlanner(unit, options).make();
}

}  // namespace kopidocka
