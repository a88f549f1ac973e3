#include "engine/kopia/kopia_warm_rules.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr std::string_view kCanceled = "canceled", kCheckpoint = "checkpoint";

bool is_warm(const Snapshot& snapshot, const std::string& run) {
  const auto tag = snapshot.tags.find(kWarmTag);
  return tag != snapshot.tags.end() && (run.empty() || tag->second == run);
}

bool is_checkpoint(const Snapshot& snapshot) { return snapshot.incomplete == kCheckpoint && snapshot.tags.empty(); }

std::vector<std::string> ids_where(const std::vector<Snapshot>& all, const std::function<bool(const Snapshot&)>& wanted) {
  std::vector<std::string> ids;
  for (const auto& snapshot : all) {
    if (wanted(snapshot)) ids.push_back(snapshot.id);
  }
  return ids;
}

bool same_snapshot(const Snapshot& a, const Snapshot& b) {
  return a.host == b.host && a.user == b.user && a.path == b.path && a.start_time == b.start_time;
}

}  // namespace

KopiaChoice warm_of_run(KopiaIdentity identity, std::string run, std::string path) {
  return [identity = std::move(identity), run = std::move(run), path = std::move(path)](const std::vector<Snapshot>& all) {
    std::vector<const Snapshot*> warm;
    for (const auto& snapshot : all) {
      if (identity.owns(snapshot) && is_warm(snapshot, run) && (path.empty() || snapshot.path == path)) warm.push_back(&snapshot);
    }
    return ids_where(all, [&](const Snapshot& snapshot) {
      if (!identity.owns(snapshot) || (!path.empty() && snapshot.path != path)) return false;
      if (is_warm(snapshot, run)) return true;
      const auto of_same_pass = [&](const Snapshot* other) { return same_snapshot(*other, snapshot); };
      return is_checkpoint(snapshot) && (run.empty() || std::any_of(warm.begin(), warm.end(), of_same_pass));
    });
  };
}

namespace {

KopiaChoice unknown_of(KopiaIdentity identity, std::string path, std::vector<std::string> known, std::function<bool(const Snapshot&)> wanted) {
  return [=](const std::vector<Snapshot>& all) {
    return ids_where(all, [&](const Snapshot& snapshot) {
      const bool unknown = std::find(known.begin(), known.end(), snapshot.id) == known.end();
      return identity.owns(snapshot) && snapshot.path == path && unknown && wanted(snapshot);
    });
  };
}

}  // namespace

KopiaChoice left_of_pass(KopiaIdentity identity, std::string path, std::vector<std::string> known) {
  return unknown_of(std::move(identity), std::move(path), std::move(known),
                    [](const Snapshot& snapshot) { return !snapshot.incomplete.empty() || is_warm(snapshot, {}); });
}

KopiaChoice checkpoints_of_pass(KopiaIdentity identity, std::string path, std::vector<std::string> known) {
  return unknown_of(std::move(identity), std::move(path), std::move(known),
                    [](const Snapshot& snapshot) { return !snapshot.incomplete.empty() && !is_warm(snapshot, {}); });
}

Result<Snapshot> only_warm(const std::vector<Snapshot>& all, const KopiaIdentity& identity, const std::string& path) {
  std::vector<const Snapshot*> warm;
  for (const auto& snapshot : all) {
    if (identity.owns(snapshot) && snapshot.path == path && is_warm(snapshot, {})) warm.push_back(&snapshot);
  }
  if (warm.size() != 1) {
    return Error{ErrorKind::failed, "there are " + std::to_string(warm.size()) + " warm snapshots of " + printable(path) + ", not one"};
  }
  if (warm.front()->incomplete == kCanceled) return *warm.front();
  return Error{ErrorKind::failed, "the warm snapshot of " + printable(path) + " is marked '" + printable(warm.front()->incomplete, 60) +
                                      "' and not as one that was ended"};
}

std::vector<std::string> rewritten(const std::vector<Snapshot>& before, const std::vector<Snapshot>& after, const std::string& expected) {
  std::set<std::string> known, there;
  for (const auto& snapshot : before) known.insert(snapshot.id);
  for (const auto& snapshot : after) there.insert(snapshot.id);
  return ids_where(before, [&](const Snapshot& old) {
    // Warm ones of other sources are rewritten by the same step of their own runs.
    if (there.contains(old.id) || old.id == expected || is_warm(old, {})) return false;
    return std::any_of(after.begin(), after.end(), [&](const Snapshot& now) { return !known.contains(now.id) && same_snapshot(old, now); });
  });
}

}  // namespace kopidocka
