#include "daemon/daemon.hpp"

#include <gmock/gmock.h>

#include <csignal>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "daemon_world.hpp"
#include "unit/docker/stub_engine.hpp"

namespace kopidocka {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;
namespace asio = boost::asio;
using asio::ip::tcp;

const std::string kRival(64, 'f');

std::uint16_t free_port(asio::io_context& io) {
  return tcp::acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)).local_endpoint().port();
}

/// The whole daemon on an engine that has at most one container, another sidecar, and on a repository that is not there.
struct WholeDaemon {
  WholeDaemon()
      : folder(std::filesystem::temp_directory_path() / ("kd-whole-" + make_uuid())),
        stub(io, [this](const std::string& target) { return answer(target); }),
        port(free_port(io)) {}
  ~WholeDaemon() { std::filesystem::remove_all(folder); }

  StubAnswer answer(const std::string& target) {
    if (target.find("/_ping") != std::string::npos) return ping_answer("1.41");
    if (target.find("/info") != std::string::npos) return json_answer(200, R"({"ID":"E","Name":"stub","ServerVersion":"20.10"})");
    if (target.find("/containers/json") != std::string::npos) return json_answer(200, rival ? R"([{"Id":")" + kRival + R"("}])" : "[]");
    if (target.find("/containers/" + kRival) != std::string::npos) return rival ? json_answer(200, inspected()) : json_answer(404, "{}");
    if (target.find("/volumes") != std::string::npos) return json_answer(200, R"({"Volumes":[]})");
    if (target.find("/events") == std::string::npos) return json_answer(404, "{}");
    StubAnswer stream;
    stream.bytes = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.hold = true;
    return stream;
  }
  std::string inspected() const {
    return R"({"Id":")" + kRival + R"(","Name":"/other","State":{"Status":"running","StartedAt":"2026-01-01T00:00:00Z"},)"
           R"("Config":{"Labels":{"kopi-docka.role":"sidecar"}}})";
  }
  void tell(const std::string& action) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const auto event = R"({"Type":"container","Action":")" + action + R"(","Actor":{"ID":")" + kRival + R"("},"time":)" +
                       std::to_string(std::chrono::duration_cast<Seconds>(now).count()) + R"(,"timeNano":)" +
                       std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count()) + "}\n";
    char size[16];
    std::snprintf(size, sizeof size, "%zx", event.size());
    stub.send(std::string(size) + "\r\n" + event + "\r\n");
  }

  Task<std::string> metrics() {
    tcp::socket socket(io);
    boost::system::error_code code;
    co_await socket.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), port), asio::redirect_error(asio::use_awaitable, code));
    const std::string request = "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    if (!code) co_await asio::async_write(socket, asio::buffer(request), asio::redirect_error(asio::use_awaitable, code));
    std::string text;
    if (!code) co_await asio::async_read(socket, asio::dynamic_buffer(text), asio::redirect_error(asio::use_awaitable, code));
    co_return text;
  }

  /// Waits until the log has this line.
  Task<bool> logged(std::string text) {
    for (int round = 0; round < 200; ++round) {
      log += ::testing::internal::GetCapturedStderr();
      ::testing::internal::CaptureStderr();
      if (log.find(text) != std::string::npos) co_return true;
      co_await sleep_for(Milliseconds(50));
    }
    co_return false;
  }

  /// Runs a daemon while `story` goes on beside it.
  void run(Task<> (*story)(WholeDaemon&), std::vector<std::string> warnings = {}) {
    ::testing::internal::CaptureStderr();
    const auto settings = test_settings(folder, {{"DOCKER_HOST", "unix://" + stub.endpoint().path},
                                                 {"KOPI_DOCKA_LISTEN", "127.0.0.1:" + std::to_string(port)}});
    run_task(io, play(*this, story, settings, std::move(warnings)));
    (void)::testing::internal::GetCapturedStderr();
  }
  static Task<> play(WholeDaemon& world, Task<> (*story)(WholeDaemon&), Settings settings, std::vector<std::string> warnings) {
    Daemon daemon(world.io.get_executor(), std::move(settings), std::move(warnings));
    TaskGroup group(world.io.get_executor());
    group.spawn(daemon.run());
    co_await story(world);
    ::raise(SIGTERM);
    co_await group.join();
  }

  asio::io_context io;
  std::filesystem::path folder;
  bool rival = false;
  StubEngine stub;
  std::uint16_t port;
  std::string log;
};

