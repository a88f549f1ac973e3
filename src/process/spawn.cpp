#include "process/spawn.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <string_view>

#include "base/text.hpp"

// fork and exec by hand rather than Boost.Process v2: v2 of Boost 1.81 offers neither "leave the whole group", nor the
// parent-death signal set before exec, nor closing of every other descriptor without an initializer that would contain
// this same code, and its child handle reaps only the child itself.
namespace kopidocka {
namespace {

constexpr int kFailureFd = 3;

struct Pipe {
  FileDescriptor read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error(errno, "create a pipe");
  return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

/// The text as a file in memory: unlike a pipe it needs no writer, cannot block and raises no SIGPIPE.
Result<FileDescriptor> make_input(const std::string& text) {
  if (text.empty()) {
    FileDescriptor null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null) return system_error(errno, "open /dev/null");
    return null;
  }
  FileDescriptor file(::memfd_create("input", MFD_CLOEXEC));
  if (!file) return system_error(errno, "create a file in memory");
  for (size_t done = 0; done < text.size();) {
    const auto count = ::write(file.get(), text.data() + done, text.size() - done);
    if (count < 0 && errno != EINTR) return system_error(errno, "write a file in memory");
    if (count > 0) done += static_cast<size_t>(count);
  }
  if (::lseek(file.get(), 0, SEEK_SET) != 0) return system_error(errno, "rewind a file in memory");
  return file;
}

std::string path_of(const std::vector<std::string>& environment) {
  for (const auto& entry : environment) {
    if (entry.rfind("PATH=", 0) == 0) return entry.substr(5);
  }
  return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

bool is_program(const std::string& path) {
  struct stat info{};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0;
}

Result<std::string> find_program(const SpawnRequest& request) {
  if (request.argv.empty() || request.argv[0].empty()) return Error{ErrorKind::internal, "no program named"};
  const auto& name = request.argv[0];
  if (name.find('/') != std::string::npos) return name;
  for (const auto& folder : split(path_of(request.environment), ':')) {
    const auto candidate = folder + "/" + name;
    if (!folder.empty() && is_program(candidate)) return candidate;
  }
  return Error{ErrorKind::not_found, "program " + printable(name) + " is not installed",
               "install it, or name it with its full path"};
}

bool has_nul(const std::vector<std::string>& texts) {
  return std::any_of(texts.begin(), texts.end(), [](const auto& text) { return text.find('\0') != std::string::npos; });
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> result;
  result.reserve(texts.size() + 1);
  for (const auto& text : texts) result.push_back(const_cast<char*>(text.c_str()));
  result.push_back(nullptr);
  return result;
}

/// All the child needs, prepared before fork: afterwards only async-signal-safe calls are allowed.
struct ChildPlan {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* folder;
  int input, output, error, failure;
  pid_t parent;
};

/// Which step failed, so that the parent can name it.
struct ChildFailure {
  int step;  ///< 0 prepare, 1 chdir, 2 exec
  int error;
};

[[noreturn]] void give_up(int fd, int step, int error) {
  const ChildFailure failure{step, error};
  [[maybe_unused]] const auto written = ::write(fd, &failure, sizeof failure);
  ::_exit(127);
}

void close_from(unsigned first) {
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  struct rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto last = static_cast<unsigned>(std::min<rlim_t>(limit.rlim_cur, 65'536));
  for (unsigned fd = first; fd < last; ++fd) ::close(static_cast<int>(fd));
}

[[noreturn]] void become(const ChildPlan& plan) {
  // Handlers of ours must not run here: they would write into what we share with the parent.
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::setpgid(0, 0);
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) give_up(plan.failure, 0, errno);
  if (::getppid() != plan.parent) give_up(plan.failure, 0, ESRCH);
  // Moved out of the way of 0..3 first: the numbers may overlap.
  const std::array<int, 4> moved{::fcntl(plan.input, F_DUPFD, 10), ::fcntl(plan.output, F_DUPFD, 10),
                                 ::fcntl(plan.error, F_DUPFD, 10), ::fcntl(plan.failure, F_DUPFD, 10)};
  for (int target = 0; target < 4; ++target) {
    if (::dup2(moved[static_cast<size_t>(target)], target) < 0) give_up(plan.failure, 0, errno);
  }
  ::fcntl(kFailureFd, F_SETFD, FD_CLOEXEC);
  close_from(kFailureFd + 1);
  if (::chdir(plan.folder) != 0) give_up(kFailureFd, 1, errno);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.program, plan.argv, plan.environment);
  give_up(kFailureFd, 2, errno);
}

pid_t fork_child(const ChildPlan& plan) {
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int saved = errno;
  if (pid == 0) become(plan);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = saved;
  return pid;
}

/// Nothing once the program runs (its end of the pipe closes on exec), else why it does not.
Result<void> await_exec(FileDescriptor failure, const SpawnRequest& request, const std::string& program) {
  ChildFailure report{};
  ssize_t count = 0;
  do {
    count = ::read(failure.get(), &report, sizeof report);
  } while (count < 0 && errno == EINTR);
  if (count == 0) return {};
  if (count != static_cast<ssize_t>(sizeof report)) return Error{ErrorKind::failed, "the child did not start"};
  if (report.step == 1) return system_error(report.error, "enter folder " + printable(request.folder));
  return system_error(report.error, "execute " + printable(program), "check that it is installed and executable");
}

}  // namespace

Result<SpawnedChild> spawn(const SpawnRequest& request) {
  if (has_nul(request.argv) || has_nul(request.environment)) {
    return Error{ErrorKind::invalid, "an argument of " + printable(request.argv[0]) + " holds a NUL byte"};
  }
  auto program = find_program(request);
  if (!program) return program.error();
  auto input = make_input(request.input);
  if (!input) return input.error();
  auto output = make_pipe(), error = make_pipe(), failure = make_pipe();
  for (const auto* pipe : {&output, &error, &failure}) {
    if (!*pipe) return pipe->error();
  }
  const auto argv = pointers(request.argv), environment = pointers(request.environment);
  const auto folder = request.folder.empty() ? std::string("/") : request.folder;
  const ChildPlan plan{program->c_str(),      argv.data(),           environment.data(),       folder.c_str(), input->get(),
                       request.output_to >= 0 ? request.output_to : output->write.get(), error->write.get(), failure->write.get(), ::getpid()};
  SpawnedChild child;
  child.pid = fork_child(plan);
  if (child.pid < 0) return system_error(errno, "fork for " + printable(*program));
  ::setpgid(child.pid, child.pid);
  failure->write.reset();
  if (auto started = await_exec(std::move(failure->read), request, *program); !started) {
    ::waitpid(child.pid, nullptr, 0);
    return started.error();
  }
  child.exit = FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, child.pid, 0)));
  if (!child.exit) {
    const int saved = errno;
    ::kill(-child.pid, SIGKILL);
    ::waitpid(child.pid, nullptr, 0);
    return system_error(saved, "watch the child " + printable(*program), "a kernel of at least 5.3 is needed");
  }
  ::fcntl(output->read.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(error->read.get(), F_SETFL, O_NONBLOCK);
  child.output = std::move(output->read);
  child.error = std::move(error->read);
  return child;
}

}  // namespace kopidocka
