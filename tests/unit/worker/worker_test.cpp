#include "worker/worker.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

#include "unit/worker/trees.hpp"
#include "worker/worker_main.hpp"

namespace kopidocka {
namespace {

namespace fs = std::filesystem;

template <class T>
T run(Task<T> task) {
  boost::asio::io_context context;
  std::optional<T> value;
  std::exception_ptr failure;
  boost::asio::co_spawn(context, std::move(task), [&](std::exception_ptr error, T result) {
    failure = error;
    if (!error) value = std::move(result);
  });
  context.run();
  if (failure) std::rethrow_exception(failure);
  return std::move(*value);
}

class WorkerChild : public testing::Test {
 protected:
  test::Playground ground;
  Worker worker{"/proc/self/exe"};
  std::string self = fs::read_symlink("/proc/self/exe").string();

  void SetUp() override { worker = Worker(self); }

  /// A binary that hangs when it is asked about a path with "dead" in it, as a dead network mount would make it.
  std::string half_dead() {
    const auto path = ground / "half-dead";
    test::write(path, "#!/bin/sh\nrequest=$(cat)\ncase $request in *dead*) exec sleep 60;; esac\nprintf %s \"$request\" | exec '" + self +
                          "' worker\n", 0755);
    return path;
  }
};

TEST_F(WorkerChild, TellsWhatPathsAreLike) {
  fs::create_directory(ground / "folder");
  test::write(ground / "folder/file", "x");
  fs::create_directory(ground / "empty");
  fs::create_symlink("folder", ground / "link");
  ASSERT_EQ(::mkfifo((ground / "fifo").c_str(), 0600), 0);
  const auto facts = run(worker.probe({ground / "folder", ground / "folder/file", ground / "empty", ground / "link", ground / "fifo",
                                       ground / "missing", "/proc"},
                                      Cancel()));
  ASSERT_EQ(facts.size(), 7u);
  EXPECT_EQ(facts[0].kind, PathKind::folder);
  EXPECT_FALSE(facts[0].empty);
  EXPECT_TRUE(facts[0].writable);
  EXPECT_GT(facts[0].bytes_total, 0u);
  EXPECT_NE(facts[0].inode, 0u);
  EXPECT_FALSE(facts[0].file_system.empty());
  EXPECT_EQ(facts[1].kind, PathKind::file);
  EXPECT_TRUE(facts[2].empty);
  EXPECT_TRUE(facts[3].symlink);
  EXPECT_EQ(facts[3].inode, facts[0].inode);
  EXPECT_EQ(facts[4].kind, PathKind::other);
  EXPECT_EQ(facts[5].kind, PathKind::missing);
  EXPECT_EQ(facts[5].problem, "");
  EXPECT_TRUE(facts[6].mount_point);
  EXPECT_EQ(facts[6].file_system, "proc");
}

TEST_F(WorkerChild, APathThatDoesNotAnswerDoesNotHideTheOthers) {
  const Worker impatient(half_dead(), Milliseconds(1'500));
  const auto facts = run(impatient.probe({ground / "dead-mount", ground.root().string()}, Cancel()));
  ASSERT_EQ(facts.size(), 2u);
  EXPECT_EQ(facts[0].path, ground / "dead-mount");
  EXPECT_NE(facts[0].problem.find("did not answer"), std::string::npos);
  EXPECT_EQ(facts[1].kind, PathKind::folder);
  EXPECT_EQ(facts[1].problem, "");
}

TEST_F(WorkerChild, ReadsRegularFilesByteForByteAndNothingElse) {
  const std::string bytes("\xff\x00 text\r\n\xc3", 9);
  test::write(ground / ".env", bytes, 0640);
  fs::create_symlink(".env", ground / "link");
  ASSERT_EQ(::mkfifo((ground / "fifo").c_str(), 0600), 0);
  const auto files = run(worker.read_files(
      {{ground / ".env"}, {ground / "link"}, {ground / "fifo"}, {ground / "missing"}, {ground.root()}, {ground / ".env", 8}}, Cancel()));
  ASSERT_EQ(files.size(), 6u);
  EXPECT_EQ(files[0].content, bytes);
  EXPECT_EQ(files[0].mode, 0640u);
  EXPECT_GT(files[0].mtime_seconds, 0);
  EXPECT_EQ(files[1].content, bytes);
  for (size_t i = 2; i < 6; ++i) {
    EXPECT_FALSE(files[i].problem.empty()) << i;
    EXPECT_TRUE(files[i].content.empty()) << i;
  }
}

TEST_F(WorkerChild, FindsFilesByPatternInTheFolderItself) {
  fs::create_directory(ground / ".env.d");
  fs::create_directory(ground / "below");
  for (const auto* name : {".env", ".env.prod", "app.conf", "readme.md", "below/.env"}) test::write(ground / name, "x");
  const auto found = run(worker.find_files({ground.root(), ground / "missing"}, {".env*", "*.conf"}, Cancel()));
  EXPECT_EQ(found, (std::vector<std::string>{ground / ".env", ground / ".env.prod", ground / "app.conf"}));
}

TEST_F(WorkerChild, MeasuresTreesWithoutFollowingLinks) {
  fs::create_directory(ground / "tree");
  test::write(ground / "tree/a", std::string(1000, 'a'));
  test::write(ground / "tree/b", std::string(500, 'b'));
  fs::create_directory_symlink("/usr", ground / "tree/usr");
  const auto usage = run(worker.usage({ground / "tree", ground / "missing"}, Milliseconds(5'000), Cancel()));
  EXPECT_EQ(usage[0].bytes, 1500u);
  EXPECT_EQ(usage[0].entries, 4u);
  EXPECT_TRUE(usage[0].complete);
  EXPECT_FALSE(usage[1].complete);
}

TEST_F(WorkerChild, CarriesARestoreThroughItsProcess) {
  test::make_tree(ground / "data", "old", 9);
  const auto original = test::image_of(ground / "data");
  const auto place = run(worker.prepare_place({.target = ground / "data", .host_path = "/srv/data", .run_id = "r1", .single_file = false, .scratch = {}, .make_parents = false}, Cancel()));
  test::make_tree(place.staging, "fresh", 9);
  const auto restored = test::image_of(place.staging);
  EXPECT_FALSE(run(worker.state(place, Cancel())).touched);
  EXPECT_TRUE(run(worker.swap_in(place, Milliseconds(20'000), Cancel())).swapped);
  EXPECT_EQ(test::image_of(ground / "data"), restored);
  EXPECT_FALSE(run(worker.swap_back(place, Milliseconds(20'000), Cancel())).swapped);
  EXPECT_EQ(test::image_of(ground / "data"), original);
  EXPECT_FALSE(run(worker.discard(place, Discard::both, Milliseconds(20'000), Cancel())).staged);
}

TEST_F(WorkerChild, ReportsTheChildsErrorWithItsKind) {
  try {
    run(worker.prepare_place({.target = "/etc/x", .host_path = {}, .run_id = "r1", .single_file = false, .scratch = {}, .make_parents = false}, Cancel()));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::refused);
    EXPECT_NE(error.text().find("prepare /etc/x"), std::string::npos);
    EXPECT_FALSE(error.next_step().empty());
  }
}

TEST_F(WorkerChild, ABinaryThatIsNoWorkerIsAnError) {
  for (const auto* binary : {"/bin/true", "/bin/cat"}) {
    const Worker stranger(binary);
    EXPECT_THROW(run(stranger.probe({"/srv"}, Cancel())), Error) << binary;
  }
}

int ask(const std::string& request, nlohmann::json& answer) {
  std::istringstream in(request);
  std::ostringstream out;
  const int code = worker_main(in, out);
  answer = nlohmann::json::parse(out.str());
  return code;
}

TEST(WorkerMain, AnswersHostileRequestsWithAnError) {
  const auto hostile = {std::string(),
                        std::string("{"),
                        std::string("[]"),
                        std::string("null"),
                        std::string("{\"operation\":1}"),
                        std::string("{\"operation\":\"format\"}"),
                        std::string("{\"operation\":\"probe\"}"),
                        std::string("{\"operation\":\"probe\",\"paths\":{}}"),
                        std::string("{\"operation\":\"probe\",\"paths\":[1]}"),
                        std::string("{\"operation\":\"probe\",\"paths\":[\"/a\\u0000b\"]}"),
                        std::string("{\"operation\":\"swap_in\",\"place\":{\"mode\":\"rename\"}}"),
                        std::string("{\"operation\":\"read_files\",\"files\":[{\"path\":\"/x\",\"limit\":\"all\"}]}"),
                        std::string("\xff\xfe"),
                        std::string(100'000, '['),
                        std::string(5u << 20, ' ')};
  for (const auto& request : hostile) {
    nlohmann::json answer;
    EXPECT_NE(ask(request, answer), 0) << request.substr(0, 60);
    EXPECT_TRUE(answer.contains("error")) << request.substr(0, 60);
    EXPECT_LT(answer.dump().size(), 1000u);
  }
}

TEST(WorkerMain, TakesNoPlaceThatWasForged) {
  for (const auto* run_id : {"../../etc", "", "a/b"}) {
    nlohmann::json answer;
    const nlohmann::json place = {{"mode", "rename"}, {"target", "/tmp/kd-nothing/x"}, {"run_id", run_id}, {"staging", "/etc"}, {"scratch", ""}, {"single_file", false}};
    EXPECT_EQ(ask(nlohmann::json{{"operation", "discard"}, {"place", place}, {"what", "both"}}.dump(), answer), 1);
    EXPECT_EQ(answer["error"]["kind"], "refused");
  }
}

}  // namespace
}  // namespace kopidocka
