#include "docker/event_stream.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>

#include "support/docker_fixture.hpp"
#include "support/run_task.hpp"
#include "system/docker/cutting_proxy.hpp"

namespace kopidocka {
namespace {
using namespace testing;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::StartsWith;

constexpr Milliseconds kPatience(20'000);

class RealEvents : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = DockerFixture::unavailable(); !why.empty()) GTEST_SKIP() << why;
    docker_.emplace("events");
    proxy_.emplace(io_);
    DockerSettings settings;
    settings.endpoint = proxy_->endpoint();
    client_ = std::make_unique<EngineClient>(io_.get_executor(), settings);
    EventCallbacks callbacks;
    callbacks.on_event = [this](const DockerEvent& event) { note(event); };
    callbacks.on_connected = [this] { news_.notify(); };
    callbacks.on_disconnected = [this](const Error& error) { errors_.push_back(error.text()); };
    stream_ = std::make_unique<EventStream>(io_.get_executor(), *client_, EventSettings(), callbacks);
  }

  /// Only what the test itself causes: others use the same engine.
  void note(const DockerEvent& event) {
    const auto name = event.attributes.find("name");
    const auto text = (name == event.attributes.end() ? event.actor_id : name->second);
    if (text.find(docker_->prefix()) == std::string::npos) return;
    slowest_ = std::max(slowest_, std::chrono::system_clock::now().time_since_epoch() -
                                      std::chrono::nanoseconds(event.time_nano));
    seen_.push_back(event.type + " " + event.action + (event.detail.empty() ? "" : ":" + event.detail) + " " +
                    text.substr(docker_->prefix().size()));
    news_.notify();
  }

  Task<> until_connected(std::uint64_t times) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (stream_->counters().connections < times) {
      if (std::chrono::steady_clock::now() > give_up) throw Error(ErrorKind::timeout, "never connected");
      co_await news_.wait_for(Milliseconds(50));
    }
  }

  Task<> until_seen(std::string event) {
    const auto give_up = std::chrono::steady_clock::now() + kPatience;
    while (std::find(seen_.begin(), seen_.end(), event) == seen_.end()) {
      if (std::chrono::steady_clock::now() > give_up) throw Error(ErrorKind::timeout, "never seen: " + event);
      co_await news_.wait_for(Milliseconds(50));
    }
  }

  Task<> stop_after(Task<> story) {
    std::exception_ptr error;
    try {
      co_await std::move(story);
    } catch (...) {
      error = std::current_exception();
    }
    stream_->stop();
    if (error) std::rethrow_exception(error);
  }

  Task<> together(Task<> story) {
    TaskGroup group(io_.get_executor());
    group.spawn(stream_->run(Cancel()));
    group.spawn(stop_after(std::move(story)));
    co_await group.join();
  }

  void tell(Task<> story) { run_task(io_, together(std::move(story))); }

  Task<> life_of_a_container() {
    co_await until_connected(1);
    const auto volume = docker_->volume("data");
    const auto network = docker_->network("net");
    const auto id =
        docker_->run("web", {"--volume", volume + ":/data", "--network", network}, {"sleep", "600"});
    docker_->docker({"exec", id, "true"});
    docker_->docker({"pause", id});
    docker_->docker({"unpause", id});
    docker_->docker({"rename", id, docker_->name("web2")});
    docker_->docker({"update", "--memory-reservation", "64m", id});
    docker_->docker({"stop", "--time", "0", id});
    docker_->docker({"rm", id});
    docker_->docker({"volume", "rm", volume});
    docker_->docker({"network", "rm", network});
    co_await until_seen("network destroy net");
  }

  Task<> cut_twice() {
    co_await until_connected(1);
    const auto first = docker_->run("first", {}, {"sleep", "600"});
    co_await until_seen("container start first");
    proxy_->cut();
    const auto second = docker_->run("second", {}, {"sleep", "600"});  // nobody listens now
    co_await until_seen("container start second");
    proxy_->cut();
    docker_->docker({"rm", "--force", second});
    docker_->docker({"rm", "--force", first});
    co_await until_seen("container destroy first");
    co_await until_connected(3);
    const auto third = docker_->run("third", {}, {"sleep", "600"});
    co_await until_seen("container start third");
  }

  Task<> stops_and_starts() {
    co_await until_connected(1);
    const auto id = docker_->create("web", {}, {"sleep", "600"});
    co_await until_seen("container create web");
    slowest_ = {};
    co_await client_->start_container(id);
    co_await until_seen("container start web");
    const auto direct = slowest_;
    slowest_ = {};
    proxy_->cut();
    co_await client_->stop_container(id, 0);
    co_await until_seen("container die web");
    RecordProperty("milliseconds", std::to_string(in_milliseconds(direct)));
    RecordProperty("milliseconds_after_a_cut", std::to_string(in_milliseconds(slowest_)));
  }

  static std::int64_t in_milliseconds(std::chrono::nanoseconds time) {
    return std::chrono::duration_cast<Milliseconds>(time).count();
  }

  Task<> health() {
    co_await until_connected(1);
    docker_->run("web", {"--health-cmd", "true", "--health-interval", "1s"}, {"sleep", "600"});
    co_await until_seen("container health_status:healthy web");
  }

  Task<> list_after_connecting() {
    const auto before = docker_->run("before", {}, {"sleep", "600"});
    co_await until_connected(1);
    const auto listed = co_await client_->list_containers();
    EXPECT_THAT(listed, Contains(before));
    const auto after = docker_->run("after", {}, {"sleep", "600"});
    co_await until_seen("container start after");
  }

  Task<> denied_at_first() {
    for (int i = 0; i < 400 && errors_.empty(); ++i) co_await sleep_for(Milliseconds(50));
  }

  size_t times(const std::string& event) const {
    return static_cast<size_t>(std::count(seen_.begin(), seen_.end(), event));
  }

  boost::asio::io_context io_;
  Signal news_{io_.get_executor()};
  std::optional<DockerFixture> docker_;
  std::optional<CuttingProxy> proxy_;
  std::unique_ptr<EngineClient> client_;
  std::unique_ptr<EventStream> stream_;
  std::vector<std::string> seen_;
  std::vector<std::string> errors_;
  std::chrono::nanoseconds
      slowest_{};  ///< from the engine's time to ours, noted in the report and never asserted
};

