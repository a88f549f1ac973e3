#include "daemon/rival.hpp"

#include <algorithm>
#include <utility>

#include "base/clock.hpp"
#include "base/text.hpp"
#include "labels/policy.hpp"

namespace kopidocka {
namespace {

/// One that waits for its restart does nothing, and will be the later one when it is up again.
bool at_work(const Container& container) { return container.state.status == "running" || container.state.status == "paused"; }

bool started_before(const Container& one, const Container& other) {
  return std::pair(from_iso8601(one.state.started_at), one.id) < std::pair(from_iso8601(other.state.started_at), other.id);
}

}  // namespace

bool is_sidecar(const StringMap& labels, const std::string& prefix) {
  // The image carries the role under the usual prefix, whatever prefix the labels of stacks have here.
  for (const auto& name : {prefix + "role", PolicyDefaults().prefix + "role"}) {
    const auto role = labels.find(name);
    if (role != labels.end() && role->second == "sidecar") return true;
  }
  return false;
}

std::optional<Container> acting_rival(const std::vector<Container>& containers, const std::string& own_id, const std::string& prefix) {
  const auto self = std::find_if(containers.begin(), containers.end(), [&](const Container& container) { return container.id == own_id; });
  std::optional<Container> first;
  for (const auto& container : containers) {
    if (container.id == own_id || !at_work(container) || !is_sidecar(container.labels, prefix)) continue;
    if (self != containers.end() && started_before(*self, container)) continue;
    if (!first || started_before(container, *first)) first = container;
  }
  return first;
}

Error rival_error(const Container& rival) {
  return {ErrorKind::busy, "container " + printable(rival.name) + " is a kopi-docka that works on this Docker Engine already",
          "use 'docker exec " + printable(rival.name) + " kopi-docka ...', or stop it first"};
}

}  // namespace kopidocka
