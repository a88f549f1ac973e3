#include "docker/wait.hpp"

#include <chrono>
#include <optional>
#include <utility>

#include "base/text.hpp"

namespace kopidocka {
namespace {

using std::chrono::steady_clock;
constexpr Milliseconds kPause(250);

/// Empty when the engine did not answer and may be asked again before `deadline`.
Task<std::optional<Container>> look(Docker& docker, std::string id, steady_clock::time_point deadline) {
  try {
    co_return co_await docker.inspect_container(id);
  } catch (const Error& error) {
    const bool passing = error.kind() == ErrorKind::unreachable || error.kind() == ErrorKind::timeout;
    if (!passing || steady_clock::now() >= deadline) throw;
  }
  co_return std::nullopt;
}

Task<> pause_before(steady_clock::time_point deadline) {
  const auto left = std::chrono::ceil<Milliseconds>(deadline - steady_clock::now());
  co_await sleep_for(std::min(kPause, std::max(left, Milliseconds(0))));
}

std::string ended_text(const Container& container) {
  auto text = "container " + printable(container.name.empty() ? container.id : container.name, 200) +
              " has ended with exit code " + std::to_string(container.state.exit_code);
  if (container.state.oom_killed) text += " (out of memory)";
  return text;
}

bool ready(const Container& container) {
  if (container.state.status != "running") return false;
  return container.state.health.empty() ? !container.has_healthcheck : container.state.health == "healthy";
}

}  // namespace

Task<Container> wait_until_stopped(Docker& docker, std::string id, Milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (true) {
    auto container = co_await look(docker, id, deadline);
    if (container && !container->running()) co_return *std::move(container);
    if (steady_clock::now() >= deadline) {
      throw Error(ErrorKind::timeout,
                  "container " + printable(id, 200) + " still runs after " + format_duration(limit));
    }
    co_await pause_before(deadline);
  }
}

Task<bool> wait_until_healthy(Docker& docker, std::string id, Milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  while (true) {
    const auto container = co_await look(docker, id, deadline);
    if (container && ready(*container)) co_return true;
    if (container && (container->state.status == "exited" || container->state.status == "dead")) {
      throw Error(ErrorKind::failed, ended_text(*container), "see `docker logs` of it");
    }
    if (steady_clock::now() >= deadline) co_return false;
    co_await pause_before(deadline);
  }
}

}  // namespace kopidocka
