#pragma once

#include <string>
#include <vector>

#include "plan/plan.hpp"

namespace kopidocka {

/// Data that a plan reads or replaces while its containers are down.
struct HeldPlace {
  std::string name;   ///< of the volume or bind
  std::string place;  ///< where the data lies on the host
  bool any_use = false;  ///< also a container that only reads it is in the way: its data is replaced
};

/// The places of a plan: the sources of a backup, the targets of a restore in place. Pure.
std::vector<HeldPlace> held_places(const Plan& plan, const std::vector<Volume>& volumes);

/// How a container uses held data.
struct HeldUse {
  const HeldPlace* place = nullptr;  ///< nullptr: not at all
  bool above = false;                ///< it mounts a folder above the place only
};

/// The nearest use of a container: on or inside a place before above one. Pure.
HeldUse use_of(const Container& container, const std::vector<HeldPlace>& places, const std::vector<Volume>& volumes);

}  // namespace kopidocka
