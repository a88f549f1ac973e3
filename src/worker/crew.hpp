#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <vector>

namespace kopidocka {

/// A few threads that work off jobs which make more jobs. The one made last is done first, so that a tree is walked in
/// depth and few of its folders are open at once.
class Crew {
 public:
  using Job = std::function<void()>;

  /// Before work(), or out of a job.
  void add(Job job);
  /// Returns when nothing is left to do. The first exception of a job ends it all: jobs not begun yet are dropped, those
  /// under way are waited for, then it is rethrown. Where the system gives fewer threads, fewer do the work.
  void work(unsigned threads);

 private:
  void take_part();
  bool next(Job& job);
  void carry_out(Job& job);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Job> jobs_;
  size_t busy_ = 0;
  std::exception_ptr failure_;
};

}  // namespace kopidocka
