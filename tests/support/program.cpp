#include "support/program.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "base/file.hpp"
#include "base/text.hpp"

namespace kopidocka::testing {
namespace fs = std::filesystem;
namespace {

pid_t spawn(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment, const std::string& out,
            const std::string& err) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> arguments, entries;
  for (const auto& word : argv) arguments.push_back(const_cast<char*>(word.c_str()));
  for (const auto& variable : variables) entries.push_back(const_cast<char*>(variable.c_str()));
  arguments.push_back(nullptr);
  entries.push_back(nullptr);
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::dup2(::open("/dev/null", O_RDONLY), 0);
  ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
  ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), 2);
  ::execvpe(arguments[0], arguments.data(), entries.data());
  ::_exit(127);
}

int status_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string path_variable() {
  const char* path = std::getenv("PATH");
  return path == nullptr ? "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" : path;
}

}  // namespace

ProgramResult run_program(const std::vector<std::string>& argv, const std::map<std::string, std::string>& environment) {
  const auto base = fs::temp_directory_path() / ("kd-out-" + make_uuid());
  ProgramResult result;
  int status = 0;
  const pid_t child = spawn(argv, environment, base.string() + ".out", base.string() + ".err");
  if (::waitpid(child, &status, 0) != child) throw std::runtime_error("waitpid");
  result.exit_code = status_code(status);
  result.out = content(base.string() + ".out");
  result.err = content(base.string() + ".err");
  fs::remove(base.string() + ".out");
  fs::remove(base.string() + ".err");
  return result;
}

nlohmann::json ProgramResult::json() const {
  auto value = nlohmann::json::parse(out, nullptr, false);
  if (value.is_discarded()) throw std::runtime_error("no JSON, exit code " + std::to_string(exit_code) + ": " + out + err);
  return value;
}

