#include "hooks/script.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/text.hpp"

namespace kopidocka {
namespace {

std::string last_line(const std::string& text) {
  const auto lines = split(trim(text), '\n');
  return printable(lines.back(), 300);
}

}  // namespace

Result<std::optional<HookScript>> find_script(const std::filesystem::path& folder, const std::string& name) {
  for (const auto& file : {name, name + ".sh"}) {
    const auto path = folder / file;
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) {
      if (errno == ENOENT || errno == ENOTDIR) continue;
      return system_error(errno, "look at hook script " + path.string());
    }
    const auto refuse = [&](const std::string& why, const std::string& next) {
      return Error{ErrorKind::refused, "hook script " + path.string() + " " + why, next};
    };
    if (!S_ISREG(info.st_mode)) return refuse("is not a regular file", "put the script itself there, not a link");
    if ((info.st_mode & 0002) != 0) return refuse("may be written by everybody", "chmod o-w it");
    if (info.st_uid != 0 && info.st_uid != ::geteuid()) return refuse("belongs to another user", "chown it to root");
    if (::access(path.c_str(), X_OK) != 0) return refuse("is not executable", "chmod +x it");
    struct stat around{};
    if (::stat(folder.c_str(), &around) != 0) return system_error(errno, "look at hooks folder " + folder.string());
    if ((around.st_mode & 0002) != 0) return refuse("lies in a folder that everybody may write to", "chmod o-w " + folder.string());
    return std::optional(HookScript{name, path});
  }
  return std::optional<HookScript>();
}

Task<> run_script(HookScript script, std::map<std::string, std::string> variables, Milliseconds timeout, Cancel cancel) {
  ProcessSpec spec;
  spec.argv = {script.path.string()};
  spec.environment = clean_environment();
  spec.environment.push_back("KOPI_DOCKA_HOOK_TYPE=" + script.name);
  for (const auto& [name, value] : variables) spec.environment.push_back(name + "=" + value);
  spec.deadline = timeout;
  spec.output_limit = 1u << 20;
  std::string last_output;
  spec.on_output_line = [&last_output](const std::string& line) { last_output = line; };
  const auto result = co_await run_process(std::move(spec), cancel);
  const auto what = "hook script " + script.path.string();
  if (result.aborted) throw Error(ErrorKind::cancelled, what + " was ended");
  if (result.timed_out) throw Error(ErrorKind::timeout, what + " took longer than " + format_duration(timeout), "make it faster or let it detach its work");
  if (result.exit_code != 0) {
    auto said = last_line(result.error_tail);
    if (said.empty()) said = last_line(last_output);
    throw Error(ErrorKind::failed, what + " ended with code " + std::to_string(result.exit_code) +
                                       (said.empty() ? std::string() : ": " + said));
  }
}

}  // namespace kopidocka
