#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace kopidocka {

/// Bytes this process and its children may use together: the limit of the container or its service, else the machine's memory.
std::uint64_t memory_limit();

/// The smallest limit that a cgroup's file (memory.max, memory.limit_in_bytes) and /proc/meminfo give. Pure; 0 when none does.
std::uint64_t smallest_limit(const std::string& cgroup_limit, const std::string& meminfo);

/// Kopia processes that may wait at their gates in one run: half of the memory, shared by the runs that go on side by side.
size_t gate_width_for(std::uint64_t memory_bytes, unsigned parallel_runs);

}  // namespace kopidocka
