#include "run/lost_report.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace kopidocka {
namespace {

double seconds_between(TimePoint from, TimePoint to) { return std::max(0.0, to_unix_seconds(to) - to_unix_seconds(from)); }

RunReport begun_report(const Debts& debts) {
  RunReport report;
  report.unit = debts.unit;
  report.kind = debts.kind == "restore" ? RunKind::restore : RunKind::backup;
  report.backup_id = debts.run;
  report.scope = debts.scope;
  report.engine = debts.engine;
  report.trigger = debts.trigger;
  report.started_at = debts.started_at;
  return report;
}

std::string what_happened(const Debts& debts, TimePoint now) {
  std::string text = "kopi-docka, the Docker Engine or the host ended while this run was going on";
  if (!debts.first_stop) return text + ", before a container was stopped";
  if (debts.restarted.empty()) return text;
  std::vector<std::string> names;
  for (const auto& name : debts.restarted) names.push_back(printable(name));
  return text + "; started again, at the latest at " + to_iso8601(now) + ": " + join(names, ", ");
}

}  // namespace

RunReport lost_report(const Debts& debts, TimePoint now) {
  auto report = begun_report(debts);
  report.result = RunResult::failed;
  report.reason = "interrupted";
  report.duration_seconds = seconds_between(debts.started_at, now);
  if (debts.first_stop) {
    // Members are gone from the debts once paid: with none left the newest record about them says when all were up.
    report.downtime_seconds = seconds_between(*debts.first_stop, debts.members.empty() ? debts.last_start.value_or(now) : now);
  }
  report.problems = {what_happened(debts, now)};
  report.problems.insert(report.problems.end(), debts.reasons.begin(), debts.reasons.end());
  if (!debts.problem.empty()) report.problems.push_back("its journal can be read in part only: " + debts.problem);
  return report;
}

RunReport report_from_journal(const Debts& debts) {
  auto report = begun_report(debts);
  report.result = run_result_from(debts.result).value_or(RunResult::failed);
  report.reason = debts.reason;
  report.duration_seconds = seconds_between(debts.started_at, debts.reported_at);
  if (debts.first_stop) report.downtime_seconds = seconds_between(*debts.first_stop, debts.last_start.value_or(debts.reported_at));
  report.problems = {"the report of this run could not be saved when it ended; this one was made from the journal, without its "
                     "snapshots and containers"};
  return report;
}

}  // namespace kopidocka
