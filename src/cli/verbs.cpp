#include "cli/verbs.hpp"

#include "cli/verb_functions.hpp"

namespace kopidocka {
namespace {

constexpr OptionSpec kAll{"all", "", "every enabled unit"};
constexpr OptionSpec kAt{"at", "WHEN", "latest, an id, '3 days ago' or a time in UTC"};
constexpr OptionSpec kMachine{"machine", "NAME", "what that machine saved, not this one"};
constexpr OptionSpec kDryRun{"dry-run", "", "print the plan and change nothing"};

std::vector<VerbSpec> make_table() {
  return {
      {"daemon", "", 0, 0, "watch the Docker Engine and back up units when they are due", {"kopi-docka daemon"}, {}, false, false, false,
       verb_daemon},
      {"list", "[UNIT...]", 0, 1000, "units with their containers, data, problems and next run",
       {"kopi-docka list", "kopi-docka list shop --json"}, {{"all", "", "also units that are not enabled"}}, true, true, false, verb_list},
      {"backup", "UNIT...", 0, 1000, "back up units now, cold",
       {"kopi-docka backup shop", "kopi-docka backup --all", "kopi-docka backup shop --dry-run"},
       {kAll, kDryRun, {"scope", "SCOPE", "minimal (data), standard (and recipe, networks) or full"}}, true, true, false, verb_backup},
      {"snapshots", "[UNIT...]", 0, 1000, "what can be restored", {"kopi-docka snapshots shop"},
       {{"all-hosts", "", "also what other hosts saved in this repository"}, kMachine}, true, true, false, verb_snapshots},
      {"files", "UNIT [PLACE]", 1, 2, "look into a backup and the folders in it",
       {"kopi-docka files shop", "kopi-docka files shop db/base --at '3 days ago'", "kopi-docka files shop /srv/shop/web"}, {kAt, kMachine}, true,
       true, false, verb_files},
      {"cat", "UNIT PLACE", 2, 2, "write one file of a backup to standard output",
       {"kopi-docka cat shop recipe/docker-compose.yml", "kopi-docka cat shop db/dump.sql --at 0d5cf1a2 >dump.sql"}, {kAt, kMachine}, true, false,
       false, verb_cat},
      {"restore", "UNIT", 1, 1, "bring a unit's data back",
       {"kopi-docka restore shop", "kopi-docka restore shop --at '2026-11-20 03:00' --volume db --yes",
        "kopi-docka restore shop --to /restore/shop"},
       {kAt,
        kMachine,
        {"volume", "NAME", "only this volume or bind; may be repeated"},
        {"to", "FOLDER", "into an empty folder instead of in place"},
        {"yes", "", "do not ask"},
        kDryRun},
       true, true, false, verb_restore},
      {"cancel", "UNIT", 1, 1, "end a unit's running backup or restore", {"kopi-docka cancel shop"}, {}, true,
       true, false, verb_cancel},
      {"pause", "[UNIT...]", 0, 1000, "no scheduled backups for a while",
       {"kopi-docka pause shop --for 2h", "kopi-docka pause --all"}, {{"all", "", "of any unit"}, {"for", "TIME", "end by itself, as in 2h"}}, true,
       true, false, verb_pause},
      {"resume", "[UNIT...]", 0, 1000, "end a pause; what was missed is made up for by one backup", {"kopi-docka resume shop"},
       {{"all", "", "every pause there is"}}, true, true, false, verb_resume},
      {"pin", "UNIT", 1, 1, "keep a backup, whatever the retention says", {"kopi-docka pin shop --at 0d5cf1a2"}, {kAt, kMachine}, true, true,
       false, verb_pin},
      {"unpin", "UNIT", 1, 1, "give a pinned backup back to the retention", {"kopi-docka unpin shop --at 0d5cf1a2"}, {kAt, kMachine}, true,
       true, false, verb_unpin},
      {"delete", "UNIT", 1, 1, "remove backups for good",
       {"kopi-docka delete shop --at 0d5cf1a2", "kopi-docka delete old-stack --all --yes"},
       {kAt, kMachine, {"all", "", "every backup of the unit, as of one that is gone"}, {"yes", "", "do not ask"}, kDryRun}, true, true, false,
       verb_delete},
      {"status", "", 0, 0, "everything on one screen; exit code 1 when something needs you", {"kopi-docka status"}, {}, true, true, false,
       verb_status},
      {"history", "[UNIT]", 0, 1, "past runs, newest first", {"kopi-docka history shop --limit 5", "kopi-docka history --result failed"},
       {{"limit", "N", "how many (20)"}, {"result", "RESULT", "only success, partial, failed or skipped"}}, true, true, false, verb_history},
      {"repository", "init|status", 1, 1, "create the repository, or ask whether it answers",
       {"kopi-docka repository status", "kopi-docka repository init"}, {}, true, true, false, verb_repository},
      {"recover", "", 0, 0, "start what a run that was cut off had stopped", {"kopi-docka recover --inline"}, {}, true, true, false,
       verb_recover},
      {"doctor", "", 0, 0, "check what backups need, and say how to mend it", {"kopi-docka doctor"}, {}, true, true, false, verb_doctor},
      {"metrics", "", 0, 0, "the daemon's metrics in Prometheus form", {"kopi-docka metrics"}, {}, false, false, false, verb_metrics},
      {"health", "", 0, 0, "whether the daemon is ready; exit code 0 or 1", {"kopi-docka health --live"},
       {{"live", "", "whether it lives at all"}}, false, true, false, verb_health},
      {"labels", "", 0, 0, "every label, its values and its default", {"kopi-docka labels"},
       {{"markdown", "", "as in docs/labels.md"}}, false, true, false, verb_labels},
      {"config", "", 0, 0, "every setting, its value and where it comes from", {"kopi-docka config --json"},
       {{"markdown", "", "as in docs/settings.md"}}, false, true, false, verb_config},
      {"completion", "bash", 0, 1, "completion for the shell", {"source <(kopi-docka completion bash)"}, {}, false, false, false,
       verb_completion},
      {"version", "", 0, 0, "the version of this program", {"kopi-docka version"}, {}, false, true, false, verb_version},
      {"help", "[VERB]", 0, 1, "this help, or that of a verb", {"kopi-docka help restore"}, {{"markdown", "", "as in docs/cli.md"}},
       false, false, false, verb_help},
      {"worker", "", 0, 0, "a child of the daemon that touches user paths", {}, {}, false, false, true, verb_worker},
      {"gate", "", 0, 0, "called by kopia before it reads a source and after", {}, {}, false, false, true, verb_gate},
  };
}

}  // namespace

std::string Arguments::get(const std::string& name, const std::string& fallback) const {
  const auto found = options.find(name);
  return found == options.end() || found->second.empty() ? fallback : found->second.back();
}

std::vector<std::string> Arguments::all(const std::string& name) const {
  const auto found = options.find(name);
  return found == options.end() ? std::vector<std::string>() : found->second;
}

const std::vector<VerbSpec>& verb_table() {
  static const auto table = make_table();
  return table;
}

const VerbSpec* find_verb(std::string_view name) {
  for (const auto& verb : verb_table()) {
    if (verb.name == name) return &verb;
  }
  return nullptr;
}

}  // namespace kopidocka
