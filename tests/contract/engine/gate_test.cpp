#include <unistd.h>

#include <csignal>

#include "base/text.hpp"
#include "contract/engine/engine_fixture.hpp"
#include "engine/snapshot_gate.hpp"

namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

/// A snapshot on its way, driven by hand.
class GateContract : public EngineContract {
 protected:
  EngineSettings gated() const {
    auto result = settings();
    result.gate_helper = KOPIDOCKA_BINARY;
    return result;
  }

  void SetUp() override {
    EngineContract::SetUp();
    if (IsSkipped()) return;
    engine_ = engine(gated());
    await(engine_->create(Cancel()));
    gate_ = std::make_unique<SnapshotGate>(io_.get_executor());
    group_ = std::make_unique<TaskGroup>(io_.get_executor());
  }

  void TearDown() override {
    if (group_ && group_->running() > 0) {
      cancel_.request(CancelGrade::abort_step);
      await(group_->join());
    }
    EngineContract::TearDown();
  }

  SnapshotRequest gated_request() const {
    auto result = request();
    result.policy.gated = true;
    return result;
  }

  static Task<> take(GateContract& test, SnapshotRequest request) {
    try {
      test.saved_ = co_await test.engine_->snapshot(std::move(request), test.cancel_);
    } catch (const Error& error) {
      test.error_ = error;
    }
    test.gate_->end();
  }

