#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include "process/process.hpp"
#include "support/run_task.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;
using testing::run_task;

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> children() {
  std::vector<std::string> result;
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    std::istringstream pids(read(task.path() / "children"));
    for (std::string pid; pids >> pid;) result.push_back(pid);
  }
  return result;
}

size_t open_descriptors() {
  return static_cast<size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

/// True when that process no longer runs; a zombie that somebody else has to reap counts as gone.
bool gone(const std::string& pid) {
  for (int round = 0; round < 500; ++round) {
    const auto stat = read("/proc/" + pid + "/stat");
    if (stat.empty() || stat.find(") Z ") != std::string::npos) return true;
    ::usleep(10'000);
  }
  return false;
}

Task<> abort_after(Cancel cancel, Milliseconds delay) {
  co_await sleep_for(delay);
  cancel.request(CancelGrade::abort_step);
}

class RunProcess : public ::testing::Test {
 protected:
  void TearDown() override { EXPECT_TRUE(children().empty()) << "a child or zombie was left behind"; }

  static ProcessSpec spec(std::vector<std::string> argv) {
    ProcessSpec result;
    result.argv = std::move(argv);
    result.environment = clean_environment();
    return result;
  }
  static ProcessSpec bash(const std::string& script) { return spec({"bash", "-c", script}); }
  ProcessResult run(ProcessSpec spec, Cancel cancel = {}) { return run_task(io_, run_process(std::move(spec), std::move(cancel))); }
  ErrorKind error_of(ProcessSpec spec) {
    try {
      run(std::move(spec));
    } catch (const Error& error) {
      return error.kind();
    }
    ADD_FAILURE() << "it was started";
    return ErrorKind::internal;
  }

  boost::asio::io_context io_;
};

TEST_F(RunProcess, GivesExitCodeAndBothOutputsApart) {
  const auto result = run(bash("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(result.exit_code, 7);
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.error_tail, "err\n");
  EXPECT_FALSE(result.ok() || result.timed_out || result.aborted || result.output_truncated);
}

TEST_F(RunProcess, TellsTheSignalThatKilledIt) { EXPECT_EQ(run(bash("kill -9 $$")).exit_code, 128 + SIGKILL); }

TEST_F(RunProcess, HandsOnArgumentsByteForByte) {
  const std::vector<std::string> odd{"", " ", "a\nb", "\xff\xfe", "$(id)", "'\"", "-n", "*", std::string(100'000, 'x')};
  auto asked = spec({"printf", "%s\\0"});
  std::string expected;
  for (const auto& text : odd) {
    asked.argv.push_back(text);
    expected += text + '\0';
  }
  EXPECT_EQ(run(asked).output, expected);
}

TEST_F(RunProcess, RefusesWhatAnArgumentCannotHold) {
  EXPECT_EQ(error_of(spec({"echo", std::string("a\0b", 3)})), ErrorKind::invalid);
}

TEST_F(RunProcess, GivesExactlyTheEnvironmentAndFolderAsked) {
  auto asked = spec({"/bin/sh", "-c", "pwd; /usr/bin/env"});
  asked.environment = {"ONLY=this"};
  asked.folder = "/usr";
  const auto output = run(asked).output;
  EXPECT_EQ(output.rfind("/usr\n", 0), 0u);
  EXPECT_NE(output.find("ONLY=this\n"), std::string::npos);
  EXPECT_EQ(output.find("PATH="), std::string::npos);
}

TEST_F(RunProcess, WritesInputAndClosesIt) {
  auto asked = spec({"cat"});
  asked.input = std::string(3'000'000, 'i') + "end";
  EXPECT_EQ(run(asked).output, asked.input);
  EXPECT_EQ(run(spec({"cat"})).output, "");
  asked.argv = {"true"};
  EXPECT_TRUE(run(asked).ok());
}

TEST_F(RunProcess, ThrowsWhenTheProgramCannotBeStarted) {
  EXPECT_EQ(error_of(spec({"no-such-program-anywhere"})), ErrorKind::not_found);
  EXPECT_EQ(error_of(spec({"/no/such/program"})), ErrorKind::not_found);
  EXPECT_EQ(error_of(spec({"/etc/passwd"})), ErrorKind::denied);
  auto lost = spec({"true"});
  lost.folder = "/no/such/folder";
  EXPECT_EQ(error_of(lost), ErrorKind::not_found);
}

TEST_F(RunProcess, EndsAChildThatExceedsItsDeadline) {
  auto asked = bash("sleep 600");
  asked.deadline = Milliseconds(200);
  const auto result = run(asked);
  EXPECT_TRUE(result.timed_out);
  EXPECT_FALSE(result.aborted);
  EXPECT_FALSE(result.ok());
}

TEST_F(RunProcess, LetsAChildAnswerTheInterrupt) {
  auto asked = bash("trap 'echo tidied; exit 0' INT; echo ready; while :; do sleep 0.05; done");
  asked.deadline = Milliseconds(1'500);
  const auto result = run(asked);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "ready\ntidied\n");
}

TEST_F(RunProcess, KillsAChildThatIgnoresTheInterruptWithItsWholeGroup) {
  auto asked = bash("trap '' INT TERM; sleep 600 & echo $!; wait; wait; sleep 600");
  asked.deadline = Milliseconds(1'000);
  asked.grace = Milliseconds(200);
  const auto result = run(asked);
  EXPECT_EQ(result.exit_code, 128 + SIGKILL);
  ASSERT_FALSE(result.output.empty());
  EXPECT_TRUE(gone(result.output.substr(0, result.output.find('\n'))));
}

TEST_F(RunProcess, AbortsOnRequestAndSaysSo) {
  Cancel cancel;
  TaskGroup group(io_.get_executor());
  group.spawn(abort_after(cancel, Milliseconds(200)));
  const auto result = run(bash("sleep 600"), cancel);
  EXPECT_TRUE(result.aborted);
  EXPECT_FALSE(result.timed_out);
  EXPECT_EQ(result.exit_code, 128 + SIGINT);
  run_task(io_, group.join());
}

TEST_F(RunProcess, IsNotStartedAfterAnAbort) {
  Cancel cancel;
  cancel.request(CancelGrade::abort_step);
  const auto file = fs::temp_directory_path() / ("kd-process-" + std::to_string(::getpid()));
  const auto result = run(spec({"touch", file.string()}), cancel);
  EXPECT_TRUE(result.aborted);
  EXPECT_FALSE(fs::exists(file));
}

TEST_F(RunProcess, AFinishStepRequestDoesNotDisturbIt) {
  Cancel cancel;
  cancel.request(CancelGrade::finish_step);
  EXPECT_TRUE(run(bash("sleep 0.1"), cancel).ok());
}

TEST_F(RunProcess, ACancelledWaitEndsTheChildAndTheCallerGoesOn) {
  const auto outer = [](ProcessSpec asked) -> Task<> { co_await run_process(std::move(asked), Cancel()); };
  EXPECT_THROW(run_task(io_, with_timeout(outer(bash("sleep 600")), Milliseconds(200), "the sleeper")), Error);
  EXPECT_TRUE(run(bash("true")).ok());
}

TEST_F(RunProcess, ReturnsAlthoughADaemonKeepsThePipesOpen) {
  const auto result = run(bash("sleep 600 & echo $!"));
  EXPECT_TRUE(result.ok());
  EXPECT_LT(result.seconds, 300);
  EXPECT_TRUE(gone(result.output.substr(0, result.output.find('\n'))));
}

TEST_F(RunProcess, ReturnsAlthoughADaemonLeftTheGroupWithThePipes) {
  const auto result = run(bash("setsid bash -c 'echo $$; exec sleep 600' & sleep 1"));
  EXPECT_TRUE(result.ok());
  EXPECT_LT(result.seconds, 300);
  const auto pid = result.output.substr(0, result.output.find('\n'));
  if (const int number = std::atoi(pid.c_str()); number > 1) ::kill(number, SIGKILL);
}

TEST_F(RunProcess, KeepsReadingAFloodButSaysThatItWasTooMuch) {
  auto asked = bash("head -c 50000000 /dev/zero; echo done >&2; head -c 3000000 /dev/zero | tr '\\0' x >&2; echo -n END >&2");
  asked.output_limit = 1'000'000;
  asked.error_limit = 1'000;
  const auto result = run(asked);
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_TRUE(result.output_truncated);
  EXPECT_FALSE(result.ok());
  EXPECT_EQ(result.output.size(), 1'000'000u);
  EXPECT_EQ(result.error_tail.size(), 1'000u);
  EXPECT_EQ(result.error_tail.substr(997), "END");
}

TEST_F(RunProcess, EndsAnEndlessFloodAtItsDeadline) {
  auto asked = bash("yes & yes >&2");
  asked.deadline = Milliseconds(500);
  asked.output_limit = 1'000;
  const auto result = run(asked);
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.output.size(), 1'000u);
}

TEST_F(RunProcess, HandsOnLinesAsTheyCome) {
  std::vector<std::string> lines, errors;
  auto asked = bash("printf 'a\\nb\\r\\n\\nlast'; printf 'one\\rtwo\\nthree' >&2");
  asked.on_output_line = [&](const std::string& line) { lines.push_back(line); };
  asked.on_error_line = [&](const std::string& line) { errors.push_back(line); };
  const auto result = run(asked);
  EXPECT_EQ(lines, (std::vector<std::string>{"a", "b\r", "last"}));
  EXPECT_EQ(errors, (std::vector<std::string>{"one", "two", "three"}));
  EXPECT_TRUE(result.output.empty());
  EXPECT_EQ(result.error_tail, "one\rtwo\nthree");
}

TEST_F(RunProcess, EndsTheChildWhenAListenerThrows) {
  auto asked = bash("while :; do echo line; sleep 0.01; done");
  asked.on_output_line = [](const std::string&) { throw Error(ErrorKind::invalid, "cannot read that"); };
  EXPECT_EQ(error_of(asked), ErrorKind::invalid);
}

TEST_F(RunProcess, LeaksNoDescriptorIntoTheChildNorHere) {
  run(bash("true"));
  const auto before = open_descriptors();
  const int stray = ::dup(0);
  for (int i = 0; i < 20; ++i) run(bash("true"));
  const auto inside = run(spec({"ls", "/proc/self/fd"})).output;
  ::close(stray);
  EXPECT_EQ(open_descriptors(), before);
  // 3 is the folder that ls reads.
  std::istringstream numbers(inside);
  for (std::string number; numbers >> number;) {
    EXPECT_TRUE(number == "0" || number == "1" || number == "2" || number == "3") << inside;
  }
  EXPECT_EQ(run(bash("test -e /proc/self/fd/" + std::to_string(stray) + " && echo leaked")).output.find("leaked"), std::string::npos);
}

TEST_F(RunProcess, StartsWithDefaultSignalsWhateverWeIgnore) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const auto ignored = run(spec({"grep", "Sig[BI]", "/proc/self/status"})).output;
  ::signal(SIGPIPE, before);
  EXPECT_EQ(ignored, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
}

TEST_F(RunProcess, LeadsAGroupOfItsOwn) {
  const auto result = run(bash("ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat; echo $$"));
  std::istringstream numbers(result.output);
  long group = 0, pid = 0;
  numbers >> group >> pid;
  EXPECT_EQ(group, pid);
  EXPECT_NE(group, ::getpgrp());
}

TEST_F(RunProcess, DiesWithItsParent) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const pid_t parent = ::fork();
  if (parent == 0) {
    boost::asio::io_context io;
    ProcessSpec asked = bash("echo $$; exec sleep 600");
    asked.on_output_line = [&](const std::string& line) {
      [[maybe_unused]] const auto count = ::write(ends[1], line.data(), line.size());
      ::kill(::getpid(), SIGKILL);
    };
    run_task(io, run_process(asked, Cancel()));
    ::_exit(0);
  }
  ::close(ends[1]);
  char buffer[32]{};
  ASSERT_GT(::read(ends[0], buffer, sizeof buffer - 1), 0);
  ::close(ends[0]);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(gone(buffer));
}

TEST_F(RunProcess, ManyRunSideBySide) {
  static constexpr auto one = [](int number, int& sum) -> Task<> {
    ProcessSpec asked = bash("echo $((" + std::to_string(number) + " * 2))");
    const auto result = co_await run_process(std::move(asked), Cancel());
    sum += std::atoi(result.output.c_str());
  };
  int sum = 0;
  TaskGroup group(io_.get_executor());
  for (int i = 0; i < 50; ++i) group.spawn(one(i, sum));
  run_task(io_, group.join());
  EXPECT_EQ(sum, 49 * 50);
}

using Descriptor = boost::asio::posix::stream_descriptor;

/// Closes `other` while an event of it waits in the queue, and runs a child at once: asio gives the state of the closed
/// descriptor, with that event, to the next one that is opened.
Task<ProcessResult> run_after_closing(Descriptor& first, Descriptor& other, ProcessSpec asked) {
  co_await first.async_wait(Descriptor::wait_read, boost::asio::use_awaitable);
  other.close();
  co_return co_await run_process(std::move(asked), Cancel());
}

Task<> write_later(int one, int two) {
  co_await sleep_for(Milliseconds(50));
  for (const int peer : {one, two}) {
    if (::write(peer, "x", 1) != 1) throw std::runtime_error("write");
  }
}

TEST_F(RunProcess, AnEventOfAnotherDescriptorIsNotTakenForAnExit) {
  // It closes its pipes before it ends, as find does: nothing else then tells that it is still at work.
  int first[2], second[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, first), 0);
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, second), 0);
  Descriptor one(io_, first[0]), other(io_, second[0]);
  other.async_wait(Descriptor::wait_read, [](const boost::system::error_code&) {});
  TaskGroup group(io_.get_executor());
  group.spawn(write_later(first[1], second[1]));
  const auto result = run_task(io_, run_after_closing(one, other, bash("echo whole; exec >&- 2>&-; sleep 0.3")));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "whole\n");
  ::close(first[1]);
  ::close(second[1]);
}

TEST(CleanEnvironment, KeepsOrdinaryNamesAndDropsSecretsOfOthers) {
  for (const auto* name : {"KOPI_DOCKA_PASSWORD", "KOPIA_PASSWORD", "RESTIC_PASSWORD", "AWS_SECRET_ACCESS_KEY", "AZURE_STORAGE_KEY"}) {
    ::setenv(name, "secret", 1);
  }
  ::setenv("ORDINARY", "kept", 1);
  const auto environment = clean_environment();
  EXPECT_NE(std::find(environment.begin(), environment.end(), "ORDINARY=kept"), environment.end());
  for (const auto& entry : environment) EXPECT_EQ(entry.find("=secret"), std::string::npos) << entry;
}

}  // namespace
}  // namespace kopidocka
