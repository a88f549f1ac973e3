#include "daemon/held_ledger.hpp"

#include <algorithm>

namespace kopidocka {

void HeldLedger::seed(const std::vector<Journal::OpenRun>& runs) {
  for (const auto& run : runs) {
    for (auto record : run.records) {
      record.run = run.run;
      apply(record);
    }
  }
}

void HeldLedger::apply(const JournalRecord& record) {
  using Type = JournalRecord::Type;
  auto& run = runs_[record.run];
  if (record.type == Type::begin) run.unit = record.unit;
  for (const auto& member : record.members) run.names[member.id] = member.name;
  if (record.type == Type::stopping) run.held.insert(record.container);
  if (record.type == Type::started || record.type == Type::disowned) run.held.erase(record.container);
  if (record.type == Type::end) runs_.erase(record.run);
}

bool HeldLedger::open_besides(const std::set<std::string>& active) const {
  return std::any_of(runs_.begin(), runs_.end(), [&](const auto& run) { return active.count(run.first) == 0; });
}

std::string HeldLedger::unit_holding(const std::string& container, const std::set<std::string>& without) const {
  for (const auto& [id, run] : runs_) {
    if (without.count(id) == 0 && run.held.count(container) != 0) return run.unit;
  }
  return {};
}

std::set<std::string> HeldLedger::ids() const {
  std::set<std::string> found;
  for (const auto& [id, run] : runs_) found.insert(run.held.begin(), run.held.end());
  return found;
}

std::map<std::string, std::set<std::string>> HeldLedger::by_unit(const std::set<std::string>& without) const {
  std::map<std::string, std::set<std::string>> held;
  for (const auto& [id, run] : runs_) {
    if (without.count(id) != 0) continue;
    for (const auto& container : run.held) {
      const auto name = run.names.find(container);
      held[run.unit].insert(name == run.names.end() ? container.substr(0, 12) : name->second);
    }
  }
  return held;
}

}  // namespace kopidocka
