#include <gmock/gmock.h>

#include "shop.hpp"
#include "support/awkward_tree.hpp"

namespace kopidocka::testing {
namespace {

/// A whole volume of a real container, byte for byte, through backup, loss and restore.
class Tree : public Shop {
 protected:
  std::string bash(const std::string& script) {
    const auto run = run_program({"bash", "-ec", script}, {{"PATH", program_->environment["PATH"]}});
    if (run.exit_code != 0) throw std::runtime_error(script + ": " + run.err);
    return run.out;
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, Tree, ::testing::Values("kopia", "restic"), [](const auto& info) { return info.param; });

TEST_P(Tree, AVolumeOfManyAwkwardFilesComesBackByteForByte) {
  docker_->run("keeper", {"--volume", docker_->volume("data") + ":/data", "--label", "kopi-docka.enable=true", "--stop-timeout", "1"},
               {"sleep", "1000"});
  const auto root = volume_path("data").string();
  bash(awkward_tree_script(root, "5G"));
  bash("cd '" + root + "' && mkdir many && cd many && for d in $(seq 100); do mkdir $d; for f in $(seq 200); do echo $d/$f > $d/$f; done; done");
  // The folder that holds them all was made anew by its owner.
  bash("touch -d '2005-05-05 05:05:05.555555555' '" + root + "'");
  const bool kopia = GetParam() == "kopia";
  const auto before = bash(tree_listing_script(root, kopia)), content = bash(tree_hashes_script(root));
  EXPECT_GT(std::count(before.begin(), before.end(), '\0'), 20'000);
  const auto unit = docker_->name("keeper");

  const auto backup = program_->inline_({"backup", unit, "--json"});
  ASSERT_EQ(backup.exit_code, 0) << backup.err << backup.out;
  EXPECT_EQ(bash(tree_listing_script(root, kopia)), before) << "a backup must not change what it reads";
  bash("cd '" + root + "' && find . -mindepth 1 -delete && echo wrong > wrong && chmod 0700 . && chown 7:7 .");

  const auto restore = program_->inline_({"restore", unit, "--yes", "--json"});
  ASSERT_EQ(restore.exit_code, 0) << restore.err << restore.out;
  EXPECT_EQ(bash(tree_listing_script(root, kopia)), before);
  EXPECT_EQ(bash(tree_hashes_script(root)), content);
  EXPECT_EQ(docker_->status(unit), "running");
}

}  // namespace
}  // namespace kopidocka::testing
