#pragma once

#include "catalog/report.hpp"
#include "journal/recovery.hpp"

namespace kopidocka {

/// The report of a run that was cut off and that recovery has dealt with at `now`: failed, `interrupted`, and what became
/// of its containers in sentences that are true. Pure.
RunReport lost_report(const Debts& debts, TimePoint now);

/// The report of a run that ended well in the journal while its own report could not be saved. Pure.
RunReport report_from_journal(const Debts& debts);

}  // namespace kopidocka
