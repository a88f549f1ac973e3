#pragma once

#include "unit/discovery.hpp"

namespace kopidocka {

/// Whether it is a part of kopi-docka itself: our own container, one that shares its network (and so its id, seen from
/// inside, see docker/self.hpp), another sidecar, the proxy through which we reach Docker. `self` is our own container,
/// nullptr on a host or when the engine does not know it: then nobody is taken for the proxy.
bool is_ourselves(const Container& container, const Container* self, const Surroundings& surroundings);

}  // namespace kopidocka
