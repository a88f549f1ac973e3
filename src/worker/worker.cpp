#include "worker/worker.hpp"

#include <boost/asio/this_coro.hpp>

#include <utility>

#include "base/text.hpp"
#include "process/process.hpp"
#include "worker/codec.hpp"
#include "worker/hex.hpp"

namespace kopidocka {
namespace {

using nlohmann::json;

constexpr size_t kAloneAtOnce = 8;

std::string request_text(const json& request) {
  try {
    return request.dump();
  } catch (const json::exception&) {
    throw Error{ErrorKind::invalid, "a path is not valid UTF-8: it cannot be passed on"};
  }
}

// The requests are built outside of the coroutines: g++ 12 cannot keep a braced list across co_await.
std::string probe_request(const std::vector<std::string>& paths) {
  return request_text({{"operation", "probe"}, {"paths", paths}});
}

std::string usage_request(const std::vector<std::string>& paths, Milliseconds limit) {
  return request_text({{"operation", "usage"}, {"paths", paths}, {"limit_ms", limit.count()}});
}

std::string files_request(const std::vector<FileWanted>& files) {
  return request_text({{"operation", "read_files"}, {"files", files}});
}

std::string find_request(const std::vector<std::string>& folders, const std::vector<std::string>& patterns) {
  return request_text({{"operation", "find_files"}, {"paths", folders}, {"patterns", patterns}});
}

std::string prepare_request(const PlaceRequest& request) {
  return request_text({{"operation", "prepare_place"}, {"place", request}});
}

std::string discard_request(const Place& place, Discard what) {
  return request_text({{"operation", "discard"}, {"place", place}, {"what", to_string(what)}});
}

std::string place_request(const char* operation, const Place& place) {
  return request_text({{"operation", operation}, {"place", place}});
}

std::string clone_request(const char* operation, const CloneRequest& request) {
  return request_text({{"operation", operation}, {"clone", request}});
}

std::string settle_request(const std::string& path) { return request_text({{"operation", "settle"}, {"path", path}}); }

std::string touched_request(const Settled& settled, Looked looked, size_t limit) {
  return request_text({{"operation", "touched"}, {"settled", settled}, {"beforehand", looked == Looked::beforehand}, {"limit", limit}});
}

json read_answer(const ProcessResult& result, const std::string& what) {
  auto answer = json::parse(result.output, nullptr, false);
  if (answer.is_object() && answer.contains("answer")) return answer["answer"];
  if (answer.is_object() && answer.contains("error")) throw error_from_json(answer["error"]).in(what);
  throw Error{ErrorKind::internal, what + ": the worker ended with code " + std::to_string(result.exit_code) + " and no answer: " +
                                       printable(trim(result.error_tail), 400)};
}

template <class T>
T decode(const std::string& answer) {
  try {
    return json::parse(answer).get<T>();
  } catch (const json::exception& error) {
    throw Error{ErrorKind::internal, std::string("the worker's answer is malformed: ") + error.what()};
  }
}

template <class T>
std::vector<T> decode_list(const std::string& answer, size_t count) {
  auto list = decode<std::vector<T>>(answer);
  if (list.size() != count) throw Error{ErrorKind::internal, "the worker answered for another number of paths"};
  return list;
}

}  // namespace

Worker::Worker(std::string binary, Milliseconds deadline) : binary_(std::move(binary)), deadline_(deadline) {}

Task<std::string> Worker::ask(std::string request, std::string what, Milliseconds deadline, Cancel cancel) const {
  ProcessSpec spec;
  spec.argv = {binary_, "worker"};
  spec.environment = clean_environment();
  spec.input = std::move(request);
  spec.deadline = deadline;
  spec.grace = Milliseconds(1'000);
  const auto result = co_await run_process(std::move(spec), cancel);
  if (result.aborted) throw Error{ErrorKind::cancelled, what + ": asked to stop"};
  if (result.timed_out) {
    throw Error{ErrorKind::timeout, what + ": no answer within " + format_duration(deadline),
                "look whether its file system (a network mount?) answers"};
  }
  co_return read_answer(result, what).dump();
}

Task<std::vector<PathFacts>> Worker::probe(std::vector<std::string> paths, Cancel cancel) const {
  if (paths.empty()) co_return std::vector<PathFacts>{};
  try {
    const auto answer = co_await ask(probe_request(paths), "look at paths", deadline_, cancel);
    co_return decode_list<PathFacts>(answer, paths.size());
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::timeout) throw;
  }
  co_return co_await probe_alone(std::move(paths), std::move(cancel));
}

Task<std::vector<PathFacts>> Worker::probe_alone(std::vector<std::string> paths, Cancel cancel) const {
  const auto executor = co_await boost::asio::this_coro::executor;
  std::vector<PathFacts> facts(paths.size());
  Semaphore slots(executor, kAloneAtOnce);
  TaskGroup group(executor);
  for (size_t i = 0; i < paths.size(); ++i) {
    facts[i].path = paths[i];
    group.spawn(probe_one(facts[i], slots, cancel));
  }
  co_await group.join();
  co_return facts;
}

Task<> Worker::probe_one(PathFacts& facts, Semaphore& slots, Cancel cancel) const {
  co_await slots.acquire();
  std::exception_ptr failed;
  try {
    const auto request = probe_request(std::vector<std::string>(1, facts.path));
    const auto answer = co_await ask(request, "look at " + printable(facts.path), deadline_, cancel);
    facts = decode_list<PathFacts>(answer, 1).front();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::timeout) {
      facts.problem = "did not answer within " + format_duration(deadline_);
    } else {
      failed = std::current_exception();
    }
  }
  slots.release();
  if (failed) std::rethrow_exception(failed);
}

