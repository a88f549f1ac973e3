#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <random>
#include <tuple>

#include "contract/engine/engine_fixture.hpp"
#include "contract/engine/warm_disk.hpp"
#include "contract/engine/warm_writers.hpp"
#include "engine/factory.hpp"
#include "engine/snapshot_gate.hpp"
#include "support/run_task.hpp"
#include "worker/clone.hpp"
#include "worker/settle.hpp"

/// Whatever programs do around a warm pass and around the stop: what is restored is what the files held when all had stopped.
/// KOPI_DOCKA_PROPERTY_ROUNDS rounds for each engine, file system and way (2 when not set), a few seconds each.
namespace kopidocka::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPath = "/identity/data";
constexpr size_t kLimit = 40'000;

int rounds() {
  const char* text = std::getenv("KOPI_DOCKA_PROPERTY_ROUNDS");
  return text == nullptr ? 2 : std::max(1, std::atoi(text));
}

struct Way {
  const char* engine;
  const char* file_system;
  const char* mode;
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.engine << " " << way.file_system << " " << way.mode; }

class WarmProperty : public ::testing::TestWithParam<Way> {
 protected:
  void SetUp() override {
    if (!installed(GetParam().engine)) GTEST_SKIP() << GetParam().engine << " is not installed";
    auto name = (fs::temp_directory_path() / "kd-property-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    disk_ = std::make_unique<WarmDisk>(GetParam().file_system, folder_.string());
    if (!disk_->why_not().empty()) GTEST_SKIP() << disk_->why_not();
    source_ = fs::path(disk_->root()) / "data";
    fs::create_directories(source_);
    fs::create_directories(folder_ / "repository");
    engine_ = make_engine(settings()).value();
    await(engine_->create(Cancel()));
    policy_.path = kPath;
    policy_.gated = engine_->waits_at_gate();
    await(engine_->prepare(std::vector<SourcePolicy>(1, policy_), Cancel()));
    writers_ = std::make_unique<WarmWriters>(source_);
  }

  void TearDown() override {
    writers_.reset();
    disk_.reset();
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  EngineSettings settings() const {
    EngineSettings result;
    result.engine = GetParam().engine;
    result.repository = "filesystem://" + (folder_ / "repository").string();
    result.password = Secret("canary-s3cret");
    result.hostname = "host";
    result.username = "root";
    result.state_folder = (folder_ / "state").string();
    result.cache_folder = (folder_ / "cache").string();
    result.gate_helper = fs::read_symlink("/proc/self/exe").string();
    return result;
  }

  template <class T>
  T await(Task<T> task) {
    return run_task(io_, std::move(task));
  }
  void await(Task<> task) { run_task(io_, std::move(task)); }

  void pause() { ::usleep(std::uniform_int_distribution<useconds_t>(0, 800'000)(dice_)); }

  SnapshotRequest request() const {
    SnapshotRequest result;
    result.source = {kPath, source_.string()};
    result.policy = policy_;
    return result;
  }

  WarmSnapshot warm() {
    WarmRequest asked;
    asked.source = request().source;
    asked.run = "run";
    return await(engine_->warm(asked, Cancel()));
  }

  /// Steps of the exact way while all still run; nothing when it has to be the safe one.
  struct Trust {
    Settled settled;
    WarmDoubt doubt;
  };
  std::optional<Trust> warm_exactly() {
    // The times that are put back must be older than the slack before the moment, or that alone would be enough.
    ::usleep(2'500'000);
    Trust trust;
    trust.settled = settle(source_.string());
    EXPECT_TRUE(trust.settled.exact) << trust.settled.reason;
    pause();
    const auto saved = warm();
    pause();
    const auto touched = touched_since(trust.settled, kLimit, Looked::beforehand);
    if (!touched.exact) return std::nullopt;
    std::vector<std::string> paths;
    for (const auto& file : touched.files) paths.push_back(file.path);
    trust.doubt = await(engine_->distrust(saved.id, kPath, trust.settled.since(), paths, Cancel()));
    return trust;
  }

  /// What the gate cannot see any more because Kopia has read the warm snapshot's list already: told by one more look.
  bool spoiled(const Trust& trust) {
    const auto touched = touched_since(trust.settled, kLimit, Looked::held);
    if (!touched.exact) return true;
    return std::any_of(touched.files.begin(), touched.files.end(),
                       [&](const TouchedFile& file) { return trust.doubt.trust.vouches_for(file.path, file.size, file.mtime_second); });
  }

  bool is(std::string_view mode) const { return GetParam().mode == mode; }

  /// From the stop of all writers to the moment when the last file is read.
  static Task<> hold(WarmProperty& test, const std::optional<Trust>& trust) {
    SnapshotGate gate(test.io_.get_executor());
    TaskGroup group(test.io_.get_executor());
    auto asked = test.request();
    asked.gate = &gate;
    group.spawn(take(test, asked));
    const bool arrived = co_await gate.arrived(Milliseconds(60'000));
    EXPECT_TRUE(arrived);
    test.pause();
    test.writers_->stop();
    test.spoiled_ = trust && test.spoiled(*trust);
    gate.open();
    co_await group.join();
  }
  static Task<> take(WarmProperty& test, SnapshotRequest request) { test.saved_ = co_await test.engine_->snapshot(std::move(request), Cancel()); }

  static Task<> take_ahead(WarmProperty& test, SnapshotRequest request, Cancel cancel) {
    try {
      test.saved_ = co_await test.engine_->snapshot(std::move(request), cancel);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::cancelled) << error.text();
    }
  }

  /// Read while all still run, held back, and saved when nothing at all was touched since; else it is ended, and read as ever.
  static Task<bool> kept_ahead(WarmProperty& test, const Trust& trust) {
    SnapshotGate gate(test.io_.get_executor());
    TaskGroup group(test.io_.get_executor());
    Cancel ending;
    auto asked = test.request();
    asked.gate = &gate;
    asked.held_back = true;
    group.spawn(take_ahead(test, asked, ending));
    const bool arrived = co_await gate.arrived(Milliseconds(60'000));
    EXPECT_TRUE(arrived);
    test.pause();
    gate.open();
    const bool read = co_await gate.all_read();
    EXPECT_TRUE(read);
    test.pause();
    if (test.lasting_rest_) test.writers_->stop();
    test.writers_->thaw();
    test.pause();
    test.writers_->stop();
    const auto touched = touched_since(trust.settled, kLimit, Looked::held);
    if (touched.still) gate.save();
    if (!touched.still) ending.request(CancelGrade::abort_step);
    co_await group.join();
    co_return touched.still;
  }

  void read_ahead() {
    // Programs seldom rest all at once: they are made to, sometimes until the stop and sometimes not.
    lasting_rest_ = std::uniform_int_distribution<int>(0, 1)(dice_) == 0;
    writers_->freeze();
    const auto trust = warm_exactly();
    ASSERT_TRUE(trust);
    if (await(kept_ahead(*this, *trust))) {
      ++kept_ahead_;
      return;
    }
    await(hold(*this, trust));
    do_again_if_spoiled();
  }

  void read_cold() {
    if (engine_->waits_at_gate()) return await(hold(*this, std::nullopt));
    writers_->stop();
    saved_ = await(engine_->snapshot(request(), Cancel()));
  }

  /// The writers go on as soon as the copy is there; what it held is compared, not what they make of the source meanwhile.
  void read_from_clone() {
    CloneRequest wanted{source_.string(), "run"};
    const auto facts = can_clone(wanted);
    ASSERT_TRUE(facts.possible) << facts.reason;
    settle(source_.string());
    pause();
    writers_->stop();
    there_ = contents_of(source_);
    auto asked = request();
    asked.source.local_path = clone_tree(wanted).path;
    writers_->start(dice_());
    saved_ = await(engine_->snapshot(asked, Cancel()));
    writers_->stop();
    drop_clone(wanted);
  }

  void read_after_warm_pass() {
    std::optional<Trust> trust;
    if (is("exact")) {
      trust = warm_exactly();
    } else {
      pause();
      warm();
    }
    if (!trust) await(engine_->drop_warm("run", kPath, Cancel()));
    pause();
    await(hold(*this, trust));
    do_again_if_spoiled();
  }

  void do_again_if_spoiled() {
    if (!spoiled_) return;
    ++done_twice_;
    await(engine_->remove(std::vector<std::string>(1, saved_.id), Cancel()));
    await(engine_->drop_warm("run", kPath, Cancel()));
    saved_ = await(engine_->snapshot(request(), Cancel()));
  }

  void backup() {
    there_.clear();
    spoiled_ = false;
    pause();
    if (is("clone")) return read_from_clone();
    if (is("cold")) {
      read_cold();
    } else if (is("ahead")) {
      read_ahead();
    } else {
      read_after_warm_pass();
    }
    there_ = contents_of(source_);
  }

  std::map<std::string, std::string> restored() {
    const auto back = folder_ / "back";
    std::error_code ignored;
    fs::remove_all(back, ignored);
    RestoreRequest asked;
    asked.id = saved_.id;
    asked.target = back.string();
    asked.source_path = kPath;
    await(engine_->restore(asked, Cancel()));
    return contents_of(back);
  }

  fs::path folder_, source_;
  boost::asio::io_context io_;
  std::unique_ptr<WarmDisk> disk_;
  std::unique_ptr<SnapshotEngine> engine_;
  std::unique_ptr<WarmWriters> writers_;
  SourcePolicy policy_;
  Snapshot saved_;
  std::map<std::string, std::string> there_;  ///< what the files held when all had stopped
  bool spoiled_ = false;
  bool lasting_rest_ = false;
  int done_twice_ = 0, kept_ahead_ = 0;
  std::mt19937 dice_{std::random_device()()};
};

TEST_P(WarmProperty, RestoredFilesHoldTheirLastContent) {
  await(engine_->snapshot(request(), Cancel()));
  for (int round = 0; round < rounds(); ++round) {
    writers_->start(dice_());
    backup();
    ASSERT_FALSE(HasFailure());
    ASSERT_TRUE(saved_.clean());
    const auto back = restored();
    ASSERT_EQ(there_.size(), back.size());
    for (const auto& [path, content] : there_) EXPECT_TRUE(back.at(path) == content) << path << " is not as it was, in round " << round;
    ASSERT_FALSE(HasFailure());
  }
  RecordProperty("rounds", rounds());
  RecordProperty("done twice", done_twice_);
  RecordProperty("kept ahead", kept_ahead_);
}

constexpr Way kWays[] = {
    {"kopia", "ext4", "cold"},   {"kopia", "ext4", "safe"},   {"kopia", "ext4", "exact"},  {"kopia", "xfs", "cold"},
    {"kopia", "ext4", "ahead"},  {"kopia", "xfs", "ahead"},   {"kopia", "btrfs", "ahead"}, {"kopia", "xfs", "safe"},    {"kopia", "xfs", "exact"},   {"kopia", "xfs", "clone"},   {"kopia", "btrfs", "cold"},
    {"kopia", "btrfs", "safe"},  {"kopia", "btrfs", "exact"}, {"kopia", "btrfs", "clone"}, {"restic", "ext4", "cold"},
    {"restic", "xfs", "cold"},   {"restic", "xfs", "clone"},  {"restic", "btrfs", "cold"}, {"restic", "btrfs", "clone"}};

INSTANTIATE_TEST_SUITE_P(Warm, WarmProperty, ::testing::ValuesIn(kWays), [](const auto& info) {
  return std::string(info.param.engine) + "_" + info.param.file_system + "_" + info.param.mode;
});

}  // namespace
}  // namespace kopidocka::testing
