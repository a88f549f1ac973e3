#include "unit/worker/trees.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

namespace kopidocka::test {

namespace fs = std::filesystem;

bool own_mounts() {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

Playground::Playground(Medium medium) {
  std::string name = (fs::temp_directory_path() / "kd-worker-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
  root_ = fs::canonical(name);
  if (medium == Medium::memory && own_mounts()) mounted_ = ::mount("tmpfs", root_.c_str(), "tmpfs", 0, "size=64m") == 0;
  fs::permissions(root_, fs::perms(0755));
}

Playground::~Playground() {
  if (mounted_) ::umount2(root_.c_str(), MNT_DETACH);
  std::error_code ignored;
  fs::remove_all(root_, ignored);
}

void write(const std::string& path, const std::string& content, int mode) {
  std::ofstream(path, std::ios::binary) << content;
  ::chmod(path.c_str(), static_cast<mode_t>(mode));
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

namespace {

std::string describe(const std::string& path) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) != 0) return "missing";
  std::ostringstream text;
  text << std::oct << info.st_mode << std::dec << ' ' << info.st_uid << ':' << info.st_gid << ' ' << info.st_mtim.tv_sec << '.'
       << info.st_mtim.tv_nsec << ' ';
  if (S_ISLNK(info.st_mode)) text << fs::read_symlink(path).string();
  if (S_ISREG(info.st_mode)) text << info.st_nlink << ' ' << read(path);
  return text.str();
}

void add(Image& image, const std::string& root, const std::string& inner) {
  const auto path = inner.empty() ? root : root + "/" + inner;
  image[inner] = describe(path);
  if (!fs::is_directory(fs::symlink_status(path))) return;
  for (const auto& entry : fs::directory_iterator(path)) {
    const auto name = entry.path().filename().string();
    if (name.starts_with(".kopi-docka-")) continue;
    add(image, root, inner.empty() ? name : inner + "/" + name);
  }
}

void date(const std::string& path, long second, long nano) {
  const timespec times[2] = {{second, nano}, {second, nano}};
  if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) throw std::runtime_error("utimensat " + path);
}

}  // namespace

Image image_of(const std::string& path) {
  Image image;
  if (!fs::exists(fs::symlink_status(path))) return image;
  add(image, path, "");
  return image;
}

void make_tree(const std::string& path, const std::string& flavour, int top_entries) {
  const bool root = ::geteuid() == 0;
  const long seed = static_cast<long>(flavour.size()) * 1000;
  fs::create_directories(path);
  for (int i = 0; i < top_entries; ++i) {
    const auto name = path + "/" + (i % 3 == 0 ? "common" : flavour) + std::to_string(i);
    switch (i % 5) {
      case 0: fs::create_directory(name); write(name + "/inner", flavour + std::to_string(i), 0600); break;
      case 1: fs::create_symlink("/etc/passwd", name); break;
      case 2: fs::create_directory_symlink("..", name); break;
      default: write(name, flavour + " file " + std::to_string(i), i % 2 != 0 ? 04755 : 0000);
    }
    if (root && ::lchown(name.c_str(), 1000u + static_cast<uid_t>(i), 2000) != 0) throw std::runtime_error("lchown");
    if (i % 5 == 0) date(name + "/inner", seed + i, 123456789);
    if (root && i % 5 == 3) ::chmod(name.c_str(), 06755);
    date(name, seed + 7 * i, 999999999 - i);
  }
  write(path + "/new\nline", flavour);
  date(path + "/new\nline", seed, 1);
  if (root && ::chown(path.c_str(), static_cast<uid_t>(seed), 77) != 0) throw std::runtime_error("chown");
  ::chmod(path.c_str(), flavour.size() % 2 != 0 ? 0750 : 01777);
  date(path, seed + 5, 42);
}

namespace {

bool changes_files(const __ptrace_syscall_info& call) {
  if (call.op != PTRACE_SYSCALL_INFO_ENTRY) return false;
  switch (call.entry.nr) {
    case SYS_openat: return (call.entry.args[2] & (O_CREAT | O_TRUNC)) != 0;
    case SYS_renameat2:
    case SYS_renameat:
    case SYS_mkdirat:
    case SYS_unlinkat:
    case SYS_write:
    case SYS_ftruncate:
    case SYS_fchown:
    case SYS_fchmod:
    case SYS_fsetxattr:
    case SYS_utimensat: return true;
#ifdef SYS_rename
    case SYS_rename: return true;
#endif
    default: return false;
  }
}

/// Lets the stopped child go on to its next system call border; false when it ended.
bool next_border(pid_t child, __ptrace_syscall_info& call) {
  int status = 0;
  ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) {
    EXPECT_EQ(WEXITSTATUS(status), 0);
    return false;
  }
  return ::ptrace(PTRACE_GET_SYSCALL_INFO, child, reinterpret_cast<void*>(sizeof call), &call) > 0;
}

}  // namespace

std::optional<bool> killed_at(int stop, const std::function<void()>& work) {
  const auto child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(9);
    ::raise(SIGSTOP);
    try {
      work();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
      ::_exit(3);
    }
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) return std::nullopt;
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, reinterpret_cast<void*>(PTRACE_O_TRACESYSGOOD));
  __ptrace_syscall_info call{};
  while (stop > 0) {
    if (!next_border(child, call)) return false;
    if (changes_files(call)) --stop;
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return true;
}

}  // namespace kopidocka::test