Task<std::vector<TreeUsage>> Worker::usage(std::vector<std::string> paths, Milliseconds limit, Cancel cancel) const {
  const auto answer = co_await ask(usage_request(paths, limit), "measure trees", limit + deadline_, cancel);
  co_return decode_list<TreeUsage>(answer, paths.size());
}

Task<std::vector<FileContent>> Worker::read_files(std::vector<FileWanted> files, Cancel cancel) const {
  if (files.empty()) co_return std::vector<FileContent>{};
  const auto answer = co_await ask(files_request(files), "read files", deadline_, cancel);
  co_return decode_list<FileContent>(answer, files.size());
}

Task<std::vector<std::string>> Worker::find_files(std::vector<std::string> folders, std::vector<std::string> patterns,
                                                  Cancel cancel) const {
  if (folders.empty()) co_return std::vector<std::string>{};
  auto paths = decode<std::vector<std::string>>(co_await ask(find_request(folders, patterns), "find files", deadline_, cancel));
  for (auto& path : paths) path = from_hex(path);
  co_return paths;
}

Task<Place> Worker::prepare_place(PlaceRequest request, Cancel cancel) const {
  const auto what = "prepare " + printable(request.target);
  const auto answer = co_await ask(prepare_request(request), what, deadline_, cancel);
  co_return decode<Place>(answer);
}

Task<PlaceState> Worker::swap_in(Place place, Milliseconds deadline, Cancel cancel) const {
  const auto what = "put the new data of " + printable(place.target) + " in place";
  co_return decode<PlaceState>(co_await ask(place_request("swap_in", place), what, deadline, cancel));
}

Task<PlaceState> Worker::swap_back(Place place, Milliseconds deadline, Cancel cancel) const {
  const auto what = "put the original data of " + printable(place.target) + " back";
  co_return decode<PlaceState>(co_await ask(place_request("swap_back", place), what, deadline, cancel));
}

Task<PlaceState> Worker::discard(Place place, Discard what, Milliseconds deadline, Cancel cancel) const {
  const auto doing = "clean up beside " + printable(place.target);
  co_return decode<PlaceState>(co_await ask(discard_request(place, what), doing, deadline, cancel));
}

Task<PlaceState> Worker::state(Place place, Cancel cancel) const {
  const auto what = "look at the restore of " + printable(place.target);
  co_return decode<PlaceState>(co_await ask(place_request("state", place), what, deadline_, cancel));
}

Task<CloneFacts> Worker::can_clone(std::string path, std::string run_id, Cancel cancel) const {
  const auto what = "look whether " + printable(path) + " can be cloned";
  CloneRequest request;
  request.source = std::move(path);
  request.run_id = std::move(run_id);
  co_return decode<CloneFacts>(co_await ask(clone_request("can_clone", request), what, deadline_, cancel));
}

Task<CloneResult> Worker::clone_tree(CloneRequest request, Milliseconds deadline, Cancel cancel) const {
  const auto what = "clone " + printable(request.source);
  co_return decode<CloneResult>(co_await ask(clone_request("clone_tree", request), what, deadline, cancel));
}

Task<> Worker::drop_clone(CloneRequest request, Milliseconds deadline, Cancel cancel) const {
  const auto what = "remove the clone of " + printable(request.source);
  co_await ask(clone_request("drop_clone", request), what, deadline, cancel);
}

Task<Settled> Worker::settle(std::string path, Milliseconds deadline, Cancel cancel) const {
  const auto what = "settle " + printable(path);
  co_return decode<Settled>(co_await ask(settle_request(path), what, deadline, cancel));
}

Task<Touched> Worker::touched(Settled settled, Looked looked, size_t limit, Milliseconds deadline, Cancel cancel) const {
  const auto what = "look what was touched in " + printable(settled.path);
  co_return decode<Touched>(co_await ask(touched_request(settled, looked, limit), what, deadline, cancel));
}

}  // namespace kopidocka
