#include "labels/unit_labels.hpp"

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
using Setter = void (*)(UnitPolicy&, const LabelValue&);

template <auto Field>
void set(UnitPolicy& policy, const LabelValue& value) {
  using Type = std::remove_reference_t<decltype(policy.*Field)>;
  if constexpr (std::is_same_v<Type, int>) {
    policy.*Field = static_cast<int>(std::get<std::int64_t>(value));
  } else if constexpr (std::is_same_v<Type, std::optional<Milliseconds>>) {
    policy.*Field = std::get<Milliseconds>(value);
  } else {
    policy.*Field = std::get<Type>(value);
  }
}

template <auto Field>
void set_retention(UnitPolicy& policy, const LabelValue& value) {
  policy.retention.*Field = static_cast<int>(std::get<std::int64_t>(value));
}

void set_scope(UnitPolicy& policy, const LabelValue& value) { policy.scope = scope_from(std::get<std::string>(value)).value(); }

void set_consistency(UnitPolicy& policy, const LabelValue& value) {
  const auto& word = std::get<std::string>(value);
  policy.consistency = word == "stop" ? Consistency::stop : word == "pause" ? Consistency::pause : Consistency::none;
}

void set_notify(UnitPolicy& policy, const LabelValue& value) {
  const auto& word = std::get<std::string>(value);
  policy.notify = word == "always" ? NotifyLevel::always : word == "never" ? NotifyLevel::never : NotifyLevel::failure;
}

/// enable, schedule and timezone depend on each other and are read apart.
void leave(UnitPolicy&, const LabelValue&) {}

const std::map<std::string_view, Setter>& setters() {
  static const std::map<std::string_view, Setter> table = {
      {"enable", leave},
      {"schedule", leave},
      {"timezone", leave},
      {"jitter", set<&UnitPolicy::jitter>},
      {"catch-up", set<&UnitPolicy::catch_up>},
      {"trigger", set<&UnitPolicy::triggers>},
      {"trigger.min-interval", set<&UnitPolicy::trigger_min_interval>},
      {"scope", set_scope},
      {"consistency", set_consistency},
      {"warm", set<&UnitPolicy::warm>},
      {"max-downtime", set<&UnitPolicy::max_downtime>},
      {"start-timeout", set<&UnitPolicy::start_timeout>},
      {"volumes", set<&UnitPolicy::volumes>},
      {"volumes.exclude", set<&UnitPolicy::volumes_exclude>},
      {"binds", set<&UnitPolicy::binds>},
      {"binds.exclude", set<&UnitPolicy::binds_exclude>},
      {"exclude", set<&UnitPolicy::exclude>},
      {"repository", set<&UnitPolicy::repositories>},
      {"retention.latest", set_retention<&RetentionPolicy::latest>},
      {"retention.hourly", set_retention<&RetentionPolicy::hourly>},
      {"retention.daily", set_retention<&RetentionPolicy::daily>},
      {"retention.weekly", set_retention<&RetentionPolicy::weekly>},
      {"retention.monthly", set_retention<&RetentionPolicy::monthly>},
      {"retention.annual", set_retention<&RetentionPolicy::annual>},
      {"compression", set<&UnitPolicy::compression>},
      {"restore-test.check", set<&UnitPolicy::restore_test_check>},
      {"verify", set<&UnitPolicy::verify>},
      {"restore-test", set<&UnitPolicy::restore_test>},
      {"notify", set_notify},
      {"priority", set<&UnitPolicy::priority>},
      {"instance", set<&UnitPolicy::instance>},
  };
  return table;
}

using ByName = std::map<std::string, KnownLabel>;

/// Whether both say the same, however it is spelled ("60s" and "1m"). Values that cannot be read are compared as text.
bool is_same_value(const KnownLabel& a, const KnownLabel& b) {
  if (a.text == b.text) return true;
  const auto left = parse_label_value(*a.spec, a.text, "UTC"), right = parse_label_value(*b.spec, b.text, "UTC");
  return left && right && *left == *right;
}

/// One value per label: the first one met stays, a different one on another container is an error.
ByName merge(const std::vector<SortedLabels>& containers, std::vector<Problem>& problems) {
  ByName merged;
  for (const auto& container : containers) {
    for (const auto& label : container.unit) {
      const auto [known, added] = merged.emplace(label.spec->name, label);
      const auto& first = known->second;
      if (added || is_same_value(first, label)) continue;
      add_error(problems, label.where(),
                "says " + shown_value(*label.spec, label.text) + ", but container " + printable(first.container, 100) +
                    " says " + shown_value(*label.spec, first.text) + "; a stack has one value for it, keep one of the two");
    }
  }
  return merged;
}

