#include "daemon/memory_limit.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/file.hpp"
#include "base/text.hpp"

namespace kopidocka {
namespace {

/// Kopia 0.23.1 waiting at its gate takes 111 MB.
constexpr std::uint64_t kBytesPerProcess = 128u << 20;
constexpr std::uint64_t kMostProcesses = 16;

std::string content_of(const char* path) {
  auto content = read_file(path);
  return content ? *content : std::string();
}

}  // namespace

std::uint64_t smallest_limit(const std::string& cgroup_limit, const std::string& meminfo) {
  std::uint64_t machine = 0;
  if (const auto at = meminfo.find("MemTotal:"); at != std::string::npos) machine = std::strtoull(meminfo.c_str() + at + 9, nullptr, 10) * 1024;
  const std::uint64_t own = std::strtoull(cgroup_limit.c_str(), nullptr, 10);  // "max" gives 0
  return own == 0 ? machine : machine == 0 ? own : std::min(own, machine);
}

std::uint64_t memory_limit() {
  // Inside a container both are those of its own cgroup.
  auto limit = content_of("/sys/fs/cgroup/memory.max");
  if (limit.empty()) limit = content_of("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  return smallest_limit(limit, content_of("/proc/meminfo"));
}

size_t gate_width_for(std::uint64_t memory_bytes, unsigned parallel_runs) {
  return std::clamp<std::uint64_t>(memory_bytes / 2 / kBytesPerProcess / std::max(parallel_runs, 1u), 1, kMostProcesses);
}

}  // namespace kopidocka
