#pragma once

#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "engine/factory.hpp"
#include "support/run_task.hpp"

namespace kopidocka::testing {

/// Whether there is such a program on PATH.
bool installed(const std::string& program);

/// A repository, an identity and a source of their own for each test; run once per engine.
class EngineContract : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override;
  void TearDown() override;

  EngineSettings settings(const std::string& client = "one") const;
  std::unique_ptr<SnapshotEngine> engine(const EngineSettings& settings) const;
  /// The engine of client "one", with a new repository.
  SnapshotEngine& created();

  template <class T>
  T await(Task<T> task) {
    return run_task(io_, std::move(task));
  }
  void await(Task<> task) { run_task(io_, std::move(task)); }

  SourcePolicy policy(const std::string& path = "/identity/data") const;
  SnapshotRequest request(const std::string& path = "/identity/data") const;
  Snapshot prepared_snapshot(SnapshotEngine& engine, const SnapshotRequest& request);
  Snapshot saved() { return prepared_snapshot(created(), request()); }
  std::vector<std::string> ids(SnapshotEngine& engine, const SnapshotFilter& filter = {});
  void restore(SnapshotEngine& engine, const std::string& id, const std::string& target, bool single_file = false);

  /// A program that does `script` (bash) and then what the engine's own does, for settings().binary.
  std::string wrapped(const std::string& script) const;
  /// Runs a program with the environment of client "one" for this engine; its output.
  std::string tool(const std::vector<std::string>& argv);
  bool kopia() const { return GetParam() == "kopia"; }

  std::filesystem::path folder_, repository_, source_;
  boost::asio::io_context io_;
  std::unique_ptr<SnapshotEngine> engine_;
};

/// The kind of error `call` throws, for EXPECT_EQ; fails the test when it throws none.
template <class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error was thrown";
  return {ErrorKind::internal, "no error was thrown"};
}

std::string shell(const std::string& script);
void write(const std::filesystem::path& path, const std::string& content);
std::string read(const std::filesystem::path& path);
/// Children of this process that still exist, zombies included.
std::vector<std::string> children();

}  // namespace kopidocka::testing
