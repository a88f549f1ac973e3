#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "base/task.hpp"
#include "process/process.hpp"

namespace kopidocka {

/// A global hook script of the hooks folder, named as in the Python original: pre_backup, post_backup, pre_restore,
/// post_restore (with or without ".sh").
struct HookScript {
  std::string name;
  std::filesystem::path path;
};

/// The script of that name; nothing when there is none. Refuses what others could have put there: a symbolic link, a file
/// that is not executable, writable by others, or not owned by root or by us, any file in a folder that everybody may
/// write to.
Result<std::optional<HookScript>> find_script(const std::filesystem::path& folder, const std::string& name);

/// Runs it with KOPI_DOCKA_HOOK_TYPE and the given variables, in its own process group. Throws ErrorKind::timeout or
/// failed with the last line it printed; nothing it does outlives the call.
Task<> run_script(HookScript script, std::map<std::string, std::string> variables, Milliseconds timeout, Cancel cancel);

}  // namespace kopidocka
