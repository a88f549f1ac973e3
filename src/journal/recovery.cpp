#include "journal/recovery.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using Type = JournalRecord::Type;

template <class T, class Predicate>
void drop(std::vector<T>& values, Predicate predicate) {
  values.erase(std::remove_if(values.begin(), values.end(), predicate), values.end());
}

void drop_data(std::vector<HeldData>& values, const std::optional<HeldData>& data) {
  if (data) drop(values, [&](const HeldData& value) { return value.target == data->target; });
}

void add_data(std::vector<HeldData>& values, const std::optional<HeldData>& data) {
  drop_data(values, data);
  if (data) values.push_back(*data);
}

void hold(std::vector<HeldMember>& members, const HeldMember& member) {
  const auto known = std::find_if(members.begin(), members.end(), [&](const HeldMember& other) { return other.id == member.id; });
  if (known == members.end()) {
    members.push_back(member);
  } else {
    *known = member;
  }
}

void take_begin(Debts& debts, const JournalRecord& record) {
  debts.run = record.run;
  debts.unit = record.unit;
  debts.kind = record.kind;
  debts.engine_id = record.engine_id;
  debts.trigger = record.trigger;
  debts.scope = record.scope;
  debts.engine = record.engine;
  debts.started_at = record.time;
}

void take_stopping(Debts& debts, const JournalRecord& record) {
  const auto& id = record.container;
  if (std::find(debts.stopping.begin(), debts.stopping.end(), id) == debts.stopping.end()) debts.stopping.push_back(id);
  debts.stop_asked[id] = record.time;
  if (record.note == kUnconfirmed) debts.unconfirmed.insert(id);
  if (!debts.first_stop) debts.first_stop = record.time;
}

void no_stop_on_its_way(Debts& debts, const std::string& id) {
  drop(debts.stopping, [&](const std::string& other) { return other == id; });
  debts.unconfirmed.erase(id);
}

void take_paid(Debts& debts, const JournalRecord& record) {
  const auto* member = debts.member(record.container);
  if (record.type == Type::started && record.note == kByRecovery && member != nullptr) debts.restarted.push_back(member->name);
  if (record.type == Type::disowned && !record.note.empty()) debts.reasons.push_back(record.note);
  debts.last_start = record.time;
  drop(debts.members, [&](const HeldMember& other) { return other.id == record.container; });
  no_stop_on_its_way(debts, record.container);
}

void take_reported(Debts& debts, const JournalRecord& record) {
  debts.reported = true;
  debts.reported_at = record.time;
  debts.result = record.result;
  debts.reason = record.reason;
  // A run that reached its report has decided about its data, unless it says that it could not.
  if (record.note != kDataInDoubt) debts.swaps.clear();
}

}  // namespace

const HeldMember* Debts::member(const std::string& id) const {
  const auto found = std::find_if(members.begin(), members.end(), [&](const HeldMember& member) { return member.id == id; });
  return found == members.end() ? nullptr : &*found;
}

Debts debts_of(const std::vector<JournalRecord>& records) {
  Debts debts;
  std::set<std::string> announced;
  for (const auto& record : records) {
    switch (record.type) {
      case Type::begin: take_begin(debts, record); break;
      case Type::hold:
        for (const auto& member : record.members) hold(debts.members, member);
        break;
      case Type::stopping:
        take_stopping(debts, record);
        announced.insert(record.container);
        break;
      case Type::stopped: no_stop_on_its_way(debts, record.container); break;
      case Type::starting: debts.starting.insert(record.container); break;
      case Type::started:
      case Type::disowned: take_paid(debts, record); break;
      case Type::staging:
        drop_data(debts.staged, record.data);  // first announced, then known
        debts.staged.push_back(record.data.value_or(HeldData{}));
        break;
      case Type::warming: add_data(debts.warm, record.data); break;
      case Type::cooled: drop_data(debts.warm, record.data); break;
      case Type::cloning: add_data(debts.clones, record.data); break;
      case Type::uncloned: drop_data(debts.clones, record.data); break;
      case Type::swapping: debts.swaps.push_back(record.data.value_or(HeldData{})); break;
      case Type::restored: drop_data(debts.swaps, record.data); break;
      case Type::kept: debts.replaced = std::exchange(debts.swaps, {}); break;
      case Type::reported: take_reported(debts, record); break;
      case Type::end: debts.ended = true; break;
      case Type::swapped: break;
    }
  }
  drop(debts.members, [&](const HeldMember& member) { return announced.count(member.id) == 0; });
  return debts;
}

std::optional<TimePoint> stop_may_come_until(const Debts& debts, const HeldMember& member, Milliseconds margin) {
  if (std::find(debts.stopping.begin(), debts.stopping.end(), member.id) == debts.stopping.end()) return std::nullopt;
  const auto asked = debts.stop_asked.find(member.id);
  if (asked == debts.stop_asked.end()) return std::nullopt;
  if (debts.unconfirmed.count(member.id) != 0) return asked->second + kUnconfirmedLimit;
  return asked->second + Seconds(member.grace) + margin;
}

namespace {

/// Of one that was to be frozen. Nothing but an unpause thaws it, and nothing ends it while it is frozen but somebody's kill.
Decision decide_paused(const std::string& name, const std::string& status, bool pause_requested) {
  if (status == "paused") return {DebtDecision::start, name + " is paused"};
  if (status != "running" && status != "restarting") {
    return {DebtDecision::disowned, name + " is " + status + ", it was paused and not stopped by kopi-docka"};
  }
  if (pause_requested) return {DebtDecision::wait, name + " may still be paused"};
  return {DebtDecision::settled, name + " is not paused"};
}

}  // namespace

bool is_down(const HeldMember& member, const Container& now) {
  return !now.running() || (member.by_pause && now.state.status == "paused");
}

Decision decide(const HeldMember& member, const std::optional<Container>& now, bool stop_requested) {
  const auto name = printable(member.name);
  if (!now) return {DebtDecision::disowned, "container " + name + " does not exist any more"};
  if (now->state.started_at != member.started_at) {
    return {DebtDecision::disowned, "container " + name + " was started by somebody else meanwhile"};
  }
  const auto& status = now->state.status;
  if (member.by_pause) return decide_paused("container " + name, status, stop_requested);
  if (now->running()) {
    if (stop_requested) return {DebtDecision::wait, "container " + name + " may still be stopping"};
    return {DebtDecision::settled, "container " + name + " was not stopped"};
  }
  if (status == "removing" || status == "dead") return {DebtDecision::disowned, "container " + name + " is being removed"};
  return {DebtDecision::start, "container " + name + " is " + status};
}

}  // namespace kopidocka
