#pragma once

#include "base/file.hpp"
#include "worker/types.hpp"

namespace kopidocka {

/// A Place split into what the modes work with. Throws Error: refused for anything that could lead outside.
struct OpenPlace {
  const Place& place;
  FileDescriptor parent;  ///< folder of the target
  std::string name;       ///< the target in it
};

OpenPlace open_place(const Place& place);

/// Data that somebody put where ours belongs (Docker creates missing bind sources as empty folders): an empty folder
/// goes, anything else is moved to `aside_name` in `to`.
void clear_the_way(int folder, const std::string& name, int to, const std::string& aside_name);

/// One set per PlaceMode. `stage` makes the empty staging place and returns its path.
std::string stage_beside(const OpenPlace& open);
void swap_in_beside(const OpenPlace& open);
void swap_back_beside(const OpenPlace& open);
void discard_beside(const OpenPlace& open, Discard what);
PlaceState state_beside(const OpenPlace& open);

std::string stage_inside(const OpenPlace& open);
void swap_in_inside(const OpenPlace& open);
void swap_back_inside(const OpenPlace& open);
void discard_inside(const OpenPlace& open, Discard what);
PlaceState state_inside(const OpenPlace& open);

std::string stage_content(const OpenPlace& open);
void swap_in_content(const OpenPlace& open);
void swap_back_content(const OpenPlace& open);
void discard_content(const OpenPlace& open, Discard what);
PlaceState state_content(const OpenPlace& open);

}  // namespace kopidocka