  void begin(SnapshotRequest request) {
    request.gate = gate_.get();
    group_->spawn(take(*this, std::move(request)));
  }
  void begin() {
    await(engine_->prepare(std::vector<SourcePolicy>(1, gated_request().policy), Cancel()));
    begin(gated_request());
  }
  bool arrived() { return await(gate_->arrived(Milliseconds(60'000))); }
  bool let_in() {
    gate_->open();
    return await(gate_->all_read());
  }
  void finish() { await(group_->join()); }

  std::string restored(const std::string& name) {
    restore(*engine_, saved_->id, (folder_ / "back").string());
    return read(folder_ / "back" / name);
  }
  std::string helper() {
    const auto found = trim(shell("pgrep -f -- '^" + std::string(KOPIDOCKA_BINARY) + " gate$' | while read pid; do tr '\\0' '\\n' < /proc/$pid/environ | "
                                  "grep -qF -- '" + folder_.string() + "' && echo $pid; done || true"));
    return found;
  }

  std::unique_ptr<SnapshotGate> gate_;
  std::unique_ptr<TaskGroup> group_;
  Cancel cancel_;
  std::optional<Snapshot> saved_;
  std::optional<Error> error_;
};

TEST_P(GateContract, WhatIsWrittenUntilTheGateOpensIsInTheSnapshot) {
  begin();
  ASSERT_TRUE(arrived());
  write(source_ / "file", "written while it waited");
  write(source_ / "late", "made while it waited");
  EXPECT_TRUE(let_in());
  write(source_ / "file", "written after all was read");
  finish();
  ASSERT_TRUE(saved_) << error_->text();
  EXPECT_TRUE(saved_->clean());
  EXPECT_EQ(restored("file"), "written while it waited");
  EXPECT_EQ(read(folder_ / "back" / "late"), "made while it waited");
}

TEST_P(GateContract, AWaitThatIsCancelledLeavesNothing) {
  begin();
  ASSERT_TRUE(arrived());
  cancel_.request(CancelGrade::abort_step);
  finish();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->kind(), ErrorKind::cancelled);
  EXPECT_TRUE(ids(*engine_).empty());
  EXPECT_EQ(children(), std::vector<std::string>());
}

TEST_P(GateContract, ASingleFileIsReadWhenTheGateOpens) {
  const auto file = source_ / "file";
  auto asked = gated_request();
  asked.source = {"/identity/file", file.string()};
  asked.policy.path = "/identity/file";
  asked.single_file = true;
  asked.tags["kd_kind"] = "file";
  await(engine_->prepare(std::vector<SourcePolicy>(1, asked.policy), Cancel()));
  begin(asked);
  ASSERT_TRUE(arrived());
  write(file, "written while it waited");
  EXPECT_TRUE(let_in());
  finish();
  ASSERT_TRUE(saved_) << error_->text();
  RestoreRequest back;
  back.id = saved_->id;
  back.target = (folder_ / "back").string();
  back.source_path = "/identity/file";
  back.single_file = true;
  await(engine_->restore(back, Cancel()));
  EXPECT_EQ(read(folder_ / "back"), "written while it waited");
}

TEST_P(GateContract, AFailureBehindTheGateIsTold) {
  begin();
  ASSERT_TRUE(arrived());
  shell("chmod -R a-w '" + repository_.string() + "'; rm -rf '" + repository_.string() + "'");
  write(source_ / "more", std::string(100'000, 'x'));
  let_in();
  finish();
  EXPECT_TRUE(error_);
  EXPECT_FALSE(saved_);
}

INSTANTIATE_TEST_SUITE_P(Engine, GateContract, ::testing::Values("kopia", "restic"), [](const auto& info) { return info.param; });

/// The traps of Kopia's actions.
class KopiaGateContract : public GateContract {};

TEST_P(KopiaGateContract, TheRepositoryIsOpenBeforeAndTheUploadAfterAllIsRead) {
  begin();
  ASSERT_TRUE(arrived());
  // Whoever waits has read the format and the index; nothing of the source, whose files are not even there yet.
  const auto blobs = shell("find '" + repository_.string() + "/p' -type f 2>/dev/null | wc -l");
  write(source_ / "big", std::string(1 << 20, 'x'));
  EXPECT_TRUE(let_in());
  EXPECT_FALSE(saved_) << "it goes on saving after it has told that all is read";
  finish();
  ASSERT_TRUE(saved_) << error_->text();
  EXPECT_NE(shell("find '" + repository_.string() + "/p' -type f 2>/dev/null | wc -l"), blobs);
}

TEST_P(KopiaGateContract, ASecondClientOfTheSameIdentityWithActionsEnabledGoesOnWorking) {
  begin();
  ASSERT_TRUE(arrived());
  EXPECT_TRUE(let_in());
  finish();
  // An override of the source makes it the very same one; the actions are carried out, and do nothing.
  tool({"kopia", "snapshot", "create", source_.string(), "--override-source=root@host-one:/identity/data", "--force-enable-actions"});
  EXPECT_EQ(ids(*engine_).size(), 2u);
}

TEST_P(KopiaGateContract, WithActionsRefusedNothingArrivesAndNothingIsKept) {
  auto own = gated();
  own.binary = wrapped("set -- \"${@/#--force-enable-actions/--force-disable-actions}\"");
  engine_ = engine(own);
  begin();
  EXPECT_FALSE(arrived());
  finish();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->kind(), ErrorKind::failed) << error_->text();
  EXPECT_NE(error_->text().find("without having waited"), std::string::npos) << error_->text();
  EXPECT_NE(error_->next_step().find("KOPI_DOCKA_GATE_WIDTH"), std::string::npos);
  EXPECT_TRUE(ids(*engine_).empty());
}

TEST_P(KopiaGateContract, APolicyThatIsDeletedMeanwhileMeansThatNothingArrives) {
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_request().policy), Cancel()));
  tool({"kopia", "policy", "delete", "root@host-one:/identity/data"});
  begin(gated_request());
  EXPECT_FALSE(arrived());
  finish();
  EXPECT_TRUE(error_);
  EXPECT_TRUE(ids(*engine_).empty());
}

TEST_P(KopiaGateContract, AKopiaThatDiesAtTheGateIsNoticedAndItsHelperEnds) {
  begin();
  ASSERT_TRUE(arrived());
  const auto pid = helper();
  ASSERT_FALSE(pid.empty());
  for (const auto& child : children()) ::kill(std::stoi(child), SIGKILL);
  finish();
  EXPECT_TRUE(error_);
  EXPECT_FALSE(let_in());
  shell("for i in $(seq 100); do [ -e /proc/" + pid + " ] || exit 0; sleep 0.1; done; exit 1");
  EXPECT_TRUE(ids(*engine_).empty());
}

TEST_P(KopiaGateContract, TheHelperHasNoPasswordInItsMemory) {
  begin();
  ASSERT_TRUE(arrived());
  const auto pid = helper();
  ASSERT_FALSE(pid.empty());
  EXPECT_EQ(shell("tr '\\0' '\\n' < /proc/" + pid + "/environ | grep -c canary-s3cret || true"), "0\n");
  EXPECT_EQ(shell("tr '\\0' '\\n' < /proc/" + pid + "/environ | grep -c '^KOPI_DOCKA_GATE_TOKEN=' || true"), "1\n");
  EXPECT_TRUE(let_in());
  finish();
}

TEST_P(KopiaGateContract, SomebodyElsesActionStaysAndIsCarriedOutByNobodyOfUs) {
  created();
  tool({"kopia", "policy", "set", "root@host-one:/identity/data", "--before-snapshot-root-action=/bin/touch " + (folder_ / "theirs").string()});
  begin();
  EXPECT_TRUE(arrived());
  write(source_ / "file", "written while it waited");
  EXPECT_TRUE(let_in());
  finish();
  ASSERT_TRUE(saved_) << error_->text();
  EXPECT_EQ(restored("file"), "written while it waited");
  EXPECT_FALSE(fs::exists(folder_ / "theirs"));
  EXPECT_NE(tool({"kopia", "policy", "show", "root@host-one:/identity/data", "--json"}).find("/bin/touch"), std::string::npos);
}

TEST_P(KopiaGateContract, TheActionStandsAtTheSourceAloneAndNamesNothingOfOurs) {
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_request().policy), Cancel()));
  EXPECT_EQ(tool({"kopia", "policy", "show", "--global", "--json"}).find("KOPI_DOCKA_GATE"), std::string::npos);
  const auto own = tool({"kopia", "policy", "show", "root@host-one:/identity/data", "--json"});
  EXPECT_NE(own.find("exec $KOPI_DOCKA_GATE"), std::string::npos) << own;
  EXPECT_EQ(own.find(KOPIDOCKA_BINARY), std::string::npos);
  // Setting it again changes nothing: it is known to be there.
  const auto manifests = shell("find '" + repository_.string() + "' -type f | sort | md5sum");
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_request().policy), Cancel()));
  EXPECT_EQ(shell("find '" + repository_.string() + "' -type f | sort | md5sum"), manifests);
}

