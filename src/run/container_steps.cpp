#include "run/container_steps.hpp"

#include <algorithm>
#include <exception>

namespace kopidocka {

Task<std::optional<Container>> look_at_container(Docker& docker, std::string id) {
  std::exception_ptr failure;
  try {
    co_return co_await docker.inspect_container(id);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::not_found) co_return std::nullopt;
    failure = std::current_exception();
  }
  std::rethrow_exception(failure);
}

Task<bool> ended_within(Docker& docker, const Clock& clock, std::string id, Milliseconds limit) {
  const auto until = clock.steady() + limit;
  while (true) {
    const auto now = co_await look_at_container(docker, id);
    if (!now || !now->running()) co_return true;
    if (clock.steady() >= until) co_return false;
    co_await sleep_for(Milliseconds(200));
  }
}

Task<> start_with_retry(Docker& docker, const Clock& clock, std::string id, Milliseconds limit) {
  const auto until = clock.steady() + limit;
  Milliseconds pause(500);
  while (true) {
    std::exception_ptr failure;
    try {
      co_await docker.start_container(id);
      co_return;
    } catch (...) {
      failure = std::current_exception();
    }
    if (to_error(failure).kind() == ErrorKind::not_found || clock.steady() + pause >= until) std::rethrow_exception(failure);
    co_await sleep_for(pause);
    pause = std::min(pause * 2, Milliseconds(10'000));
  }
}

}  // namespace kopidocka