TEST_F(RealEvents, TellTheLifeOfAContainerItsVolumesAndNetworks) {
  tell(life_of_a_container());
  EXPECT_THAT(seen_, IsSupersetOf({"volume create data", "network create net", "container create web",
                                   "container start web", "network connect net", "container pause web",
                                   "container unpause web", "container rename web2", "container update web2",
                                   "container die web2", "container destroy web2", "volume destroy data"}));
  for (const auto& event : seen_) EXPECT_THAT(event, Not(StartsWith("container exec")));
  EXPECT_EQ(stream_->counters().unreadable, 0u);
}

TEST_F(RealEvents, AreNeitherLostNorRepeatedWhenTheConnectionIsCut) {
  tell(cut_twice());
  for (const auto* name : {"first", "second"}) {
    for (const auto* action : {"create", "start", "die", "destroy"}) {
      const auto event = std::string("container ") + action + " " + name;
      EXPECT_EQ(times(event), 1u) << event;
    }
  }
  EXPECT_EQ(times("container start third"), 1u);
  EXPECT_EQ(stream_->counters().reconnects, 2u);
  EXPECT_GT(stream_->counters().duplicates, 0u) << "the engine replays, we drop";
  EXPECT_EQ(errors_.size(), 2u);
}

TEST_F(RealEvents, ArriveWhileTheDaemonStopsAndStarts) { tell(stops_and_starts()); }

TEST_F(RealEvents, TellAboutHealthWithoutTheNoiseOfTheChecks) {
  tell(health());
  for (const auto& event : seen_) EXPECT_THAT(event, Not(StartsWith("container exec")));
}

TEST_F(RealEvents, AreSubscribedBeforeTheListIsMade) { tell(list_after_connecting()); }

TEST_F(RealEvents, ADenyingProxyIsToldAndTriedAgain) {
  proxy_->deny("/events");
  tell(denied_at_first());
  ASSERT_FALSE(errors_.empty());
  EXPECT_THAT(errors_.front(), ::testing::HasSubstr("GET /events"));
  EXPECT_EQ(stream_->counters().connections, 0u);
}

}  // namespace
}  // namespace kopidocka
