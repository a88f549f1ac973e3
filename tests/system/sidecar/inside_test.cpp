#include <gmock/gmock.h>

#include <fstream>

#include "shop.hpp"

namespace kopidocka::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

/// Looks into backups without restoring them.
class Inside : public Shop {
 protected:
  static std::string names(const nlohmann::json& listing) {
    std::string text;
    for (const auto& entry : listing["entries"]) text += (text.empty() ? "" : ",") + entry["name"].get<std::string>();
    return text;
  }
};

INSTANTIATE_TEST_SUITE_P(Engines, Inside, ::testing::Values("kopia", "restic"), [](const auto& info) { return info.param; });

TEST_P(Inside, ABackupIsLookedIntoAndAFileTakenOutOfIt) {
  make_stack();
  fs::create_directories(bind_ / "below");
  std::ofstream(bind_ / "below" / "binary", std::ios::binary) << std::string("\0\n\xff binary", 10) << std::string(200'000, 'x');
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  sh("rm -r '" + (bind_ / "below").string() + "'");

  const auto top = program_->inline_({"files", unit_, "--json"}).json();
  EXPECT_THAT(names(top), HasSubstr("recipe"));
  EXPECT_THAT(names(top), HasSubstr(bind_.string()));
  EXPECT_EQ(names(program_->inline_({"files", unit_, (bind_ / "below").string(), "--json"}).json()), "binary");
  EXPECT_THAT(program_->inline_({"files", unit_, bind_.string()}).out, HasSubstr("below/"));

  const auto cat = program_->inline_({"cat", unit_, (bind_ / "below" / "binary").string()});
  ASSERT_EQ(cat.exit_code, 0) << cat.err;
  EXPECT_TRUE(cat.out == std::string("\0\n\xff binary", 10) + std::string(200'000, 'x'));
  const auto gone = program_->inline_({"cat", unit_, (bind_ / "gone").string()});
  EXPECT_EQ(gone.exit_code, 4);
  EXPECT_THAT(gone.err, HasSubstr("kopi-docka files"));
  EXPECT_NE(program_->inline_({"cat", unit_, bind_.string()}).exit_code, 0) << "a folder";
  EXPECT_EQ(sh("ls '" + program_->state().string() + "' | grep -c '^cat-' || true"), "0\n");
}

TEST_P(Inside, TheDaemonPassesAFileOnWithoutHavingItInMemory) {
  make_stack();
  sh("head -c 60000000 /dev/urandom > '" + (bind_ / "big").string() + "'");
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  program_->start_daemon();
  ASSERT_TRUE(eventually([&] { return program_->ready(); }));
  const auto cat = program_->run({"cat", unit_, (bind_ / "big").string()});
  ASSERT_EQ(cat.exit_code, 0) << cat.err;
  std::ofstream(program_->folder / "out", std::ios::binary) << cat.out;
  EXPECT_EQ(sh("cmp '" + (program_->folder / "out").string() + "' '" + (bind_ / "big").string() + "' && echo same"), "same\n");
  EXPECT_EQ(program_->run({"list", "--json"}).exit_code, 0) << "it answers";
}

TEST_P(Inside, ABackupIsPinnedUnpinnedAndRemoved) {
  make_stack();
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  const auto id = program_->inline_({"snapshots", unit_, "--json"}).json()[0]["backup_id"].get<std::string>();
  const auto pinned = program_->inline_({"pin", unit_, "--at", id, "--json"});
  ASSERT_EQ(pinned.exit_code, 0) << pinned.err;
  EXPECT_EQ(pinned.json()["pinned"], true);
  EXPECT_EQ(pinned.json()["backup_id"], id);
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  EXPECT_THAT(program_->inline_({"snapshots", unit_}).out, HasSubstr("complete, pinned"));
  const auto refused = program_->inline_({"delete", unit_, "--at", id, "--yes"});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("kopi-docka unpin " + unit_));
  EXPECT_NE(program_->inline_({"delete", unit_, "--at", id}).exit_code, 0) << "nobody is there to answer";
  EXPECT_EQ(program_->inline_({"unpin", unit_, "--at", id, "--json"}).json()["pinned"], false);
  EXPECT_EQ(program_->inline_({"delete", unit_, "--at", id, "--dry-run", "--json"}).json().size(), 1u);
  EXPECT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json().size(), 2u);
  ASSERT_EQ(program_->inline_({"delete", unit_, "--at", id.substr(0, 8), "--yes"}).exit_code, 0);
  const auto left = program_->inline_({"snapshots", unit_, "--json"}).json();
  ASSERT_EQ(left.size(), 1u);
  EXPECT_NE(left[0]["backup_id"], id);
  EXPECT_EQ(program_->inline_({"restore", unit_, "--to", (program_->folder / "out").string(), "--yes"}).exit_code, 0);
  ASSERT_EQ(program_->inline_({"delete", unit_, "--all", "--yes"}).exit_code, 0);
  EXPECT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json().size(), 0u);
  EXPECT_EQ(program_->inline_({"delete", unit_, "--all", "--yes"}).exit_code, 4) << "there is nothing any more";
}

TEST_P(Inside, WhatAnotherMachineSavedIsFoundByItsName) {
  make_stack();
  ASSERT_EQ(program_->inline_({"backup", unit_}).exit_code, 0);
  const auto host = program_->inline_({"snapshots", unit_, "--json"}).json()[0]["host"].get<std::string>();
  // The same repository, seen from a new machine.
  sh("rm -rf '" + program_->state().string() + "'");
  program_->environment["KOPI_DOCKA_HOSTNAME"] = "new-machine";
  EXPECT_EQ(program_->inline_({"snapshots", unit_, "--json"}).json().size(), 0u);
  EXPECT_EQ(program_->inline_({"snapshots", unit_, "--machine", host, "--json"}).json().size(), 1u);
  const auto hint = program_->inline_({"files", unit_});
  EXPECT_EQ(hint.exit_code, 4);
  EXPECT_THAT(hint.err, HasSubstr("--machine " + host));
  EXPECT_EQ(program_->inline_({"files", unit_, "--machine", host}).exit_code, 0);
  const auto typo = program_->inline_({"snapshots", "--machine", host + "x"});
  EXPECT_THAT(typo.err, HasSubstr("did you mean " + host));
  const auto out = program_->folder / "out";
  const auto restore = program_->inline_({"restore", unit_, "--machine", host, "--to", out.string(), "--yes"});
  EXPECT_EQ(restore.exit_code, 0) << restore.err;
}

}  // namespace
}  // namespace kopidocka::testing
