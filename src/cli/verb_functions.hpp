#pragma once

#include "cli/verbs.hpp"

namespace kopidocka {

// One function per verb; each returns what the shell is told and throws Error for what the user must read.
ExitCode verb_daemon(const VerbContext& context);
ExitCode verb_list(const VerbContext& context);
ExitCode verb_backup(const VerbContext& context);
ExitCode verb_snapshots(const VerbContext& context);
ExitCode verb_files(const VerbContext& context);
ExitCode verb_cat(const VerbContext& context);
ExitCode verb_cancel(const VerbContext& context);
ExitCode verb_pause(const VerbContext& context);
ExitCode verb_resume(const VerbContext& context);
ExitCode verb_pin(const VerbContext& context);
ExitCode verb_unpin(const VerbContext& context);
ExitCode verb_delete(const VerbContext& context);
ExitCode verb_restore(const VerbContext& context);
ExitCode verb_status(const VerbContext& context);
ExitCode verb_history(const VerbContext& context);
ExitCode verb_repository(const VerbContext& context);
ExitCode verb_recover(const VerbContext& context);
ExitCode verb_doctor(const VerbContext& context);
ExitCode verb_metrics(const VerbContext& context);
ExitCode verb_health(const VerbContext& context);
ExitCode verb_labels(const VerbContext& context);
ExitCode verb_config(const VerbContext& context);
ExitCode verb_completion(const VerbContext& context);
ExitCode verb_version(const VerbContext& context);
ExitCode verb_help(const VerbContext& context);
ExitCode verb_worker(const VerbContext& context);
ExitCode verb_gate(const VerbContext& context);

}  // namespace kopidocka
