#pragma once

#include <cstdint>

namespace kopidocka {

/// What /proc tells about this very process; zeros where it cannot be read.
struct ProcessStats {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  ///< unix time
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_fds = 0;
  std::uint64_t max_fds = 0;
};

ProcessStats read_process_stats();

}  // namespace kopidocka
