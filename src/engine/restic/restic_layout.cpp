#include "engine/restic/restic_layout.hpp"

#include <utility>
#include <vector>

#include "base/text.hpp"
#include "engine/place.hpp"

namespace kopidocka {
namespace {

constexpr Milliseconds kQuick{60'000};
constexpr Milliseconds kRemove{3'600'000};

using Argv = std::vector<std::string>;

}  // namespace

Task<ResticStage> ResticStage::make(std::string target, bool single_file, Cancel cancel) {
  ResticStage stage;
  stage.target_ = target;
  stage.single_file_ = single_file;
  stage.folder_ = target + (single_file ? ".kopi-docka-" : "/.kopi-docka-") + make_uuid();
  const auto place = co_await look_at(target, cancel);
  stage.made_target_ = !single_file && !place.exists;
  Argv argv{"mkdir", "-m", "0700"};
  if (stage.made_target_) argv.push_back(target);
  argv.push_back(stage.folder_);
  co_await run_tool(std::move(argv), "make a folder in " + printable(target), kQuick, cancel);
  co_return stage;
}

Task<> ResticStage::deliver(std::string stored_path, Cancel cancel) const {
  const auto content = folder_ + stored_path;
  const auto doing = "put the restored data in place at " + printable(target_);
  if (single_file_) {
    Argv move{"mv", "-T", "-n", content, target_}, remove{"rm", "-rf", "--", folder_};
    co_await run_tool(std::move(move), doing, kQuick, cancel);
    co_await run_tool(std::move(remove), doing, kRemove, cancel);
    co_return;
  }
  // Taken before the move, which changes it.
  Argv ask{"stat", "-c", "%.9Y", content};
  const auto mtime = trim(co_await run_tool(std::move(ask), doing, kQuick, cancel));
  Argv move{"find", content, "-mindepth", "1", "-maxdepth", "1", "-exec", "mv", "-n", "-t", target_, "{}", "+"};
  co_await run_tool(std::move(move), doing, kRemove, cancel);
  Argv attributes{"cp", "-aT", "--attributes-only", content, target_};
  co_await run_tool(std::move(attributes), doing, kQuick, cancel);
  Argv remove{"rm", "-rf", "--", folder_};
  co_await run_tool(std::move(remove), doing, kRemove, cancel);
  Argv touch{"touch", "-m", "-d", "@" + mtime, target_};
  co_await run_tool(std::move(touch), doing, kQuick, cancel);
}

Task<> ResticStage::undo() const {
  Argv argv{"rm", "-rf", "--", folder_};
  if (!single_file_ && made_target_) argv = {"rm", "-rf", "--", target_};
  if (!single_file_ && !made_target_) argv = {"find", target_, "-mindepth", "1", "-delete"};
  try {
    co_await run_tool(std::move(argv), "remove what an unfinished restore left", kRemove, Cancel());
  } catch (const Error&) {
    // Why the restore failed is what the caller has to know; the target is told not to be complete by that.
  }
}

}  // namespace kopidocka
