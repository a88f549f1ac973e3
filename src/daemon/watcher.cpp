#include "daemon/watcher.hpp"

#include <exception>

#include "daemon/rival.hpp"

namespace kopidocka {
namespace {

/// Events come in bursts (a `compose up` of ten services): the first is looked into at once, the rest together.
constexpr Milliseconds kBetweenLooks{50};
constexpr Milliseconds kRetry{2'000};

/// What of a container makes a difference to units; a health flap alone does not.
bool same(const Container& a, const Container& b) {
  return a.id == b.id && a.name == b.name && a.labels == b.labels && a.state.status == b.state.status &&
         a.state.started_at == b.state.started_at && a.networks.size() == b.networks.size() && a.mounts.size() == b.mounts.size();
}

}  // namespace

UnitWatcher::UnitWatcher(boost::asio::any_io_executor executor, EngineClient& docker, const Surroundings& surroundings,
                         Milliseconds reconcile_interval, Callbacks callbacks)
    : docker_(docker),
      surroundings_(surroundings),
      reconcile_interval_(reconcile_interval),
      callbacks_(std::move(callbacks)),
      stream_(executor, docker, {},
              EventCallbacks{[this](const DockerEvent& event) { note(event); },
                             [this] {
                               all_dirty_ = true;
                               wake_.notify();
                             },
                             [this](const Error& error) { callbacks_.on_trouble(error); }}),
      wake_(executor),
      executor_(executor) {}

Task<> UnitWatcher::run() {
  TaskGroup group(executor_);
  Cancel never;
  group.spawn(stream_.run(never));
  group.spawn(refresh_loop());
  co_await group.join();
}

void UnitWatcher::stop() {
  stopped_ = true;
  stream_.stop();
  wake_.notify();
}

void UnitWatcher::note(const DockerEvent& event) {
  if (event.type == "volume") volumes_dirty_ = true;
  if (event.type == "container" && !event.actor_id.empty()) dirty_.insert(event.actor_id);
  // A prune tells that containers are gone, not which.
  if (event.type == "container" && event.actor_id.empty()) all_dirty_ = true;
  if (event.type == "network") {
    const auto container = event.attributes.find("container");
    if (container != event.attributes.end() && !container->second.empty()) dirty_.insert(container->second);
  }
  wake_.notify();
  callbacks_.on_event(event);
}

Task<> UnitWatcher::refresh_loop() {
  while (!stopped_) {
    const auto pause = std::chrono::ceil<Milliseconds>(last_look_ + kBetweenLooks - std::chrono::steady_clock::now());
    if (pause > Milliseconds(0)) co_await sleep_for(pause);
    std::exception_ptr failure;
    try {
      const bool overdue = std::chrono::system_clock::now() - last_reconcile_ >= reconcile_interval_ ||
                           std::chrono::system_clock::now() < last_reconcile_;
      if (all_dirty_ || overdue) {
        co_await reconcile();
      } else if (!dirty_.empty() || volumes_dirty_) {
        co_await refresh_dirty();
      }
    } catch (...) {
      failure = std::current_exception();
    }
    last_look_ = std::chrono::steady_clock::now();
    if (failure) {
      callbacks_.on_trouble(to_error(failure));
      all_dirty_ = true;
      if (!stopped_) (void)co_await wake_.wait_for(kRetry);
      continue;
    }
    if (stopped_ || !dirty_.empty() || volumes_dirty_ || all_dirty_) continue;
    (void)co_await wake_.wait_for(reconcile_interval_);
  }
}

Task<> UnitWatcher::reconcile() {
  const bool told = all_dirty_ || !dirty_.empty() || volumes_dirty_;
  all_dirty_ = false;
  dirty_.clear();
  volumes_dirty_ = false;
  auto ids = co_await docker_.list_containers();
  const auto listed = co_await inspect_all(docker_, std::move(ids), 8);
  volumes_ = co_await docker_.list_volumes();
  std::map<std::string, Container> containers;
  std::uint64_t changes = 0;
  for (const auto& container : listed) {
    const auto before = containers_.find(container.id);
    if (before == containers_.end() || !same(before->second, container)) ++changes;
    containers.emplace(container.id, container);
  }
  for (const auto& [id, container] : containers_) changes += containers.count(id) == 0 ? 1 : 0;
  if (known_ && !told) reconcile_changes_ += changes;
  containers_ = std::move(containers);
  last_reconcile_ = std::chrono::system_clock::now();
  publish();
}

Task<> UnitWatcher::refresh_dirty() {
  auto dirty = std::exchange(dirty_, {});
  if (std::exchange(volumes_dirty_, false)) volumes_ = co_await docker_.list_volumes();
  std::vector<std::string> ids(dirty.begin(), dirty.end());
  const auto seen = co_await inspect_all(docker_, ids, 8);
  for (const auto& id : ids) containers_.erase(id);
  for (const auto& container : seen) containers_[container.id] = container;
  publish();
}

void UnitWatcher::publish() {
  Inventory inventory;
  for (const auto& [id, container] : containers_) inventory.containers.push_back(container);
  inventory.volumes = volumes_;
  units_ = discover(inventory, surroundings_);
  rival_ = acting_rival(inventory.containers, surroundings_.own_container_id, surroundings_.defaults.prefix);
  known_ = true;
  callbacks_.on_units(units_);
}

}  // namespace kopidocka
