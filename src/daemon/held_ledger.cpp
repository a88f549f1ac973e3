#include "daemon/held_ledger.hpp"

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

std::map<std::string, std::set<std::string>> HeldLedger::by_unit() const {
  std::map<std::string, std::set<std::string>> held;
  for (const auto& [id, run] : runs_) {
    for (const auto& container : run.held) {
      const auto name = run.names.find(container);
      held[run.unit].insert(name == run.names.end() ? container.substr(0, 12) : name->second);
    }
  }
  return held;
}

}  // namespace kopidocka
