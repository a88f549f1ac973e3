#include "labels/member_labels.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

#include "base/text.hpp"
#include "labels/label_value.hpp"

namespace kopidocka {
namespace {

using Texts = std::vector<std::string>;
/// Values of one hook by the last part of the label's name ("when", "exec", ...).
using HookValues = std::map<std::string_view, LabelValue>;

/// Schedules do not occur on members, so the zone does not matter.
std::optional<LabelValue> read_value(const KnownLabel& label, std::vector<Problem>& problems) {
  auto value = parse_label_value(*label.spec, label.text, "UTC");
  if (value) return std::move(*value);
  add_error(problems, label.where(), value.error().message());
  return std::nullopt;
}

void apply(MemberPolicy& policy, const std::string& name, const LabelValue& value) {
  if (name == "stop") policy.stop = std::get<bool>(value);
  if (name == "stop-timeout") policy.stop_timeout = std::get<Milliseconds>(value);
  if (name == "depends-on") policy.depends_on = std::get<Texts>(value);
}

std::string_view last_part(std::string_view name) { return name.substr(name.rfind('.') + 1); }

template <class Type>
void take(const HookValues& values, std::string_view name, Type& field) {
  const auto found = values.find(name);
  if (found == values.end()) return;
  if constexpr (std::is_same_v<Type, int>) {
    field = static_cast<int>(std::get<std::int64_t>(found->second));
  } else {
    field = std::get<Type>(found->second);
  }
}

HookValues default_values() {
  HookValues values;
  for (const auto& spec : label_contract().labels()) {
    if (spec.level != LabelLevel::hook || !spec.default_value) continue;
    values.emplace(last_part(spec.name), parse_label_value(spec, *spec.default_value, "UTC").value());
  }
  return values;
}

/// A hook before something aborts it by default; one after it cannot undo what has been done.
OnError default_on_error(const Texts& when) {
  const auto before = std::any_of(when.begin(), when.end(), [](const auto& moment) { return moment.starts_with("pre-"); });
  return before ? OnError::abort_run : OnError::continue_run;
}

HookSpec make_hook(const std::string& name, const HookValues& values) {
  HookSpec hook;
  hook.name = name;
  take(values, "when", hook.when);
  take(values, "exec", hook.exec);
  take(values, "script", hook.script);
  take(values, "preset", hook.preset);
  take(values, "user", hook.user);
  take(values, "workdir", hook.workdir);
  take(values, "env", hook.env);
  take(values, "timeout", hook.timeout);
  take(values, "debounce", hook.debounce);
  take(values, "rate", hook.rate_per_hour);
  take(values, "undo", hook.undo);
  if (hook.when.empty() && !hook.preset.empty()) hook.when = {"pre-backup"};
  hook.on_error = default_on_error(hook.when);
  std::string on_error;
  take(values, "on-error", on_error);
  if (!on_error.empty()) hook.on_error = on_error == "abort" ? OnError::abort_run : OnError::continue_run;
  return hook;
}

/// What is wrong with the hook as a whole, each fault once.
Texts hook_faults(const HookSpec& hook) {
  Texts faults;
  const int actions = int(!hook.exec.empty()) + int(!hook.script.empty()) + int(!hook.preset.empty());
  if (actions == 0) faults.push_back("the hook does nothing; expected exactly one of .exec, .script and .preset");
  if (actions > 1) faults.push_back("the hook does several things; expected exactly one of .exec, .script and .preset");
  if (hook.when.empty()) faults.push_back("the hook never runs; expected .when, for example pre-stop");
  if (actions != 1) return faults;
  const bool needs_exec = !hook.user.empty() || !hook.workdir.empty() || !hook.undo.empty();
  if (needs_exec && hook.exec.empty()) faults.push_back(".user, .workdir and .undo go only with .exec");
  if (!hook.env.empty() && !hook.preset.empty()) faults.push_back(".env goes only with .exec and .script");
  return faults;
}

void add_hook(const std::string& name, const std::vector<KnownLabel>& labels, const std::string& place, MemberPolicy& policy,
              std::vector<Problem>& problems) {
  auto values = default_values();
  bool readable = true;
  for (const auto& label : labels) {
    if (auto value = read_value(label, problems)) {
      values.insert_or_assign(last_part(label.spec->name), std::move(*value));
    } else {
      readable = false;
    }
  }
  if (!readable) return;
  auto hook = make_hook(name, values);
  const auto faults = hook_faults(hook);
  for (const auto& fault : faults) add_error(problems, place, fault);
  if (!faults.empty()) return;
  const auto later = std::find_if(labels.begin(), labels.end(),
                                  [](const auto& label) { return label.spec->status == LabelStatus::later; });
  if (later != labels.end()) add_not_yet(*later->spec, {}, place, problems);
  policy.hooks.push_back(std::move(hook));
}

}  // namespace

MemberPolicy read_member_policy(const SortedLabels& labels, const std::string& prefix, std::vector<Problem>& problems) {
  MemberPolicy policy;
  for (const auto& label : labels.member) {
    const auto value = read_value(label, problems);
    if (!value) continue;
    add_not_yet(*label.spec, to_text(*value), label.where(), problems);
    apply(policy, label.spec->name, *value);
  }
  for (const auto& [name, hook_labels] : labels.hooks) {
    add_hook(name, hook_labels, label_place("container", labels.container, prefix + "hook." + name), policy, problems);
  }
  return policy;
}

}  // namespace kopidocka
