#include "docker/docker.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <boost/asio/this_coro.hpp>

namespace kopidocka {
namespace {

/// Shared with the workers, so that they never look at a frame that is gone.
struct Inspection {
  std::vector<std::string> ids;
  std::vector<std::optional<Container>> found;
  size_t next = 0;
};

Task<std::optional<Container>> inspect_if_there(Docker& docker, std::string id) {
  try {
    co_return co_await docker.inspect_container(id);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) co_return std::nullopt;
    throw;
  }
}

Task<> inspect_next(Docker& docker, std::shared_ptr<Inspection> work) {
  while (work->next < work->ids.size()) {
    const auto at = work->next++;
    try {
      auto container = co_await inspect_if_there(docker, work->ids[at]);
      work->found[at] = std::move(container);
    } catch (...) {
      work->next = work->ids.size();
      throw;
    }
  }
}

}  // namespace

Task<std::vector<Container>> inspect_all(Docker& docker, std::vector<std::string> ids, size_t parallel) {
  const auto connections = docker.keep_connections();
  const auto work = std::make_shared<Inspection>();
  work->ids = std::move(ids);
  work->found.resize(work->ids.size());
  TaskGroup group(co_await boost::asio::this_coro::executor);
  const auto workers = std::min(std::max<size_t>(parallel, 1), work->ids.size());
  for (size_t i = 0; i < workers; ++i) group.spawn(inspect_next(docker, work));
  co_await group.join();
  std::vector<Container> containers;
  for (auto& container : work->found) {
    if (container) containers.push_back(*std::move(container));
  }
  co_return containers;
}

}  // namespace kopidocka
