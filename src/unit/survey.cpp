#include "unit/survey.hpp"

#include <algorithm>

#include "unit/data_place.hpp"
#include "unit/namespaces.hpp"
#include "unit/ourselves.hpp"

namespace kopidocka {
namespace {

/// The path itself and all that is_within() takes for a root of it but "/", longest first.
std::vector<std::string> roots_of(const std::string& path) {
  std::vector<std::string> roots = {path};
  for (auto end = path.size(); end > 1;) {
    end = path.rfind('/', end - 1);
    if (end == std::string::npos || end == 0) break;
    roots.push_back(path.substr(0, end));
  }
  return roots;
}

bool holds_docker_socket(const Container& container) {
  return std::any_of(container.mounts.begin(), container.mounts.end(),
                     [](const Mount& mount) { return mount.source.ends_with("/docker.sock"); });
}

std::string rebased(const std::string& path, const Mount& mount) { return mount.source + path.substr(mount.destination.size()); }

}  // namespace

Survey::Survey(const Inventory& inventory, const Surroundings& surroundings) : inventory_(inventory), surroundings_(surroundings) {
  for (const auto& volume : inventory_.volumes) volumes_.emplace(volume.name, &volume);
  meet_containers();
  find_writers();
  find_own_places();
}

void Survey::meet_containers() {
  for (const auto& container : inventory_.containers) {
    by_id_.emplace(container.id, &container);
    by_name_.emplace(container.name, &container);
    auto& mounts = holds_docker_socket(container) ? managers_mounts_ : others_mounts_;
    for (const auto& mount : container.mounts) {
      if (!mount.source.empty() && mount.destination != "/") mounts.emplace(mount.destination, &mount);
    }
  }
  if (!surroundings_.own_container_id.empty()) {
    const auto self = by_id_.find(surroundings_.own_container_id);
    if (self != by_id_.end()) self_ = self->second;
  }
  for (const auto& container : inventory_.containers) {
    if (is_ourselves(container, self_, surroundings_)) {
      own_ids_.insert(container.id);
    } else if (container.running() && !borrowed_namespaces(container).empty()) {
      guests_.push_back(&container);
    }
  }
}

void Survey::find_writers() {
  size_t order = 0;
  for (const auto& container : inventory_.containers) {
    // One that a run of ours holds down is about to be started again.
    const bool up = container.running() || surroundings_.held.count(container.id) != 0;
    if (!up || is_ours(container)) continue;
    for (const auto& mount : container.mounts) {
      if (!mount.writable || mount.source.empty()) continue;
      auto where = place(mount);
      writers_[where].push_back({order++, &container, where});
    }
  }
}

void Survey::find_own_places() {
  own_places_ = surroundings_.own_paths;
  for (const auto& volume : inventory_.volumes) {
    const auto device = bind_device(volume);
    if (device.empty() || volume.mountpoint.empty()) continue;
    for (const auto& own : surroundings_.own_paths) {
      if (is_within(own, volume.mountpoint)) own_places_.push_back(device + own.substr(volume.mountpoint.size()));
    }
  }
}

const Container* Survey::meant(const std::string& reference) const {
  if (reference.empty()) return nullptr;
  const auto by_id = by_id_.lower_bound(reference);
  if (by_id != by_id_.end() && is_meant(reference, *by_id->second)) return by_id->second;
  const auto by_name = by_name_.find(reference);
  return by_name == by_name_.end() ? nullptr : by_name->second;
}

const Volume* Survey::volume(const std::string& name) const {
  const auto found = volumes_.find(name);
  return found == volumes_.end() ? nullptr : found->second;
}

std::string Survey::place(const Mount& mount) const {
  const auto* known = mount.type == "volume" ? volume(mount.name) : nullptr;
  const auto device = known == nullptr ? std::string() : bind_device(*known);
  return device.empty() ? mount.source : device;
}

std::vector<Survey::Writer> Survey::writers_around(const std::string& place) const {
  std::vector<Writer> found;
  const auto take = [&](const std::vector<Writer>& writers) { found.insert(found.end(), writers.begin(), writers.end()); };
  auto roots = roots_of(place);
  if (place.starts_with('/') && place != "/") roots.push_back("/");
  for (const auto& root : roots) {
    if (const auto at = writers_.find(root); at != writers_.end()) take(at->second);
  }
  const auto below = place == "/" ? place : place + "/";
  for (auto at = writers_.lower_bound(below); at != writers_.end() && at->first.starts_with(below); ++at) {
    if (at->first != place) take(at->second);
  }
  std::sort(found.begin(), found.end(), [](const Writer& a, const Writer& b) { return a.order < b.order; });
  return found;
}

std::string Survey::through_mounts(const std::string& path) const {
  const auto roots = roots_of(path);
  for (const auto* mounts : {&managers_mounts_, &others_mounts_}) {
    for (const auto& root : roots) {
      if (const auto at = mounts->find(root); at != mounts->end()) return rebased(path, *at->second);
    }
  }
  return {};
}

bool Survey::is_internal(const std::string& path) const {
  return is_host_internal(path) || is_dockers_own(path, surroundings_.docker_root);
}

}  // namespace kopidocka
