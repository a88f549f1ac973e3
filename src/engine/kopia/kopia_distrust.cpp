#include <exception>
#include <utility>

#include "base/text.hpp"
#include "engine/kopia/kopia_engine.hpp"
#include "engine/kopia/kopia_fix.hpp"
#include "engine/kopia/kopia_listing.hpp"
#include "engine/request_checks.hpp"

/// Takes out of a warm snapshot what the next one has to read anew.
namespace kopidocka {
namespace {

void require_others_untouched(const std::vector<Snapshot>& before, const std::vector<Snapshot>& after, const std::string& warm) {
  const auto others = rewritten(before, after, warm);
  if (others.empty()) return;
  throw Error(ErrorKind::internal,
              "DANGER: while files were taken out of warm snapshot " + warm + ", other snapshots were rewritten, perhaps without these files: " +
                  printable(join(others, ", "), 1'000),
              "unless somebody pinned them or repaired them at this very moment: do not run maintenance, their old data is still there; "
              "report this");
}

}  // namespace

/// Reads the list of a snapshot's entries; `list` is the repository's list of snapshots, with their numbers.
Task<KopiaReview> KopiaEngine::review(std::string id, TimePoint since, std::vector<std::string> touched, std::string list, Cancel cancel) {
  KopiaReview reading(since, std::move(touched));
  auto call = make_call("list the files of warm snapshot " + id, kopia_listing_args(id));
  call.on_output_line = [&reading](const std::string& line) { reading.add(line); };
  co_await run(std::move(call), cancel);
  reading.check(decode_kopia_counts(list, id).value()).value();
  co_return reading;
}

Task<> KopiaEngine::remove_files(std::string id, std::vector<std::string> object_ids, Cancel cancel) {
  auto args = kopia_remove_files_args(id, object_ids).value();
  // It would name every file it takes out.
  args.emplace_back("--log-level=warning");
  co_await run(make_call("take files out of warm snapshot " + id, std::move(args)), cancel);
}

Task<WarmDoubt> KopiaEngine::take_out(Snapshot warm, TimePoint since, std::vector<std::string> touched, std::string list_before, Cancel cancel) {
  const auto first = co_await review(warm.id, since, std::move(touched), list_before, cancel);
  auto doubt = first.verdict();
  doubt.id = warm.id;
  const auto ids = first.doubtful_ids();
  if (ids.empty()) co_return doubt;
  co_await remove_files(warm.id, ids, cancel);
  // Kopia ends well, too, when it has changed nothing; only what is there now counts.
  const auto list_after = co_await list_text(cancel);
  const auto before = decode_kopia_list(list_before).value(), after = decode_kopia_list(list_after).value();
  require_others_untouched(before, after, warm.id);
  const auto now = only_warm(after, identity(), warm.path).value();
  const auto second = co_await review(now.id, TimePoint::max(), std::vector<std::string>(), list_after, cancel);
  const bool as_wanted = now.tags == warm.tags && now.start_time == warm.start_time && second.verdict().trust.marks() == doubt.trust.marks();
  if (!as_wanted) throw Error(ErrorKind::failed, "warm snapshot " + warm.id + " does not hold what it should after files were taken out");
  doubt.id = now.id;
  co_return doubt;
}

Task<WarmDoubt> KopiaEngine::distrust(std::string id, std::string path, TimePoint since, std::vector<std::string> touched, Cancel cancel) {
  const auto source = normal_path(path);
  const auto output = co_await list_text(cancel);
  const auto warm = only_warm(decode_kopia_list(output).value(), identity(), source).value();
  if (warm.id != id) throw Error(ErrorKind::refused, "'" + printable(id, 100) + "' is not the warm snapshot of " + printable(source));
  WarmDoubt doubt;
  std::exception_ptr failure;
  try {
    doubt = co_await take_out(warm, since, std::move(touched), output, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  const auto left = warm_of_run(identity(), warm.tags.at(kWarmTag), source);
  if (failure) co_await clear_after(left, failure);
  co_return doubt;
}

}  // namespace kopidocka
