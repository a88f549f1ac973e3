#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "journal/journal.hpp"

namespace kopidocka {

/// Which containers of each unit we hold stopped right now, read along from the journal's records.
class HeldLedger {
 public:
  /// What was owed before this process began.
  void seed(const std::vector<Journal::OpenRun>& runs);
  void apply(const JournalRecord& record);

  /// Names of held containers by unit; units that hold nothing and the runs in `without` are left out.
  std::map<std::string, std::set<std::string>> by_unit(const std::set<std::string>& without = {}) const;
  /// The unit whose run holds this container, the runs in `without` left out; empty when none does.
  std::string unit_holding(const std::string& container, const std::set<std::string>& without) const;
  /// Ids of all held containers.
  std::set<std::string> ids() const;
  size_t open_runs() const { return runs_.size(); }
  /// Whether the journal of this run is still open.
  bool open(const std::string& run) const { return runs_.count(run) != 0; }
  /// Whether the journal of a run other than these is still open: something is owed that nobody works on.
  bool open_besides(const std::set<std::string>& active) const;

 private:
  struct Run {
    std::string unit;
    std::map<std::string, std::string> names;  ///< of the members, by id
    std::set<std::string> held;                ///< ids
  };
  std::map<std::string, Run> runs_;
};

}  // namespace kopidocka
