#include "support/docker_fixture.hpp"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <random>
#include <spawn.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "base/file.hpp"
#include "base/text.hpp"

extern char** environ;

namespace kopidocka::testing {
namespace {
namespace fs = std::filesystem;

constexpr const char* kLabel = "kopi-docka-test=1";

FileDescriptor temporary_file(const std::string& content) {
  std::string pattern = (fs::temp_directory_path() / "kopi-docka-cli-XXXXXX").string();
  FileDescriptor file(::mkostemp(pattern.data(), O_CLOEXEC));
  if (!file) throw std::runtime_error("cannot create a temporary file");
  ::unlink(pattern.c_str());
  if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) {
    throw std::runtime_error("cannot write a temporary file");
  }
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

std::string content_of(int file) {
  ::lseek(file, 0, SEEK_SET);
  std::string text;
  char piece[4096];
  for (ssize_t got = 0; (got = ::read(file, piece, sizeof piece)) > 0;)
    text.append(piece, static_cast<size_t>(got));
  return text;
}

CliResult run_program(const std::vector<std::string>& argv, const FileDescriptor& input) {
  const auto output = temporary_file("");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, output.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, output.get(), 2);
  std::vector<char*> pointers;
  for (const auto& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  CliResult result;
  if (failed != 0) {
    result.output = argv.front() + " cannot be started";
    return result;
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  result.output = content_of(output.get());
  return result;
}

CliResult run_program(const std::vector<std::string>& argv) { return run_program(argv, temporary_file("")); }

std::string busybox() {
  for (const auto* path : {"/bin/busybox", "/usr/bin/busybox"}) {
    if (fs::exists(path)) return path;
  }
  return {};
}

/// A dynamic program names its loader in the first page.
bool is_static(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string page(4096, '\0');
  file.read(page.data(), static_cast<std::streamsize>(page.size()));
  return page.find("/ld-") == std::string::npos;
}

bool image_is_there() {
  return docker_cli({"image", "inspect", "--format", "{{.Id}}", kTestImage}).exit_code == 0;
}

void import_image() {
  std::string pattern = (fs::temp_directory_path() / "kopi-docka-image-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create a temporary folder");
  const fs::path root(pattern);
  for (const auto* folder : {"bin", "tmp", "etc", "data"}) fs::create_directory(root / folder);
  fs::copy_file(busybox(), root / "bin/busybox");
  for (const auto& applet : split(run_program({busybox(), "--list"}).output, '\n')) {
    if (!applet.empty() && applet != "busybox") fs::create_symlink("busybox", root / "bin" / applet);
  }
  std::ofstream(root / "etc/passwd") << "root:x:0:0:root:/:/bin/sh\n";
  const auto archive = root.string() + ".tar";
  const auto packed =
      run_program({"tar", "-C", root.string(), "--owner=0", "--group=0", "-cf", archive, "."});
  const auto imported = packed.exit_code != 0
                            ? packed
                            : docker_cli({"import", "--change", "CMD [\"/bin/sh\"]", archive, kTestImage});
  fs::remove_all(root);
  fs::remove(archive);
  if (imported.exit_code != 0)
    throw std::runtime_error("the test image cannot be imported: " + imported.output);
}

/// Test programs run side by side; one of them imports.
void ensure_image() {
  const auto lock_path = (fs::temp_directory_path() / "kopi-docka-test-image.lock").string();
  const FileDescriptor lock(::open(lock_path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  ::flock(lock.get(), LOCK_EX);
  if (!image_is_there()) import_image();
}

std::string unique_prefix(const std::string& room) {
  static constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789";
  std::random_device random;
  std::string prefix = "kd-" + room + "-";
  for (int i = 0; i < 6; ++i) prefix += kLetters[random() % kLetters.size()];
  return prefix + "-";
}

std::vector<std::string> joined(std::vector<std::string> head, const std::vector<std::string>& options,
                                const std::vector<std::string>& command) {
  head.insert(head.end(), options.begin(), options.end());
  head.insert(head.end(), command.begin(), command.end());
  return head;
}

}  // namespace

CliResult docker_cli(const std::vector<std::string>& arguments, const std::string& input) {
  return run_program(joined({"docker"}, arguments, {}), temporary_file(input));
}

std::string DockerFixture::unavailable() {
  const auto version = docker_cli({"version", "--format", "{{.Server.Version}}"});
  if (version.exit_code != 0) return "no Docker Engine: " + trim(version.output);
  if (image_is_there()) return {};
  if (busybox().empty())
    return "no /bin/busybox to build the test image from (Debian package busybox-static)";
  if (!is_static(busybox())) return busybox() + " is not static (Debian package busybox-static is needed)";
  return {};
}

DockerFixture::DockerFixture(const std::string& room) : prefix_(unique_prefix(room)) { ensure_image(); }

DockerFixture::~DockerFixture() {
  const auto remove_all = [this](const std::vector<std::string>& list,
                                 const std::vector<std::string>& remove) {
    const auto names = docker_cli(list);
    if (names.exit_code != 0) return;
    auto arguments = remove;
    for (const auto& name : split(names.output, '\n')) {
      if (name.starts_with(prefix_)) arguments.push_back(name);
    }
    if (arguments.size() > remove.size()) (void)docker_cli(arguments);
  };
  remove_all({"ps", "--all", "--filter", "name=" + prefix_, "--format", "{{.Names}}"},
             {"rm", "--force", "--volumes"});
  remove_all({"volume", "ls", "--filter", "name=" + prefix_, "--format", "{{.Name}}"},
             {"volume", "rm", "--force"});
  remove_all({"network", "ls", "--filter", "name=" + prefix_, "--format", "{{.Name}}"}, {"network", "rm"});
}

std::string DockerFixture::docker(const std::vector<std::string>& arguments) {
  const auto result = docker_cli(arguments);
  if (result.exit_code != 0)
    throw std::runtime_error("docker " + join(arguments, " ") + ": " + result.output);
  return trim(result.output);
}

std::string DockerFixture::run(const std::string& name, const std::vector<std::string>& options,
                               const std::vector<std::string>& command) {
  auto arguments =
      joined({"run", "--detach", "--name", this->name(name), "--label", kLabel}, options, {kTestImage});
  return docker(joined(std::move(arguments), {}, command));
}

std::string DockerFixture::create(const std::string& name, const std::vector<std::string>& options,
                                  const std::vector<std::string>& command) {
  auto arguments = joined({"create", "--name", this->name(name), "--label", kLabel}, options, {kTestImage});
  return docker(joined(std::move(arguments), {}, command));
}

std::string DockerFixture::volume(const std::string& name, const std::vector<std::string>& options) {
  return docker(joined({"volume", "create", "--label", kLabel}, options, {this->name(name)}));
}

std::string DockerFixture::network(const std::string& name, const std::vector<std::string>& options) {
  docker(joined({"network", "create", "--label", kLabel}, options, {this->name(name)}));
  return this->name(name);
}

std::string DockerFixture::shell(const std::string& container, const std::string& line) {
  return docker({"exec", container, "/bin/sh", "-c", line});
}

std::string DockerFixture::status(const std::string& container) {
  const auto result = docker_cli({"inspect", "--format", "{{.State.Status}}", container});
  return result.exit_code == 0 ? trim(result.output) : std::string();
}

}  // namespace kopidocka::testing
