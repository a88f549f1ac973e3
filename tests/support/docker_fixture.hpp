#pragma once

#include <string>
#include <vector>

namespace kopidocka::testing {

struct CliResult {
  int exit_code = -1;
  std::string output;  ///< stdout and stderr
};

/// Runs the docker command line client with these arguments, without a shell; `input` becomes its standard
/// input.
CliResult docker_cli(const std::vector<std::string>& arguments, const std::string& input = {});

/// The image of all system tests, imported from a static busybox of this machine: no registry is needed.
inline constexpr const char* kTestImage = "kopi-docka-test/busybox:latest";

/// Containers, volumes and networks of one test on the real Docker Engine. Their names begin with a prefix
/// nobody else uses, they carry the label kopi-docka-test=1, and all go when the fixture goes, failed test or
/// not. Members throw std::runtime_error with docker's own words.
class DockerFixture {
 public:
  /// Empty when system tests can run here; else why they cannot: for GTEST_SKIP().
  static std::string unavailable();

  /// Imports kTestImage when it is missing.
  explicit DockerFixture(const std::string& room = "test");
  DockerFixture(const DockerFixture&) = delete;
  DockerFixture& operator=(const DockerFixture&) = delete;
  ~DockerFixture();

  const std::string& prefix() const { return prefix_; }
  /// `name` with the prefix.
  std::string name(const std::string& name) const { return prefix_ + name; }

  /// docker run --detach: `options` before the image, `command` after it. Returns the full id.
  std::string run(const std::string& name, const std::vector<std::string>& options,
                  const std::vector<std::string>& command);
  /// docker create, same arguments.
  std::string create(const std::string& name, const std::vector<std::string>& options,
                     const std::vector<std::string>& command);
  /// Creates a volume; returns its full name.
  std::string volume(const std::string& name, const std::vector<std::string>& options = {});
  std::string network(const std::string& name, const std::vector<std::string>& options = {});
  /// docker exec of a shell line; returns what it printed.
  std::string shell(const std::string& container, const std::string& line);
  /// Any other call; throws when it fails.
  std::string docker(const std::vector<std::string>& arguments);
  /// State.Status of docker inspect; empty when there is no such container.
  std::string status(const std::string& container);

 private:
  std::string prefix_;
};

}  // namespace kopidocka::testing