bool on_path(const std::string& name) {
  for (const auto& folder : split(path_variable(), ':')) {
    if (::access((folder + "/" + name).c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::vector<std::string> compose_command() {
  const std::map<std::string, std::string> environment = {{"PATH", path_variable()}};
  if (on_path("docker") && run_program({"docker", "compose", "version"}, environment).exit_code == 0) return {"docker", "compose"};
  if (on_path("docker-compose")) return {"docker-compose"};
  return {};
}

namespace {

sockaddr_in loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

HttpAnswer http_get(int port, const std::string& path) {
  const FileDescriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(port);
  if (::connect(connection.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) return {};
  const auto request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (::write(connection.get(), request.data(), request.size()) != static_cast<ssize_t>(request.size())) return {};
  std::string answer;
  char piece[4096];
  for (ssize_t got = 0; (got = ::read(connection.get(), piece, sizeof piece)) > 0;) answer.append(piece, static_cast<size_t>(got));
  const auto body = answer.find("\r\n\r\n");
  if (answer.rfind("HTTP/1.1 ", 0) != 0 || body == std::string::npos) return {};
  return {std::stoi(answer.substr(9, 3)), answer.substr(body + 4)};
}

int free_port() {
  const FileDescriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  auto address = loopback(0);
  socklen_t size = sizeof address;
  if (::bind(probe.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

bool eventually(const std::function<bool()>& condition, std::chrono::seconds limit) {
  const auto until = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

std::string program_binary() {
  const char* other = std::getenv("KOPI_DOCKA_TEST_BINARY");
  return other == nullptr ? KOPIDOCKA_BINARY : other;
}

Program::Program(const std::string& engine) : folder(fs::temp_directory_path() / ("kd-program-" + make_uuid().substr(0, 8))) {
  fs::create_directories(folder);
  environment = {{"PATH", path_variable()},
                 {"ASAN_OPTIONS", "detect_leaks=0"},
                 {"KOPI_DOCKA_ENGINE", engine},
                 {"KOPI_DOCKA_STATE_DIR", state().string()},
                 {"KOPI_DOCKA_CACHE_DIR", (folder / "cache").string()},
                 {"KOPI_DOCKA_HOOKS_DIR", (folder / "hooks").string()},
                 {"KOPI_DOCKA_REPOSITORY", "filesystem://" + (folder / "repository").string()},
                 {"KOPI_DOCKA_PASSWORD", "canary-7f3a9c"},
                 {"KOPI_DOCKA_HOSTNAME", "testhost"},
                 {"KOPI_DOCKA_LISTEN", "off"}};
}

Program::~Program() {
  disarm_daemon();
  if (daemon_alive()) {
    signal_daemon(SIGKILL);
    wait_daemon();
  }
  std::error_code ignored;
  fs::remove_all(folder, ignored);
}

ProgramResult Program::run(std::vector<std::string> words) const {
  words.insert(words.begin(), program_binary());
  return run_program(words, environment);
}

ProgramResult Program::inline_(std::vector<std::string> words) const {
  words.push_back("--inline");
  return run(std::move(words));
}

ProgramResult Program::killed_at_fsync(std::vector<std::string> words, int n) const {
  std::vector<std::string> argv = {"strace", "-qq", "-o", "/dev/null", "-e", "trace=fsync", "-e",
                                   "inject=fsync:signal=SIGKILL:when=" + std::to_string(n), program_binary()};
  argv.insert(argv.end(), words.begin(), words.end());
  argv.push_back("--inline");
  return run_program(argv, environment);
}

void Program::start_daemon() {
  daemon_ = spawn({program_binary(), "daemon"}, environment, "/dev/null", (folder / "log").string());
}

bool Program::ready() const { return log().find("ready: ") != std::string::npos; }

void Program::arm_daemon(int n) {
  tracer_ = spawn({"strace", "-qq", "-p", std::to_string(daemon_), "-o", "/dev/null", "-e", "trace=fsync", "-e",
                   "inject=fsync:signal=SIGKILL:when=" + std::to_string(n)},
                  environment, "/dev/null", (folder / "strace").string());
  const auto traced = [&] { return content("/proc/" + std::to_string(daemon_) + "/status").find("TracerPid:\t0\n") == std::string::npos; };
  if (!eventually(traced)) throw std::runtime_error("strace did not attach: " + content(folder / "strace"));
}

void Program::disarm_daemon() {
  if (tracer_ == 0) return;
  ::kill(tracer_, SIGTERM);
  ::waitpid(tracer_, nullptr, 0);
  tracer_ = 0;
}

void Program::signal_daemon(int signal) { ::kill(daemon_, signal); }

int Program::wait_daemon() {
  int status = 0;
  if (daemon_ == 0 || ::waitpid(daemon_, &status, 0) != daemon_) return -1;
  daemon_ = 0;
  return status_code(status);
}

bool Program::daemon_alive() {
  if (daemon_ == 0) return false;
  int status = 0;
  if (::waitpid(daemon_, &status, WNOHANG) == 0) return true;
  daemon_ = 0;
  return false;
}

std::string Program::log() const { return content(folder / "log"); }

std::vector<std::string> Program::journal_lines() const {
  std::vector<std::string> lines;
  std::error_code code;
  for (const auto& entry : fs::directory_iterator(state() / "journal", code)) {
    std::istringstream text(content(entry.path()));
    for (std::string line; std::getline(text, line);) lines.push_back(line);
  }
  return lines;
}

std::vector<std::string> tree_of(const fs::path& root) {
  std::vector<std::string> lines;
  const auto describe = [&](const fs::path& path) {
    struct stat info{};
    if (::lstat(path.c_str(), &info) != 0) throw std::runtime_error("lstat " + path.string());
    std::ostringstream line;
    line << fs::relative(path, root).string() << " mode=" << std::oct << info.st_mode << std::dec << " owner=" << info.st_uid << ":"
         << info.st_gid;
    if (S_ISLNK(info.st_mode)) line << " -> " << fs::read_symlink(path).string();
    if (!S_ISLNK(info.st_mode)) line << " mtime=" << info.st_mtim.tv_sec << "." << info.st_mtim.tv_nsec;
    if (S_ISREG(info.st_mode)) {
      line << " size=" << info.st_size;
      if (info.st_size < (64 << 20)) line << " hash=" << std::hash<std::string>()(content(path));
    }
    lines.push_back(line.str());
  };
  describe(root);
  for (auto at = fs::recursive_directory_iterator(root); at != fs::recursive_directory_iterator(); ++at) describe(at->path());
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::string sh(const std::string& script) {
  const auto result = run_program({"sh", "-ec", script}, {{"PATH", path_variable()}});
  if (result.exit_code != 0) throw std::runtime_error(script + ": " + result.out + result.err);
  return result.out;
}

}  // namespace kopidocka::testing
