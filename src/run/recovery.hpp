#pragma once

#include <set>
#include <string>
#include <vector>

#include "journal/recovery.hpp"
#include "run/container_steps.hpp"
#include "run/context.hpp"

namespace kopidocka {

/// What one pass over the journal achieved.
struct RecoveryOutcome {
  size_t runs = 0;                    ///< cut-off runs that were found
  std::vector<std::string> started;   ///< names of containers that were started
  std::vector<std::string> problems;  ///< what is still owed and why, in plain sentences
  std::vector<RunReport> lost;        ///< reports of runs that are known to be lost since this pass
  std::set<std::string> warm_units;     ///< units with a warm snapshot that purge() has to remove before their next run
  std::set<std::string> blocked_units;  ///< units that still owe something: no new run of theirs may begin
};

/// Pays the debts of runs that were cut off. Driven by the daemon before anything else happens and again while something
/// is owed, and by `kopi-docka recover`.
///
/// Starts only a container with the same id and the same StartedAt that is not running; anything newer means that
/// somebody acted, and the debt is closed. Data of a cut-off restore is put back before its containers start; if that
/// fails they stay down. What is down is started first; containers that Docker may still be stopping are waited for after
/// that, side by side. Of a journal that can be read in part, that part is paid, nothing is added, and it stays. Each lost
/// run is reported exactly once. Idempotent; may itself be killed anywhere.
class Recovery {
 public:
  explicit Recovery(RunContext& context) : context_(context) {}

  /// Containers and reports. Needs the Docker Engine, not the repository. Runs in `active` are left alone.
  Task<RecoveryOutcome> pay_debts(std::set<std::string> active);
  /// Removes what reported runs left in the repository and beside their sources, and closes their journals. What could not be
  /// removed is a problem of `outcome`; a unit whose next snapshot would build on it is blocked.
  Task<> purge(std::set<std::string> active, RecoveryOutcome& outcome);

 private:
  Task<> pay_and_note(Debts debts, RecoveryOutcome& outcome, Semaphore& turns);
  Task<> pay_run(Debts& debts, RecoveryOutcome& outcome);
  Task<bool> may_put_data_back(Debts& debts);
  Task<> put_data_back(Debts& debts);
  Task<> start_members(Debts& debts, RecoveryOutcome& outcome);
  Task<bool> pay_member(Debts& debts, HeldMember member, RecoveryOutcome& outcome);
  Task<> wait_and_pay(Debts& debts, HeldMember member, RecoveryOutcome& outcome, Semaphore& turns);
  void close_debt(Debts& debts, const HeldMember& member, const Decision& decision, RecoveryOutcome& outcome);
  Task<> drop_staged(const Debts& debts);
  Task<> drop_clones(Debts debts);
  Task<> purge_run(Debts debts, bool worthless);
  void report_lost(const Debts& debts, RecoveryOutcome& outcome);
  void save_missing_report(const Debts& debts);
  void append(const Debts& debts, JournalRecord record);

  RunContext& context_;
};

}  // namespace kopidocka