Task<> requests_are_counted(WholeDaemon& world) {
  const bool started = co_await world.logged("repository: ");
  EXPECT_TRUE(started) << world.log;
  auto text = co_await world.metrics();
  for (int i = 0; i < 400 && text.find("operation=\"events\"") == std::string::npos; ++i) {
    co_await sleep_for(Milliseconds(25));
    text = co_await world.metrics();
  }
  EXPECT_THAT(text, HasSubstr("kopidocka_docker_request_duration_seconds_count{operation=\"list_containers\"}"));
  EXPECT_THAT(text, HasSubstr("kopidocka_docker_request_duration_seconds_count{operation=\"events\"}"));
  EXPECT_THAT(text, HasSubstr("kopidocka_filesystem_free_bytes{role=\"state\"}"));
  EXPECT_THAT(text, HasSubstr("kopidocka_filesystem_free_bytes{role=\"cache\"}"));
}

TEST(WholeDaemonRun, RequestsToDockerAndItsOwnFoldersAreInTheMetrics) {
  WholeDaemon world;
  world.run(&requests_are_counted);
}

Task<> wait_for_warning(WholeDaemon& world) {
  const bool told = co_await world.logged("warning settings: the file is open to everybody");
  EXPECT_TRUE(told) << world.log;
}

TEST(WholeDaemonRun, WarningsOfTheSettingsAreLoggedAtStart) {
  WholeDaemon world;
  world.run(&wait_for_warning, {"the file is open to everybody"});
}

Task<> see_a_rival_come_and_go(WholeDaemon& world) {
  const bool started = co_await world.logged("repository: ");
  EXPECT_TRUE(started) << world.log;
  EXPECT_THAT(world.log, Not(HasSubstr("container other")));
  world.rival = true;
  world.tell("start");
  const bool seen = co_await world.logged("container other is a kopi-docka that works on this Docker Engine already");
  EXPECT_TRUE(seen) << world.log;
  world.rival = false;
  world.tell("die");
  const bool gone = co_await world.logged("it is our turn");
  EXPECT_TRUE(gone) << world.log;
}

TEST(WholeDaemonRun, StepsBackWhenAnotherSidecarActsAndTakesOverWhenItEnds) {
  WholeDaemon world;
  world.run(&see_a_rival_come_and_go);
}

Task<> wait_with_debts(WholeDaemon& world) {
  const bool waits = co_await world.logged("container other is a kopi-docka");
  EXPECT_TRUE(waits) << world.log;
  EXPECT_TRUE(std::filesystem::is_empty(world.folder / "state" / "journal")) << "what was owed was paid before";
  EXPECT_THAT(world.log, Not(HasSubstr("repository: "))) << "nothing is opened or made while another one acts";
}

TEST(WholeDaemonRun, PaysItsDebtsBeforeItWaitsForARival) {
  WholeDaemon world;
  world.rival = true;
  const auto run = make_uuid();
  std::filesystem::create_directories(world.folder / "state" / "journal");
  JournalRecord begin;
  begin.run = run;
  begin.unit = "shop";
  begin.kind = "restore";
  begin.engine_id = "E";
  std::ofstream(world.folder / "state" / "journal" / (run + ".journal")) << to_line(begin) << "\n";
  world.run(&wait_with_debts);
}

}  // namespace
}  // namespace kopidocka
