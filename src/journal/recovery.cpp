#include "journal/recovery.hpp"

#include <algorithm>
#include <set>

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

void hold(std::vector<HeldMember>& members, const HeldMember& member) {
  const auto known = std::find_if(members.begin(), members.end(), [&](const HeldMember& other) { return other.id == member.id; });
  if (known == members.end()) {
    members.push_back(member);
  } else {
    *known = member;
  }
}

}  // namespace

Debts debts_of(const std::vector<JournalRecord>& records) {
  Debts debts;
  std::set<std::string> announced;
  for (const auto& record : records) {
    switch (record.type) {
      case Type::begin:
        debts.run = record.run;
        debts.unit = record.unit;
        debts.kind = record.kind;
        debts.engine_id = record.engine_id;
        debts.trigger = record.trigger;
        debts.scope = record.scope;
        debts.engine = record.engine;
        debts.started_at = record.time;
        break;
      case Type::hold:
        for (const auto& member : record.members) hold(debts.members, member);
        break;
      case Type::stopping:
        debts.stopping.push_back(record.container);
        announced.insert(record.container);
        break;
      case Type::stopped: drop(debts.stopping, [&](const std::string& id) { return id == record.container; }); break;
      case Type::started:
      case Type::disowned:
        drop(debts.members, [&](const HeldMember& member) { return member.id == record.container; });
        drop(debts.stopping, [&](const std::string& id) { return id == record.container; });
        break;
      case Type::staging:
        drop_data(debts.staged, record.data);  // first announced, then known
        debts.staged.push_back(record.data.value_or(HeldData{}));
        break;
      case Type::swapping: debts.swaps.push_back(record.data.value_or(HeldData{})); break;
      case Type::restored: drop_data(debts.swaps, record.data); break;
      case Type::reported:
        debts.reported = true;
        // A run that reached its report has decided about its data, unless it says that it could not.
        if (record.note != kDataInDoubt) debts.swaps.clear();
        break;
      case Type::end: debts.ended = true; break;
      case Type::starting:
      case Type::swapped: break;
    }
  }
  drop(debts.members, [&](const HeldMember& member) { return announced.count(member.id) == 0; });
  return debts;
}

Decision decide(const HeldMember& member, const std::optional<Container>& now, bool stop_requested) {
  const auto name = printable(member.name);
  if (!now) return {DebtDecision::disowned, "container " + name + " does not exist any more"};
  if (now->state.started_at != member.started_at) {
    return {DebtDecision::disowned, "container " + name + " was started by somebody else meanwhile"};
  }
  const auto& status = now->state.status;
  if (now->running()) {
    if (stop_requested) return {DebtDecision::wait, "container " + name + " may still be stopping"};
    return {DebtDecision::settled, "container " + name + " was not stopped"};
  }
  if (status == "removing" || status == "dead") return {DebtDecision::disowned, "container " + name + " is being removed"};
  return {DebtDecision::start, "container " + name + " is " + status};
}

}  // namespace kopidocka
