#include "contract/engine/warm_writers.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <random>

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

constexpr size_t kSmall = 16 << 10, kLarge = 6 << 20;

/// One program: never returns, ends when it is killed.
class Program {
 public:
  Program(const fs::path& folder, std::uint32_t seed) : folder_(folder), dice_(seed) {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }

  void map_and_store() {
    auto* memory = mapped("mapped");
    while (true) {
      rest();
      memory[pick(kSmall)] = letter();
    }
  }

  void map_store_and_date_back() {
    auto* memory = mapped("mapped");
    const auto time = time_of("mapped");
    while (true) {
      rest();
      memory[pick(kSmall)] = letter();
      if (pick(2) == 0) set_time("mapped", time);
    }
  }

  void write_long() {
    const int file = open_new("long", kLarge);
    while (true) {
      rest();
      const std::string content(kLarge, letter());
      (void)!::pwrite(file, content.data(), content.size(), 0);
    }
  }

  void write_and_date_back() {
    const int file = open_new("dated", kSmall);
    const auto time = time_of("dated");
    while (true) {
      rest();
      const std::string content(1 + pick(200), letter());
      (void)!::pwrite(file, content.data(), content.size(), static_cast<off_t>(pick(kSmall - 300)));
      set_time("dated", time);
    }
  }

  void rename_over() {
    ::close(open_new("renamed", kSmall));
    const auto time = time_of("renamed");
    while (true) {
      rest();
      ::close(open_new("renamed.new", kSmall));
      if (pick(2) == 0) set_time("renamed.new", time);
      ::rename(path("renamed.new").c_str(), path("renamed").c_str());
    }
  }

  void write_through_links() {
    ::close(open_new("one name", kSmall));
    (void)!::link(path("one name").c_str(), path("other name").c_str());
    const auto time = time_of("one name");
    while (true) {
      rest();
      ::close(open_new("third", kSmall));
      set_time("third", time);
      (void)!::link(path(pick(2) == 0 ? "third" : "one name").c_str(), path("fourth").c_str());
      ::rename(path("fourth").c_str(), path("other name").c_str());
      const int file = ::open(path("other name").c_str(), O_WRONLY | O_CLOEXEC);
      const char byte = letter();
      (void)!::pwrite(file, &byte, 1, static_cast<off_t>(pick(kSmall)));
      ::close(file);
      set_time("other name", time);
    }
  }

  void exchange_folders() {
    for (const auto* name : {"left", "right"}) fs::create_directories(folder_ / name / "below");
    ::close(open_new("left/below/file", kSmall));
    const auto time = time_of("left/below/file");
    ::close(open_new("right/below/file", kSmall));
    set_time("right/below/file", time);
    while (true) {
      rest();
      ::renameat2(AT_FDCWD, path("left").c_str(), AT_FDCWD, path("right").c_str(), RENAME_EXCHANGE);
    }
  }

  void exchange_files() {
    ::close(open_new("one", kSmall));
    const auto time = time_of("one");
    ::close(open_new("two", kSmall));
    set_time("two", time);
    while (true) {
      rest();
      ::renameat2(AT_FDCWD, path("one").c_str(), AT_FDCWD, path("two").c_str(), RENAME_EXCHANGE);
    }
  }

  void relink() {
    const auto link = [this](const char* name) {
      const auto target = std::string("somewhere-") + letter();
      ::unlink(path(name).c_str());
      (void)!::symlink(target.c_str(), path(name).c_str());
    };
    link("link");
    const auto time = time_of("link");
    while (true) {
      rest();
      link("link.new");
      set_time("link.new", time);
      ::rename(path("link.new").c_str(), path("link").c_str());
    }
  }

 private:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t pick(size_t below) { return std::uniform_int_distribution<size_t>(0, below - 1)(dice_); }
  char letter() { return static_cast<char>('a' + pick(26)); }

  /// A burst of a few writes, then nothing for a while: short, or long enough to be untouched from one step to the next.
  void rest() {
    if (left_ == 0) {
      left_ = 1 + pick(40);
      ::usleep(static_cast<useconds_t>(pick(pick(3) == 0 ? 9'000'000 : 1'500'000)));
    }
    --left_;
    ::usleep(static_cast<useconds_t>(pick(3'000)));
  }

  int open_new(const std::string& name, size_t size) {
    const int file = ::open(path(name).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const std::string content(size, letter());
    (void)!::pwrite(file, content.data(), content.size(), 0);
    return file;
  }

  volatile char* mapped(const std::string& name) {
    return static_cast<volatile char*>(::mmap(nullptr, kSmall, PROT_READ | PROT_WRITE, MAP_SHARED, open_new(name, kSmall), 0));
  }

  timespec time_of(const std::string& name) const {
    struct stat info {};
    ::lstat(path(name).c_str(), &info);
    return info.st_mtim;
  }

  void set_time(const std::string& name, const timespec& time) const {
    const timespec times[2] = {time, time};
    ::utimensat(AT_FDCWD, path(name).c_str(), times, AT_SYMLINK_NOFOLLOW);
  }

  fs::path folder_;
  std::mt19937 dice_;
  size_t left_ = 1;
};

struct Kind {
  const char* folder;
  void (Program::*work)();
};
constexpr Kind kKinds[] = {{"mapping", &Program::map_and_store},       {"mapping-dated", &Program::map_store_and_date_back},
                           {"long", &Program::write_long},             {"dated", &Program::write_and_date_back},
                           {"renaming", &Program::rename_over},        {"linking", &Program::write_through_links},
                           {"exchanging", &Program::exchange_folders}, {"relinking", &Program::relink},
                           {"swapping", &Program::exchange_files}};

}  // namespace

void WarmWriters::start(std::uint32_t seed) {
  for (const auto& kind : kKinds) {
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      (Program(folder_ / kind.folder, seed++).*kind.work)();
    }
    if (pid > 0) programs_.push_back(pid);
    ++seed;
  }
}

void WarmWriters::freeze() {
  for (const auto pid : programs_) ::kill(pid, SIGSTOP);
}

void WarmWriters::thaw() {
  for (const auto pid : programs_) ::kill(pid, SIGCONT);
}

void WarmWriters::stop() {
  for (const auto pid : programs_) ::kill(pid, SIGKILL);
  for (const auto pid : programs_) ::waitpid(pid, nullptr, 0);
  programs_.clear();
}

std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    auto& content = contents[fs::relative(entry.path(), folder).string()];
    if (entry.is_symlink()) {
      content = "-> " + fs::read_symlink(entry.path()).string();
    } else if (entry.is_regular_file()) {
      std::ifstream file(entry.path(), std::ios::binary);
      content.assign(std::istreambuf_iterator<char>(file), {});
    }
  }
  return contents;
}

}  // namespace kopidocka::testing