std::optional<LabelValue> read_value(const KnownLabel& label, const std::string& zone, std::vector<Problem>& problems) {
  auto value = parse_label_value(*label.spec, label.text, zone);
  if (!value) {
    add_error(problems, label.where(), value.error().message());
    return std::nullopt;
  }
  add_not_yet(*label.spec, to_text(*value), label.where(), problems);
  return std::move(*value);
}

/// The zone that holds for the unit; UTC when the one given is wrong, so that the schedules are still checked. Settings
/// are only held against units that are backed up.
std::string read_zone(const ByName& labels, bool enabled, const PolicyDefaults& defaults, std::vector<Problem>& problems) {
  const auto label = labels.find("timezone");
  if (label != labels.end()) {
    const auto value = read_value(label->second, "UTC", problems);
    return value ? std::get<std::string>(*value) : "UTC";
  }
  if (!enabled) return "UTC";
  const auto probe = Schedule::parse("@daily", defaults.timezone);
  if (probe) return defaults.timezone;
  add_error(problems, "setting TZ", probe.error().message());
  return "UTC";
}

/// Opted in; a wrong `enable` counts as a wish, so that the unit is seen as invalid instead of being overlooked.
bool wants_backup(const ByName& labels, bool watch_all) {
  const auto enable = labels.find("enable");
  if (enable != labels.end()) return lower(enable->second.text) != "false";
  return watch_all || labels.contains("schedule") || labels.contains("trigger");
}

/// Whether another sidecar is to take care of the stack. It is told, as a misspelled name would leave it to nobody.
bool is_left_to_another(const ByName& labels, const PolicyDefaults& defaults, std::vector<Problem>& problems) {
  const auto label = labels.find("instance");
  if (label == labels.end() || label->second.text == defaults.instance) return false;
  add_warning(problems, label->second.where(),
              "the stack is left to the sidecar called " + shown_value(*label->second.spec, label->second.text) + "; this one " +
                  (defaults.instance.empty() ? "has no name (KOPI_DOCKA_INSTANCE)" : "is '" + printable(defaults.instance, 100) + "'"));
  return true;
}

std::optional<Schedule> read_schedule(const ByName& labels, bool enabled, const PolicyDefaults& defaults,
                                      const std::string& zone, std::vector<Problem>& problems) {
  const auto label = labels.find("schedule");
  if (label != labels.end()) {
    if (!read_value(label->second, zone, problems) || !enabled) return std::nullopt;
    return Schedule::parse(label->second.text, zone).value();
  }
  if (!enabled || defaults.schedule.empty()) return std::nullopt;
  auto schedule = Schedule::parse(defaults.schedule, zone);
  if (schedule) return std::move(*schedule);
  add_error(problems, "setting KOPI_DOCKA_SCHEDULE", schedule.error().message());
  return std::nullopt;
}

void apply_defaults(UnitPolicy& policy) {
  for (const auto& spec : label_contract().labels()) {
    if (spec.level != LabelLevel::unit || !spec.default_value) continue;
    setters().at(spec.name)(policy, parse_label_value(spec, *spec.default_value, "UTC").value());
  }
}

void check_retention(const RetentionPolicy& keep, const ByName& labels, std::vector<Problem>& problems) {
  if (keep.latest + keep.hourly + keep.daily + keep.weekly + keep.monthly + keep.annual > 0) return;
  const auto label = std::find_if(labels.begin(), labels.end(),
                                  [](const auto& entry) { return entry.first.starts_with("retention."); });
  add_error(problems, label == labels.end() ? "retention" : label->second.where(),
            "all retention labels are 0, so no backup would stay; expected at least one above 0");
}

}  // namespace

UnitPolicy read_unit_policy(const std::vector<SortedLabels>& containers, const PolicyDefaults& defaults,
                            std::vector<Problem>& problems) {
  UnitPolicy policy;
  apply_defaults(policy);
  const auto labels = merge(containers, problems);
  policy.enabled = wants_backup(labels, defaults.watch_all) && !is_left_to_another(labels, defaults, problems);
  const auto zone = read_zone(labels, policy.enabled, defaults, problems);
  policy.schedule = read_schedule(labels, policy.enabled, defaults, zone, problems);
  for (const auto& [name, label] : labels) {
    if (name == "schedule" || name == "timezone") continue;
    if (const auto value = read_value(label, zone, problems)) setters().at(name)(policy, *value);
  }
  check_retention(policy.retention, labels, problems);
  return policy;
}

}  // namespace kopidocka
