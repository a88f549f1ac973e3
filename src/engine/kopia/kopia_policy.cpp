#include "engine/kopia/kopia_policy.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "engine/request_checks.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

/// A .kopiaignore inside the data would leave out files. An empty list means Kopia's built-in name, so a name that
/// nobody uses takes its place.
constexpr const char* kNoDotIgnore = ".kopi-docka-ignores-nothing";

/// 0 would mean "not defined here".
constexpr const char* kAnySize = "9223372036854775807";

constexpr const char* kBefore = "before-snapshot-root-action";
constexpr const char* kAfter = "after-snapshot-root-action";
/// Kopia's own bound is three minutes; the stops of a large unit may take longer. Seconds.
constexpr int kGateSeconds = 86'400;

struct Field {
  const char* flag;
  const char* section;
  const char* key;
};

constexpr Field kFields[] = {
    {"keep-latest", "retention", "keepLatest"},
    {"keep-hourly", "retention", "keepHourly"},
    {"keep-daily", "retention", "keepDaily"},
    {"keep-weekly", "retention", "keepWeekly"},
    {"keep-monthly", "retention", "keepMonthly"},
    {"keep-annual", "retention", "keepAnnual"},
    {"ignore-identical-snapshots", "retention", "ignoreIdenticalSnapshots"},
    {"ignore-cache-dirs", "files", "ignoreCacheDirs"},
    {"max-file-size", "files", "maxFileSize"},
    {"one-file-system", "files", "oneFileSystem"},
    {"ignore-file-errors", "errorHandling", "ignoreFileErrors"},
    {"ignore-dir-errors", "errorHandling", "ignoreDirectoryErrors"},
    {"ignore-unknown-types", "errorHandling", "ignoreUnknownTypes"},
    {"compression", "compression", "compressorName"},
    {"manual", "scheduling", "manual"},
};

