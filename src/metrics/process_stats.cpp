#include "metrics/process_stats.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

namespace kopidocka {
namespace {

/// Unix time at which the kernel started, from /proc/stat.
double boot_time() {
  std::ifstream file("/proc/stat");
  std::string word;
  double seconds = 0;
  while (file >> word) {
    if (word == "btime" && file >> seconds) break;
  }
  return seconds;
}

}  // namespace

ProcessStats read_process_stats() {
  ProcessStats stats;
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The second field is the program's name in brackets and may hold blanks; the rest is numbered from 3 in
  // proc(5).
  const auto bracket = line.rfind(')');
  if (bracket != std::string::npos) {
    std::istringstream fields(line.substr(bracket + 1));
    std::string field;
    const double ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    for (int number = 3; fields >> field && number <= 24; ++number) {
      if (number == 22) stats.start_time_seconds = boot_time() + std::stod(field) / ticks;
      if (number == 24)
        stats.resident_bytes = std::stoull(field) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    }
  }
  std::error_code code;
  for (auto it = std::filesystem::directory_iterator("/proc/self/fd", code);
       !code && it != std::filesystem::directory_iterator(); it.increment(code)) {
    ++stats.open_fds;
  }
  timespec used{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0) {
    stats.cpu_seconds = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) stats.max_fds = limit.rlim_cur;
  return stats;
}

}  // namespace kopidocka
