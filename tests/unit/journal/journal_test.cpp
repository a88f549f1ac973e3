#include "journal/journal.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>

namespace kopidocka {
namespace {

using ::testing::HasSubstr;
using Type = JournalRecord::Type;

class FixedClock : public Clock {
 public:
  TimePoint now() const override { return time; }
  std::chrono::steady_clock::time_point steady() const override { return {}; }
  TimePoint time = from_iso8601("2026-11-22T03:00:00.5+00:00");
};

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "journal-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    root = name;
    folder = root / "journal";
  }
  void TearDown() override { std::filesystem::remove_all(root); }

  JournalRecord record(Type type, const std::string& run = "run-1", const std::string& container = {}) const {
    JournalRecord made;
    made.type = type;
    made.run = run;
    made.container = container;
    return made;
  }
  std::string content(const std::string& run = "run-1") const {
    std::ifstream file(folder / (run + ".journal"));
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& run, const std::string& text) const { std::ofstream(folder / (run + ".journal")) << text; }

  FixedClock clock;
  std::filesystem::path root, folder;
};

TEST_F(JournalTest, WhatWasAppendedIsReadBackByAnother) {
  Journal journal(folder, clock);
  ASSERT_TRUE(journal.open());
  ASSERT_TRUE(journal.begin(record(Type::begin)));
  ASSERT_TRUE(journal.append("run-1", record(Type::stopping, {}, "abc")));
  const auto runs = Journal(folder, clock).open_runs();
  ASSERT_TRUE(runs);
  ASSERT_EQ(runs->size(), 1u);
  const auto& run = runs->front();
  EXPECT_EQ(run.run, "run-1");
  EXPECT_EQ(run.problem, "");
  ASSERT_EQ(run.records.size(), 2u);
  EXPECT_EQ(run.records[1].type, Type::stopping);
  EXPECT_EQ(run.records[1].container, "abc");
  EXPECT_EQ(run.records[1].time, clock.time);
}

