#include "run/writers.hpp"

#include <algorithm>

#include "unit/data_place.hpp"
#include "unit/host_paths.hpp"

namespace kopidocka {
namespace {

/// A volume's source is named by its mountpoint, while its data may lie in the folder it was bound to.
std::string place_of(const DataSource& source, const std::vector<Volume>& volumes) {
  if (source.kind != SourceKind::volume) return source.path;
  const auto volume =
      std::find_if(volumes.begin(), volumes.end(), [&](const Volume& candidate) { return candidate.name == source.name; });
  const auto device = volume == volumes.end() ? std::string() : bind_device(*volume);
  return device.empty() ? source.path : device;
}

}  // namespace

std::vector<HeldPlace> held_places(const Plan& plan, const std::vector<Volume>& volumes) {
  std::vector<HeldPlace> places;
  for (const auto& step : plan.steps) {
    if (const auto* check = std::get_if<CheckTaint>(&step.action)) {
      for (const auto& source : check->sources) places.push_back({source.name, place_of(source, volumes), false});
    }
    const auto* swap = std::get_if<SwapData>(&step.action);
    if (swap != nullptr && swap->target.in_place && !swap->target.host_path.empty()) {
      places.push_back({swap->target.name, swap->target.host_path, true});
    }
  }
  return places;
}

HeldUse use_of(const Container& container, const std::vector<HeldPlace>& places, const std::vector<Volume>& volumes) {
  HeldUse use;
  for (const auto& mount : container.mounts) {
    if (mount.source.empty()) continue;
    const auto used = data_place(mount, volumes);
    for (const auto& place : places) {
      if (!mount.writable && !place.any_use) continue;
      if (is_within(used, place.place)) return {&place, false};
      if (use.place == nullptr && is_within(place.place, used)) use = {&place, true};
    }
  }
  return use;
}

}  // namespace kopidocka
