#pragma once

#include <gtest/gtest.h>

#include <string>

#include "support/docker_fixture.hpp"
#include "support/program.hpp"

namespace kopidocka::testing {

/// A compose-like stack of real containers: `db` with a volume and `web`, which depends on it, with a volume and a bind,
/// and a program of its own with a repository that is ready for use.
class ShopStack {
 protected:
  /// Why it cannot be had here; empty when it was made.
  std::string open_shop(const std::string& engine);
  void close_shop();

  void make_stack(const std::string& db_command = "trap 'exit 0' TERM; while :; do sleep 0.1; done",
                  const std::vector<std::string>& more_db_options = {});
  std::string container(const std::string& service) const { return docker_->name(service); }
  bool running(const std::string& service) { return docker_->status(container(service)) == "running"; }
  bool all_running() { return running("db") && running("web"); }
  /// A field of docker inspect, as a Go template.
  std::string inspect(const std::string& service, const std::string& field);
  std::filesystem::path volume_path(const std::string& name) const;
  /// A program in front of the engine's own on PATH: it does as the real one, but for what `shell` decides first.
  void put_before_engine(const std::string& shell);
  /// Reports of all runs, oldest first.
  std::vector<nlohmann::json> reports();

  std::unique_ptr<DockerFixture> docker_;
  std::unique_ptr<Program> program_;
  std::string unit_;
  std::filesystem::path bind_;
};

/// Once per engine; kopia is left out by name where it is not on PATH.
class Shop : public ::testing::TestWithParam<std::string>, protected ShopStack {
 protected:
  void SetUp() override;
  void TearDown() override { close_shop(); }
};

/// Once, on kopia where it is on PATH, else on restic: for what the engine has no part in.
class OneShop : public ::testing::Test, protected ShopStack {
 protected:
  void SetUp() override;
  void TearDown() override { close_shop(); }
};

}  // namespace kopidocka::testing