std::string scalar(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::vector<std::string> texts(const json& section, const char* key) {
  std::vector<std::string> result;
  const auto it = section.find(key);
  if (it == section.end() || !it->is_array()) return result;
  for (const auto& entry : *it) {
    if (entry.is_string()) result.push_back(entry.get<std::string>());
  }
  return result;
}

/// An action in the words of the flag that would set it as we do; in others when it was set in any other way.
std::string action_text(const json& action) {
  if (!action.is_object()) return action.dump();
  std::string text = action.value("path", "");
  for (const auto& argument : texts(action, "args")) text += argument.find(' ') == std::string::npos ? " " + argument : " \"" + argument + "\"";
  const bool usual = action.value("mode", "") == "essential" && action.value("timeout", 0) == kGateSeconds && !action.contains("script");
  return usual ? text : action.dump();
}

void decode_actions(const json& object, KopiaPolicy& policy) {
  const auto actions = object.find("actions");
  if (actions == object.end() || !actions->is_object()) return;
  for (const auto& [flag, key] : {std::pair(kBefore, "beforeSnapshotRoot"), std::pair(kAfter, "afterSnapshotRoot")}) {
    const auto action = actions->find(key);
    if (action != actions->end() && !action->is_null()) policy.fields[flag] = action_text(*action);
  }
}

KopiaPolicy decode_policy(const json& object) {
  KopiaPolicy policy;
  for (const auto& field : kFields) {
    const auto section = object.find(field.section);
    if (section == object.end() || !section->is_object()) continue;
    const auto value = section->find(field.key);
    if (value != section->end() && !value->is_null()) policy.fields[field.flag] = scalar(*value);
  }
  if (const auto files = object.find("files"); files != object.end() && files->is_object()) {
    policy.ignore = texts(*files, "ignore");
    policy.dot_ignore = texts(*files, "ignoreDotFiles");
  }
  decode_actions(object, policy);
  return policy;
}

struct Wish {
  std::string flag, value;
  bool insists = false;  ///< also over what somebody else defined
};

/// Kopia applies its retention at each snapshot, before anyone knows whether the run will succeed: one more has to stay. The
/// one too many goes with expire(), after the run.
int kept_by_kopia(const Retention& keep) {
  return keep == Retention{0, 0, 0, 0, 0, 0} ? 0 : std::max(keep.latest, 1) + 1;
}

std::vector<Wish> wishes(const SourcePolicy& wanted) {
  const auto& keep = wanted.retention;
  const Retention usual;
  const SourcePolicy plain;
  const auto number = [](int value) { return std::to_string(value); };
  std::vector<Wish> wishes = {
          {"keep-latest", number(kept_by_kopia(keep)), keep.latest != usual.latest},
          {"keep-hourly", number(keep.hourly), keep.hourly != usual.hourly},
          {"keep-daily", number(keep.daily), keep.daily != usual.daily},
          {"keep-weekly", number(keep.weekly), keep.weekly != usual.weekly},
          {"keep-monthly", number(keep.monthly), keep.monthly != usual.monthly},
          {"keep-annual", number(keep.annual), keep.annual != usual.annual},
          // An inherited "true" would save nothing when nothing changed, and the run would have no snapshot to name.
          {"ignore-identical-snapshots", "false", true},
          {"ignore-cache-dirs", "false"},
          {"max-file-size", kAnySize},
          {"one-file-system", "false"},
          {"ignore-file-errors", "false"},
          {"ignore-dir-errors", "false"},
          {"ignore-unknown-types", "true"},
          {"compression", wanted.compression.empty() ? "none" : wanted.compression, wanted.compression != plain.compression}};
  if (wanted.gated) wishes.insert(wishes.end(), {{kBefore, std::string(kKopiaGate)}, {kAfter, std::string(kKopiaGate)}});
  return wishes;
}

std::string value_of(const std::map<std::string, std::string>& fields, const std::string& flag) {
  const auto it = fields.find(flag);
  return it == fields.end() ? std::string() : it->second;
}

bool contains(const std::vector<std::string>& list, const std::string& text) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace

Result<std::map<std::string, KopiaPolicy>> decode_kopia_policies(const std::string& text, const std::string& user,
                                                                 const std::string& host) {
  const auto array = json::parse(text, nullptr, false);
  if (!array.is_array()) return Error{ErrorKind::failed, "kopia's list of policies cannot be read: " + printable(text, 200)};
  std::map<std::string, KopiaPolicy> result;
  for (const auto& object : array) {
    if (!object.is_object() || !object.contains("target") || !object["target"].is_object()) continue;
    const auto& target = object["target"];
    const auto path = target.value("path", "");
    if (path.empty() || target.value("userName", "") != user || target.value("host", "") != host) continue;
    result[path] = decode_policy(object);
  }
  return result;
}

namespace {

void change_fields(const SourcePolicy& wanted, const KopiaPolicy& current, const KopiaOurs& ours, KopiaChange& change) {
  for (const auto& [flag, value, insists] : wishes(wanted)) {
    const auto present = value_of(current.fields, flag), known = value_of(ours.fields, flag);
    const bool defined = current.fields.count(flag) != 0, by_us = defined && present == known;
    if (present != value && (!defined || by_us || insists)) {
      change.flags.push_back("--" + flag + "=" + value);
      change.after.fields[flag] = value;
    } else if (by_us) {
      change.after.fields[flag] = known;
    }
  }
}

void change_rules(const SourcePolicy& wanted, const KopiaPolicy& current, const KopiaOurs& ours, KopiaChange& change) {
  if (!contains(current.dot_ignore, kNoDotIgnore)) change.flags.push_back(std::string("--add-dot-ignore=") + kNoDotIgnore);
  const auto rules = exclude_rules(wanted);
  for (const auto& rule : rules) {
    const bool there = contains(current.ignore, rule);
    if (!there) change.flags.push_back("--add-ignore=" + rule);
    if (!there || contains(ours.ignore, rule)) change.after.ignore.push_back(rule);
  }
  change.during.ignore = change.after.ignore;
  for (const auto& rule : current.ignore) {
    if (!contains(ours.ignore, rule) || contains(rules, rule)) continue;
    change.flags.push_back("--remove-ignore=" + rule);
    change.during.ignore.push_back(rule);
  }
}

/// Of what counts in the end: our wish where the value is ours, else theirs.
Retention resulting(const SourcePolicy& wanted, const KopiaPolicy& current, const KopiaOurs& after) {
  auto result = wanted.retention;
  const auto take = [&](const char* flag, int& number) {
    const auto theirs = value_of(current.fields, flag);
    if (after.fields.count(flag) == 0 && !theirs.empty()) number = std::atoi(theirs.c_str());
  };
  // Our own number stands in the policy with one more; found there without a record of ours it is still not a wish of theirs.
  if (value_of(current.fields, "keep-latest") != std::to_string(kept_by_kopia(wanted.retention))) take("keep-latest", result.latest);
  take("keep-hourly", result.hourly);
  take("keep-daily", result.daily);
  take("keep-weekly", result.weekly);
  take("keep-monthly", result.monthly);
  take("keep-annual", result.annual);
  return result;
}

}  // namespace

KopiaChange kopia_policy_change(const SourcePolicy& wanted, const KopiaPolicy& current, const KopiaOurs& ours) {
  KopiaChange change;
  change_fields(wanted, current, ours, change);
  change_rules(wanted, current, ours, change);
  change.during.fields = change.after.fields;
  change.retention = resulting(wanted, current, change.after);
  const auto in_the_end = [&](const char* flag) {
    const auto ours_now = value_of(change.after.fields, flag);
    return ours_now.empty() ? value_of(current.fields, flag) : ours_now;
  };
  change.gated = wanted.gated && in_the_end(kBefore) == kKopiaGate && in_the_end(kAfter) == kKopiaGate;
  const bool sets_action = std::any_of(change.flags.begin(), change.flags.end(), [](const auto& flag) { return flag.find("-root-action=") != std::string::npos; });
  if (sets_action) change.flags.insert(change.flags.end(), {"--action-command-mode=essential", "--action-command-timeout=" + std::to_string(kGateSeconds) + "s"});
  // Without it `policy set` takes the mark away again that `snapshot create --override-source` sets.
  const auto manual = current.fields.find("manual");
  if (!change.flags.empty() && manual != current.fields.end() && manual->second == "true") change.flags.emplace_back("--manual");
  return change;
}

}  // namespace kopidocka
