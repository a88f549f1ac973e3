#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace kopidocka::testing {

struct ProgramResult {
  int exit_code = -1;  ///< 128 + signal when killed
  std::string out, err;

  /// Throws with everything the program said when its output is not JSON.
  nlohmann::json json() const;
};

/// Runs a program to its end, without a shell, with exactly this environment and PATH.
ProgramResult run_program(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment);

/// Whether a program of that name is on PATH.
bool on_path(const std::string& name);

/// `docker compose` or `docker-compose` as the first words of a command; empty when there is neither.
std::vector<std::string> compose_command();

/// GET of a path on 127.0.0.1: status code (0 = no answer) and body.
struct HttpAnswer {
  int status = 0;
  std::string body;
};
HttpAnswer http_get(int port, const std::string& path);

/// A TCP port of 127.0.0.1 that nobody has at this moment.
int free_port();

/// Polls `condition` until it holds; false after `limit`. For states, never for how long something takes.
bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit = std::chrono::seconds(60));

/// The program under test: the one built beside the tests, or the one KOPI_DOCKA_TEST_BINARY names.
std::string program_binary();

/// kopi-docka as a user has it on a host: the real binary with state, cache and repository folders of its own.
class Program {
 public:
  explicit Program(const std::string& engine);
  ~Program();
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Runs a verb to its end.
  ProgramResult run(std::vector<std::string> words) const;
  ProgramResult inline_(std::vector<std::string> words) const;
  /// The same under strace, which kills it when it enters its n-th fsync.
  ProgramResult killed_at_fsync(std::vector<std::string> words, int n) const;

  /// Starts the daemon and returns at once; its log goes to log().
  void start_daemon();
  /// True when /readyz (through `health`) says so.
  bool ready() const;
  /// From now on, until it is let go, the daemon is killed when it enters its n-th fsync (strace is needed).
  void arm_daemon(int n);
  void disarm_daemon();
  void signal_daemon(int signal);
  /// Waits until the daemon has ended; its exit code, 128 + signal when killed.
  int wait_daemon();
  bool daemon_alive();
  std::string log() const;

  std::filesystem::path folder;
  std::map<std::string, std::string> environment;

  std::filesystem::path state() const { return folder / "state"; }
  /// Lines of every open journal.
  std::vector<std::string> journal_lines() const;

 private:
  pid_t daemon_ = 0, tracer_ = 0;
};

/// Content, owner, mode, mtime (nanoseconds), type and link target of every entry below `root`, one line each, sorted.
std::vector<std::string> tree_of(const std::filesystem::path& root);

/// A shell script run by sh -e; throws with its output when it fails.
std::string sh(const std::string& script);

}  // namespace kopidocka::testing