TEST_F(JournalTest, IsForItsOwnerOnly) {
  Journal journal(folder, clock);
  ASSERT_TRUE(journal.open());
  ASSERT_TRUE(journal.begin(record(Type::begin)));
  struct stat info{};
  ASSERT_EQ(::stat((folder / "run-1.journal").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ASSERT_EQ(::stat(folder.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0077, 0u);
}

TEST_F(JournalTest, ARecordIsOnDiskBeforeAnybodyHearsOfIt) {
  std::vector<std::string> seen;
  Journal journal(folder, clock, [&](const JournalRecord& made) {
    EXPECT_THAT(content(), HasSubstr("\"" + std::string(to_string(made.type)) + "\""));
    seen.emplace_back(to_string(made.type));
  });
  ASSERT_TRUE(journal.open());
  ASSERT_TRUE(journal.begin(record(Type::begin)));
  ASSERT_TRUE(journal.append("run-1", record(Type::stopping, {}, "a")));
  ASSERT_TRUE(journal.close("run-1"));
  EXPECT_THAT(seen, ::testing::ElementsAre("begin", "stopping", "end"));
}

TEST_F(JournalTest, ARecordThatCouldNotBeKeptIsToldOf) {
  FixedClock clock;
  int kept = 0;
  std::vector<std::string> failures;
  Journal journal(folder, clock, [&](const JournalRecord&) { ++kept; }, [&](const Error& error) { failures.push_back(error.message()); });
  ASSERT_TRUE(journal.open());
  ASSERT_TRUE(journal.begin(record(Type::begin)));
  EXPECT_FALSE(journal.append("run-2", record(Type::stopping, "run-2", "a"))) << "it was never begun";
  EXPECT_EQ(kept, 1);
  EXPECT_EQ(failures.size(), 1u);
}

TEST_F(JournalTest, CloseRemovesTheRun) {
  Journal journal(folder, clock);
  ASSERT_TRUE(journal.open());
  ASSERT_TRUE(journal.begin(record(Type::begin)));
  ASSERT_TRUE(journal.begin(record(Type::begin, "run-2")));
  ASSERT_TRUE(journal.close("run-1"));
  ASSERT_EQ(journal.open_runs()->size(), 1u);
  EXPECT_EQ(journal.open_runs()->front().run, "run-2");
  EXPECT_FALSE(journal.append("run-1", record(Type::stopped))) << "a closed run takes no more records";
}

TEST_F(JournalTest, TheSameRunDoesNotBeginTwice) {
  Journal journal(folder, clock);
  ASSERT_TRUE(journal.open());
  ASSERT_TRUE(journal.begin(record(Type::begin)));
  EXPECT_FALSE(Journal(folder, clock).begin(record(Type::begin)));
  EXPECT_EQ(journal.open_runs()->size(), 1u) << "the refused one must not take the first one's file away";
}

TEST_F(JournalTest, ATornTailIsLeftOutAndCutBeforeTheNextRecord) {
  ASSERT_TRUE(Journal(folder, clock).open());
  write("run-1", to_line(record(Type::begin)) + "\n" + to_line(record(Type::stopping, "run-1", "a")) + "\n{\"v\":1,\"type\":\"sto");
  Journal journal(folder, clock);
  auto runs = journal.open_runs();
  ASSERT_EQ(runs->front().records.size(), 2u);
  EXPECT_EQ(runs->front().problem, "");
  ASSERT_TRUE(journal.append("run-1", record(Type::started, {}, "a")));
  runs = journal.open_runs();
  EXPECT_EQ(runs->front().problem, "");
  ASSERT_EQ(runs->front().records.size(), 3u);
  EXPECT_EQ(runs->front().records[2].type, Type::started);
}

TEST_F(JournalTest, AtEveryByteAFileHoldsExactlyItsWholeLines) {
  ASSERT_TRUE(Journal(folder, clock).open());
  std::string text;
  for (const auto type : {Type::begin, Type::hold, Type::stopping, Type::stopped}) text += to_line(record(type, "run-1", "a")) + "\n";
  for (size_t size = 0; size <= text.size(); ++size) {
    const auto part = text.substr(0, size);
    write("run-1", part);
    const auto runs = Journal(folder, clock).open_runs();
    ASSERT_TRUE(runs);
    const auto lines = static_cast<size_t>(std::count(part.begin(), part.end(), '\n'));
    ASSERT_EQ(runs->size(), lines == 0 ? 0u : 1u) << "a run whose first record is not whole had not begun";
    if (lines == 0) continue;
    ASSERT_EQ(runs->front().problem, "");
    ASSERT_EQ(runs->front().records.size(), lines) << size;
  }
}

TEST_F(JournalTest, ANewerFormatOrAnOddLineIsAProblemOfThatRunAlone) {
  Journal journal(folder, clock);
  ASSERT_TRUE(journal.open());
  ASSERT_TRUE(journal.begin(record(Type::begin, "good")));
  write("newer", R"({"v":2,"type":"begin","time":"2026-11-22T03:00:00Z"})" "\n");
  write("odd", "not json\n");
  const auto runs = journal.open_runs();
  ASSERT_EQ(runs->size(), 3u);
  for (const auto& run : *runs) {
    if (run.run == "good") {
      EXPECT_EQ(run.problem, "");
    }
    if (run.run == "newer") {
      EXPECT_THAT(run.problem, HasSubstr("newer kopi-docka (format 2)"));
    }
    if (run.run == "odd") {
      EXPECT_THAT(run.problem, HasSubstr("not a journal record"));
    }
  }
  EXPECT_TRUE(std::filesystem::exists(folder / "newer.journal"));
}

TEST_F(JournalTest, RunsComeOldestFirst) {
  Journal journal(folder, clock);
  ASSERT_TRUE(journal.open());
  clock.time += Seconds(60);
  ASSERT_TRUE(journal.begin(record(Type::begin, "a-young")));
  clock.time -= Seconds(120);
  ASSERT_TRUE(journal.begin(record(Type::begin, "z-old")));
  EXPECT_EQ(journal.open_runs()->front().run, "z-old");
}

TEST_F(JournalTest, ALinkInTheRunsPlaceIsNotFollowed) {
  Journal journal(folder, clock);
  ASSERT_TRUE(journal.open());
  std::ofstream(root / "victim") << "mine\n";
  std::filesystem::create_symlink(root / "victim", folder / "run-1.journal");
  EXPECT_FALSE(journal.begin(record(Type::begin)));
  EXPECT_FALSE(journal.append("run-1", record(Type::stopping)));
  std::ifstream file(root / "victim");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "mine\n");
}

TEST_F(JournalTest, WithoutAFolderNothingBegins) {
  Journal journal(folder, clock);
  const auto begun = journal.begin(record(Type::begin));
  ASSERT_FALSE(begun);
  EXPECT_THAT(begun.error().next_step(), HasSubstr("nothing is stopped without a journal"));
  EXPECT_FALSE(journal.open_runs());
}

/// Runs `body` in a child whose files may not grow beyond `bytes`; what it returns is the exit code.
template <class Body>
int with_full_disk(rlim_t bytes, Body body) {
  const auto child = ::fork();
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    ::_exit(::setrlimit(RLIMIT_FSIZE, &limit) == 0 ? body() : 99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

TEST_F(JournalTest, AFullDiskFailsTheAppendAndLeavesWholeLines) {
  ASSERT_TRUE(Journal(folder, clock).open());
  const auto begin = to_line(record(Type::begin)).size() + 1;
  const int code = with_full_disk(begin + 10, [&] {
    Journal journal(folder, clock);
    if (!journal.begin(record(Type::begin))) return 1;
    if (journal.append("run-1", record(Type::stopping, {}, "a"))) return 2;
    if (journal.append("run-1", record(Type::stopping, {}, "a"))) return 3;
    return 0;
  });
  EXPECT_EQ(code, 0);
  EXPECT_EQ(content().size(), begin);
  Journal later(folder, clock);
  ASSERT_TRUE(later.append("run-1", record(Type::stopping, {}, "a")));
  const auto runs = later.open_runs();
  EXPECT_EQ(runs->front().problem, "");
  EXPECT_EQ(runs->front().records.size(), 2u);
}

TEST_F(JournalTest, ABeginOnAFullDiskLeavesNothing) {
  ASSERT_TRUE(Journal(folder, clock).open());
  const int code = with_full_disk(5, [&] { return Journal(folder, clock).begin(record(Type::begin)) ? 1 : 0; });
  EXPECT_EQ(code, 0);
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}

}  // namespace
}  // namespace kopidocka