TEST_P(KopiaGateContract, WhatIsHeldBackIsSavedWhenItMayBeAndHasWhatWasReadThen) {
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_request().policy), Cancel()));
  auto asked = gated_request();
  asked.held_back = true;
  begin(asked);
  ASSERT_TRUE(arrived());
  EXPECT_TRUE(let_in());
  write(source_ / "file", "written after it was read");
  EXPECT_TRUE(ids(*engine_).empty());
  EXPECT_FALSE(saved_);
  gate_->save();
  finish();
  ASSERT_TRUE(saved_) << error_->text();
  EXPECT_EQ(restored("file"), "content");
}

TEST_P(KopiaGateContract, WhatIsHeldBackAndWhoseHelperIsKilledLeavesNothing) {
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_request().policy), Cancel()));
  auto asked = gated_request();
  asked.held_back = true;
  begin(asked);
  ASSERT_TRUE(arrived());
  EXPECT_TRUE(let_in());
  const auto pid = helper();
  ASSERT_FALSE(pid.empty());
  ::kill(std::stoi(pid), SIGKILL);
  finish();
  EXPECT_TRUE(error_) << "Kopia goes on and saves when its action is killed";
  EXPECT_FALSE(saved_);
  EXPECT_TRUE(ids(*engine_).empty());
}

TEST_P(KopiaGateContract, WhatIsHeldBackAndEndedLeavesNothing) {
  await(engine_->prepare(std::vector<SourcePolicy>(1, gated_request().policy), Cancel()));
  auto asked = gated_request();
  asked.held_back = true;
  begin(asked);
  ASSERT_TRUE(arrived());
  EXPECT_TRUE(let_in());
  cancel_.request(CancelGrade::abort_step);
  finish();
  ASSERT_TRUE(error_);
  EXPECT_EQ(error_->kind(), ErrorKind::cancelled) << error_->text();
  EXPECT_TRUE(ids(*engine_).empty()) << "not even a beginning";
  EXPECT_EQ(helper(), "");
}

TEST_P(KopiaGateContract, ALongCacheFolderIsNoObstacle) {
  auto own = gated();
  own.cache_folder = (folder_ / std::string(120, 'c')).string();
  engine_ = engine(own);
  begin();
  ASSERT_TRUE(arrived()) << (error_ ? error_->text() : "");
  EXPECT_TRUE(let_in());
  finish();
  EXPECT_TRUE(saved_);
}

INSTANTIATE_TEST_SUITE_P(Engine, KopiaGateContract, ::testing::Values("kopia"), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace kopidocka::testing
