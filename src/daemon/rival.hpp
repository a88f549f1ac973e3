#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "docker/types.hpp"

namespace kopidocka {

/// Whether these are the labels of a kopi-docka container: its role, under the configured prefix or the image's own.
bool is_sidecar(const StringMap& labels, const std::string& prefix);

/// The running kopi-docka container before which we step back, or nothing. Two that act on one engine would stop each
/// other's units, so the one that has been running longer acts (of two that started at once the smaller id): a container
/// that is created anew or started later never takes over from one at work. A process outside a container cannot be seen
/// by them and always steps back. Pure.
std::optional<Container> acting_rival(const std::vector<Container>& containers, const std::string& own_id, const std::string& prefix);

/// What a wish is told while that container acts.
Error rival_error(const Container& rival);

}  // namespace kopidocka
