#include "unit/worker/slow_write.hpp"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace kopidocka::test {
namespace {

constexpr size_t kHalf = SlowWrite::kBytes / 2;

}  // namespace

SlowWrite::SlowWrite(const std::string& path) : file_(::open(path.c_str(), O_RDWR | O_CLOEXEC)) {
  memory_ = static_cast<char*>(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memset(memory_, 'n', kHalf);
  possible_ = block();
  if (!possible_) return;
  writer_ = std::thread([this] { (void)!::pwrite(file_.get(), memory_, kBytes, 0); });
  // The kernel looks at what is to be written once it has the file to itself.
  pollfd fault{faults_.get(), POLLIN, 0};
  possible_ = ::poll(&fault, 1, 10'000) == 1;
}

/// The kernel waits for us when it comes to the second half.
bool SlowWrite::block() {
  faults_ = FileDescriptor(static_cast<int>(::syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK)));
  uffdio_api api{};
  api.api = UFFD_API;
  if (!faults_ || ::ioctl(faults_.get(), UFFDIO_API, &api) != 0) return false;
  uffdio_register range{};
  range.range = {reinterpret_cast<unsigned long long>(memory_ + kHalf), kHalf};
  range.mode = UFFDIO_REGISTER_MODE_MISSING;
  return ::ioctl(faults_.get(), UFFDIO_REGISTER, &range) == 0;
}

void SlowWrite::let_go_on() {
  if (!writer_.joinable()) return;
  const std::string rest(kHalf, 'n');
  auto* copy = static_cast<char*>(::mmap(nullptr, kHalf, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::memcpy(copy, rest.data(), kHalf);
  uffdio_copy fill{};
  fill.dst = reinterpret_cast<unsigned long long>(memory_ + kHalf);
  fill.src = reinterpret_cast<unsigned long long>(copy);
  fill.len = kHalf;
  ::ioctl(faults_.get(), UFFDIO_COPY, &fill);
  writer_.join();
  ::munmap(copy, kHalf);
}

SlowWrite::~SlowWrite() {
  let_go_on();
  ::munmap(memory_, kBytes);
}

}  // namespace kopidocka::test
