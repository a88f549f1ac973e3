#include "engine/place.hpp"

#include <filesystem>
#include <sstream>
#include <utility>

#include "base/text.hpp"
#include "engine/program.hpp"
#include "process/process.hpp"

namespace kopidocka {
namespace {

constexpr Milliseconds kLookDeadline{30'000};

Task<ProcessResult> run_plain(std::vector<std::string> argv, std::string doing, Milliseconds deadline, Cancel cancel) {
  ProcessSpec spec;
  spec.argv = std::move(argv);
  spec.environment = clean_environment();
  std::erase_if(spec.environment, [](const auto& entry) { return entry.rfind("LC_ALL=", 0) == 0; });
  spec.environment.emplace_back("LC_ALL=C");
  spec.deadline = deadline;
  spec.grace = Milliseconds(1'000);
  auto result = co_await run_process(std::move(spec), std::move(cancel));
  if (result.aborted) throw Error(ErrorKind::cancelled, doing + ": asked to stop");
  if (result.timed_out) {
    throw Error(ErrorKind::timeout, doing + ": no answer within " + format_duration(deadline),
                "look whether the file system hangs, as a dead network mount does");
  }
  co_return result;
}

bool says_missing(const std::string& text) { return text.find("No such file or directory") != std::string::npos; }

Task<std::string> types_of(std::string path, std::vector<std::string> which, Cancel cancel) {
  std::vector<std::string> argv{"find", path};
  argv.insert(argv.end(), which.begin(), which.end());
  argv.insert(argv.end(), {"-printf", "%y", "-quit"});
  const auto doing = "look at " + printable(path);
  const auto result = co_await run_plain(std::move(argv), doing, kLookDeadline, std::move(cancel));
  if (result.ok()) co_return result.output;
  if (says_missing(result.error_tail)) co_return "";
  const bool denied = result.error_tail.find("Permission denied") != std::string::npos;
  throw Error(denied ? ErrorKind::denied : ErrorKind::unreachable, doing + ": " + last_words(result),
              "check that the path is mounted and can be read");
}

}  // namespace

Task<PathState> look_at(std::string path, Cancel cancel) {
  PathState place;
  // Named first: g++ 12 cannot keep an initializer list over a co_await.
  const std::vector<std::string> itself{"-maxdepth", "0"}, entries{"-mindepth", "1", "-maxdepth", "1"};
  const auto own = co_await types_of(path, itself, cancel);
  place.exists = !own.empty();
  if (!place.exists) co_return place;
  place.type = own[0];
  if (place.folder()) place.empty = (co_await types_of(path, entries, cancel)).empty();
  co_return place;
}

Task<std::string> real_path(std::string path, Cancel cancel) {
  const auto doing = "follow the symbolic link " + printable(path);
  std::vector<std::string> argv{"realpath", "-e", "-z", "--", std::move(path)};
  auto found = co_await run_tool(std::move(argv), doing, kLookDeadline, std::move(cancel));
  if (!found.empty() && found.back() == '\0') found.pop_back();
  co_return found;
}

Task<Space> space_of(std::string path, Cancel cancel) {
  std::vector<std::string> argv{"stat", "-f", "-c", "%a %b %S", path};
  const auto result = co_await run_plain(std::move(argv), "ask for free space", kLookDeadline, std::move(cancel));
  Space space;
  std::uint64_t free = 0, total = 0, block = 0;
  std::istringstream words(result.output);
  if (result.ok() && words >> free >> total >> block) space = {free * block, total * block};
  co_return space;
}

Task<std::string> run_tool(std::vector<std::string> argv, std::string doing, Milliseconds deadline, Cancel cancel) {
  const auto result = co_await run_plain(std::move(argv), doing, deadline, std::move(cancel));
  if (!result.ok()) throw Error(ErrorKind::failed, doing + ": " + last_words(result));
  co_return result.output;
}

Task<> require_empty_target(std::string target, bool single_file, Cancel cancel) {
  const auto shown = printable(target);
  if (target.empty() || target[0] != '/' || target == "/") {
    throw Error(ErrorKind::invalid, "restore target " + shown + " is not an absolute path below the root");
  }
  const auto place = co_await look_at(target, cancel);
  if (place.exists && (single_file || !place.folder())) {
    throw Error(ErrorKind::refused, "restore target " + shown + " exists already", "name a path that does not exist");
  }
  if (place.exists && !place.empty) {
    throw Error(ErrorKind::refused, "restore target " + shown + " is not empty", "empty it or name a new folder");
  }
  if (place.exists) co_return;
  const auto parent = std::filesystem::path(target).parent_path().string();
  if (!(co_await look_at(parent, cancel)).folder()) {
    throw Error(ErrorKind::not_found, "the folder of restore target " + shown + " does not exist", "create it first");
  }
}

Task<> require_empty_repository(std::string path, Cancel cancel) {
  const auto shown = printable(path);
  const auto place = co_await look_at(path + "/.", cancel);
  if (!place.exists) {
    // Creating it ourselves would turn a storage that is not mounted into a new repository on the system's own disk.
    throw Error(ErrorKind::unreachable, "repository folder " + shown + " does not exist",
                "mount or create it, or correct KOPI_DOCKA_REPOSITORY");
  }
  if (!place.folder()) throw Error(ErrorKind::invalid, "repository path " + shown + " is not a folder", "correct KOPI_DOCKA_REPOSITORY");
  const std::vector<std::string> entries{"-mindepth", "1", "-maxdepth", "1", "!", "-name", "lost+found", "!", "-name", ".shards"};
  const auto content = co_await types_of(path + "/.", entries, cancel);
  if (!content.empty()) {
    throw Error(ErrorKind::busy, "there is data already in " + shown,
                "connect to it when it is the repository you mean, else set KOPI_DOCKA_REPOSITORY to an empty folder");
  }
}

}  // namespace kopidocka
