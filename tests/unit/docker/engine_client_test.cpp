#include "docker/engine_client.hpp"

#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "support/run_task.hpp"
#include "unit/docker/stub_engine.hpp"

namespace kopidocka {
namespace {
using namespace testing;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class EngineClientTest : public ::testing::Test {
 protected:
  EngineClient client_of(const Endpoint& endpoint) {
    DockerSettings settings;
    settings.endpoint = endpoint;
    settings.request_limit = Milliseconds(limit_);
    settings.start_limit = Milliseconds(limit_);
    settings.stop_margin = Milliseconds(limit_);
    settings.body_limit = 1u << 20;
    return EngineClient(io_.get_executor(), settings);
  }

  /// The stub answers pings as an engine of 1.41 and everything else by `script`.
  StubEngine::Script engine(StubEngine::Script script) {
    return [script](const std::string& target) {
      return target.find("/_ping") != std::string::npos ? ping_answer("1.41") : script(target);
    };
  }

  template <class T>
  Error error_of(Task<T> task) {
    try {
      run_task(io_, std::move(task));
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::internal, "no error was thrown"};
  }

  Error list_error(StubAnswer answer) {
    StubEngine stub(io_, engine([answer](const std::string&) { return answer; }));
    auto client = client_of(stub.endpoint());
    return error_of(client.list_containers());
  }

  boost::asio::io_context io_;
  int limit_ = 5000;
};

TEST_F(EngineClientTest, SpeaksTheEnginesVersionWhenThatIsOlderThanOurs) {
  StubEngine stub(
      io_, engine([](const std::string&) { return json_answer(200, R"([{"Id":"a1"},{"Id":"b2"}])"); }));
  auto client = client_of(stub.endpoint());
  EXPECT_THAT(run_task(io_, client.list_containers()), ElementsAre("a1", "b2"));
  EXPECT_THAT(stub.requests(), ElementsAre("GET /_ping", "GET /v1.41/containers/json?all=1"));
}

TEST_F(EngineClientTest, TellsOfEveryRequestByAWordAndHowItEnded) {
  StubEngine stub(io_, engine([](const std::string& target) {
    return target.find("/start") != std::string::npos ? json_answer(500, R"({"message":"no"})") : json_answer(200, "[]");
  }));
  std::vector<std::string> told;
  DockerSettings settings;
  settings.endpoint = stub.endpoint();
  settings.on_request = [&](const DockerRequest& request) {
    EXPECT_GE(request.seconds, 0);
    told.push_back(std::string(request.operation) + (request.error ? " " + std::string(to_string(*request.error)) : ""));
  };
  EngineClient client(io_.get_executor(), settings);
  run_task(io_, client.list_containers());
  EXPECT_EQ(error_of(client.start_container(std::string(64, 'a'))).kind(), ErrorKind::failed);
  EXPECT_THAT(told, ElementsAre("ping", "list_containers", "start_container failed"));
}

TEST(DockerRequests, AreNamedByAShortListOfWords) {
  EXPECT_EQ(operation_of("GET /containers/abc/json"), "inspect_container");
  EXPECT_EQ(operation_of("POST /containers/abc/stop"), "stop_container");
  EXPECT_EQ(operation_of("POST /containers/abc/pause"), "pause_container");
  EXPECT_EQ(operation_of("POST /containers/abc/unpause"), "unpause_container");
  EXPECT_EQ(operation_of("GET /networks/a b"), "inspect_network");
  EXPECT_EQ(operation_of("GET /events"), "events");
  EXPECT_EQ(operation_of("GET /info"), "info");
  EXPECT_EQ(operation_of("GET /volumes"), "list_volumes");
  EXPECT_EQ(operation_of("GET /whatever/abc"), "other");
  EXPECT_EQ(operation_of(""), "other");
}

std::vector<std::string> many_ids(size_t count) {
  std::vector<std::string> ids;
  for (size_t i = 0; i < count; ++i) ids.push_back(std::string(60, 'a') + std::to_string(1000 + i));
  return ids;
}

StubAnswer container_answer(const std::string& target) {
  return json_answer(200, R"({"Id":")" + target.substr(target.rfind("containers/") + 11, 64) + R"("})");
}

TEST_F(EngineClientTest, ManyQuestionsInARowShareAFewConnections) {
  StubEngine stub(io_, engine(container_answer));
  auto client = client_of(stub.endpoint());
  const auto found = run_task(io_, inspect_all(client, many_ids(100), 4));
  ASSERT_EQ(found.size(), 100u);
  EXPECT_EQ(found.back().id, many_ids(100).back());
  EXPECT_LE(stub.connections(), 2 * 4u) << "each of the four asked for the version first";
  const auto before = stub.connections();
  (void)run_task(io_, client.inspect_container(many_ids(1).front()));
  EXPECT_EQ(stub.connections(), before + 1) << "nothing is kept when they have been answered";
}

TEST_F(EngineClientTest, AKeptConnectionThatWasClosedIsReplaced) {
  size_t answers = 0;
  StubEngine stub(io_, engine([&](const std::string& target) {
    auto answer = container_answer(target);
    answer.hang_up = ++answers % 2 == 0;
    return answer;
  }));
  auto client = client_of(stub.endpoint());
  EXPECT_EQ(run_task(io_, inspect_all(client, many_ids(20), 1)).size(), 20u);
  EXPECT_EQ(stub.count("/json"), 20u) << "no answer was lost, none was asked for twice";
}

TEST_F(EngineClientTest, AChangeIsNeverSentOnAConnectionThatWasUsedBefore) {
  StubEngine stub(io_, engine([](const std::string& target) {
    return target.find("/start") != std::string::npos ? http_answer(204, "", "") : container_answer(target);
  }));
  auto client = client_of(stub.endpoint());
  const auto connections = client.keep_connections();
  (void)run_task(io_, client.inspect_container(many_ids(1).front()));
  const auto before = stub.connections();
  (void)run_task(io_, client.start_container(many_ids(1).front()));
  EXPECT_EQ(stub.connections(), before + 1);
}

TEST_F(EngineClientTest, SpeaksItsOwnNewestVersionWithANewerEngine) {
  StubEngine stub(io_, [](const std::string& target) {
    return target == "GET /_ping" ? ping_answer("1.77") : json_answer(200, "[]");
  });
  auto client = client_of(stub.endpoint());
  run_task(io_, client.list_containers());
  EXPECT_EQ(stub.count("/v1.56/containers/json"), 1u);
}

TEST_F(EngineClientTest, RefusesAnEngineThatIsTooOldAndSaysWhatIsNeeded) {
  StubEngine stub(io_, [](const std::string&) { return ping_answer("1.38"); });
  auto client = client_of(stub.endpoint());
  const auto error = error_of(client.info());
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.text(), HasSubstr("Docker Engine API 1.38 is too old: 1.40 or newer is needed"));
}

TEST_F(EngineClientTest, PassesOnWhyANewerEngineRefusesOurVersion) {
  const auto error = list_error(json_answer(
      400, R"({"message":"client version 1.56 is too old. Minimum supported API version is 1.60"})"));
  EXPECT_EQ(error.kind(), ErrorKind::refused);
  EXPECT_THAT(error.text(), HasSubstr("Minimum supported API version is 1.60"));
}

TEST_F(EngineClientTest, TakesTheVersionFromTheBodyWhenAProxyDropsTheHeader) {
  StubEngine stub(io_, [](const std::string& target) {
    if (target == "GET /_ping") return http_answer(200, "text/plain", "OK");
    if (target == "GET /version") return json_answer(200, R"({"ApiVersion":"1.45"})");
    return json_answer(200, "[]");
  });
  auto client = client_of(stub.endpoint());
  run_task(io_, client.list_containers());
  EXPECT_EQ(stub.count("/v1.45/containers/json"), 1u);
}

TEST_F(EngineClientTest, NegotiatesAgainAfterTheEngineWasGone) {
  auto version = std::make_shared<std::string>("1.41");
  auto broken = std::make_shared<bool>(false);
  StubEngine stub(io_, [version, broken](const std::string& target) {
    if (target == "GET /_ping") return ping_answer(*version);
    return *broken ? StubAnswer{} : json_answer(200, "[]");
  });
  auto client = client_of(stub.endpoint());
  run_task(io_, client.list_containers());
  *broken = true;
  EXPECT_EQ(error_of(client.list_containers()).kind(), ErrorKind::unreachable);
  *broken = false;
  *version = "1.47";
  run_task(io_, client.list_containers());
  EXPECT_EQ(stub.count("/v1.47/containers/json"), 1u);
}

TEST_F(EngineClientTest, TakesAProxysPageForADenialAndNamesTheCall) {
  const auto error =
      list_error(http_answer(403, "text/html", "<html><body><h1>403 Forbidden</h1></body></html>"));
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.text(), HasSubstr("GET /containers/json"));
  EXPECT_THAT(error.text(), Not(HasSubstr("<h1>")));
  EXPECT_THAT(error.next_step(), HasSubstr("proxy"));
}

TEST_F(EngineClientTest, TurnsStatusesIntoKindsOfErrors) {
  const std::pair<int, ErrorKind> table[] = {{401, ErrorKind::denied},      {404, ErrorKind::not_found},
                                             {409, ErrorKind::busy},        {500, ErrorKind::failed},
                                             {502, ErrorKind::unreachable}, {504, ErrorKind::timeout},
                                             {301, ErrorKind::failed}};
  for (const auto& [status, kind] : table) {
    const auto error = list_error(json_answer(status, R"({"message":"because of that"})"));
    EXPECT_EQ(error.kind(), kind) << status;
    EXPECT_THAT(error.text(), HasSubstr("because of that")) << status;
  }
  EXPECT_EQ(list_error(http_answer(503, "text/html", "<html>no server is available</html>")).kind(),
            ErrorKind::unreachable);
}

TEST_F(EngineClientTest, EscapesTheEnginesWordsInErrors) {
  const auto error = list_error(json_answer(500, R"({"message":"line one\nline two \u001b[31m"})"));
  EXPECT_EQ(error.text().find('\n'), std::string::npos);
  EXPECT_EQ(error.text().find('\x1b'), std::string::npos);
}

TEST_F(EngineClientTest, TellsAStopThatItDidFromOneThatWasDone) {
  StubEngine stub(io_, engine([](const std::string& target) {
                    return target.find("/busy/") != std::string::npos ? http_answer(204, "text/plain", "")
                                                                      : http_answer(304, "text/plain", "");
                  }));
  auto client = client_of(stub.endpoint());
  EXPECT_EQ(run_task(io_, client.stop_container("busy", 7)), StateChange::changed);
  EXPECT_EQ(run_task(io_, client.stop_container("idle", 7)), StateChange::already);
  EXPECT_EQ(run_task(io_, client.start_container("busy")), StateChange::changed);
  EXPECT_EQ(run_task(io_, client.start_container("idle")), StateChange::already);
  EXPECT_EQ(stub.count("POST /v1.41/containers/busy/stop?t=7"), 1u);
}

TEST_F(EngineClientTest, TellsAPauseThatItDidFromOneThatWasDoneAndFromOneThatCannotBe) {
  StubEngine stub(io_, engine([](const std::string& target) {
                    if (target.find("/json") != std::string::npos) {
                      const std::string status = target.find("/frozen/") != std::string::npos ? "paused" : "exited";
                      return json_answer(200, R"({"Id":"x","Name":"/x","State":{"Status":")" + status + R"("}})");
                    }
                    if (target.find("/busy/") != std::string::npos) return http_answer(204, "text/plain", "");
                    return json_answer(409, R"({"message":"Container x is already paused, or not running"})");
                  }));
  auto client = client_of(stub.endpoint());
  EXPECT_EQ(run_task(io_, client.pause_container("busy")), StateChange::changed);
  EXPECT_EQ(run_task(io_, client.pause_container("frozen")), StateChange::already);
  EXPECT_EQ(error_of(client.pause_container("gone")).kind(), ErrorKind::busy);
  EXPECT_EQ(run_task(io_, client.unpause_container("busy")), StateChange::changed);
  EXPECT_EQ(error_of(client.unpause_container("frozen")).kind(), ErrorKind::busy) << "it is still paused";
  EXPECT_EQ(stub.count("POST /v1.41/containers/busy/unpause"), 1u);
}

TEST_F(EngineClientTest, RepeatsAReadOnceWhenTheConnectionBreaks) {
  auto calls = std::make_shared<int>(0);
  StubEngine stub(io_, engine([calls](const std::string&) {
                    return ++*calls == 1
                               ? StubAnswer{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"Id\":"}
                               : json_answer(200, R"([{"Id":"a1"}])");
                  }));
  auto client = client_of(stub.endpoint());
  EXPECT_THAT(run_task(io_, client.list_containers()), ElementsAre("a1"));
  EXPECT_EQ(stub.count("/containers/json"), 2u);
}

TEST_F(EngineClientTest, NeverSendsAStopTwice) {
  StubEngine stub(io_, engine([](const std::string&) { return StubAnswer{}; }));
  auto client = client_of(stub.endpoint());
  const auto error = error_of(client.stop_container("abc", 1));
  EXPECT_EQ(error.kind(), ErrorKind::unreachable);
  EXPECT_EQ(stub.count("/stop"), 1u);
}

TEST_F(EngineClientTest, EndsAHalfWrittenAnswerAsUnreachable) {
  const auto error = list_error({"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{\"Id\":"});
  EXPECT_EQ(error.kind(), ErrorKind::unreachable);
  EXPECT_THAT(error.text(), HasSubstr("closed before the answer was complete"));
}

TEST_F(EngineClientTest, EndsGarbageAsAFailureWithAdvice) {
  for (const auto* garbage :
       {"\x15\x03\x01\x02garbage\r\n\r\n", "HTTP/9.9 what\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n\r\n"}) {
    const auto error = list_error({garbage});
    EXPECT_EQ(error.kind(), ErrorKind::failed) << garbage;
    EXPECT_THAT(error.next_step(), HasSubstr("DOCKER_HOST"));
  }
}

TEST_F(EngineClientTest, RefusesAnswersThatAreTooLarge) {
  StubAnswer headers{"HTTP/1.1 200 OK\r\nX-Long: " + std::string(1u << 20, 'x') + "\r\n\r\n"};
  EXPECT_EQ(list_error(headers).kind(), ErrorKind::failed);
  const auto body = list_error(json_answer(200, std::string((1u << 20) + 1, ' ')));
  EXPECT_EQ(body.kind(), ErrorKind::failed);
  EXPECT_THAT(body.text(), HasSubstr("larger than allowed"));
}

TEST_F(EngineClientTest, EndsAnswersThatAreNoJsonAsFailed) {
  for (const std::string& body : {std::string("<html>"), std::string("{}"), std::string(),
                                  std::string("[{\"Id\":\"a"), std::string(200'000, '[')}) {
    EXPECT_EQ(list_error(json_answer(200, body)).kind(), ErrorKind::failed) << body.substr(0, 20);
  }
}

TEST_F(EngineClientTest, GivesUpOnAnEngineThatNeverAnswers) {
  limit_ = 100;
  StubAnswer silent;
  silent.hold = true;
  const auto error = list_error(silent);
  EXPECT_EQ(error.kind(), ErrorKind::timeout);
  EXPECT_THAT(error.text(), HasSubstr("GET /containers/json"));
}

TEST_F(EngineClientTest, GivesUpOnAnEngineThatStopsInTheMiddle) {
  limit_ = 100;
  StubAnswer half{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n["};
  half.hold = true;
  EXPECT_EQ(list_error(half).kind(), ErrorKind::timeout);
}

TEST_F(EngineClientTest, ExplainsWhyItCannotConnect) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("kopi-docka-connect-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  Endpoint endpoint;
  endpoint.path = (folder / "missing.sock").string();
  auto missing = client_of(endpoint);
  const auto first = error_of(missing.info());
  EXPECT_EQ(first.kind(), ErrorKind::unreachable);
  EXPECT_THAT(first.text(), HasSubstr("missing.sock"));
  EXPECT_THAT(first.next_step(), HasSubstr("mounted"));

  endpoint.path = folder.string();
  auto directory = client_of(endpoint);
  EXPECT_THAT(error_of(directory.info()).next_step(), HasSubstr("it is a folder"));

  endpoint.path = (folder / "dead.sock").string();
  boost::asio::local::stream_protocol::acceptor listener(
      io_, boost::asio::local::stream_protocol::endpoint(endpoint.path));
  listener.close();
  auto dead = client_of(endpoint);
  const auto refused = error_of(dead.info());
  EXPECT_EQ(refused.kind(), ErrorKind::unreachable);
  EXPECT_THAT(refused.next_step(), HasSubstr("is dockerd running?"));
  std::filesystem::remove_all(folder);
}

TEST_F(EngineClientTest, TellsADeniedSocketFromAMissingOne) {
  StubEngine stub(io_, engine([](const std::string&) { return json_answer(200, "[]"); }));
  std::filesystem::permissions(stub.endpoint().path, std::filesystem::perms::none);
  auto client = client_of(stub.endpoint());
  const auto user = ::geteuid();
  if (user == 0) {
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const auto error = error_of(client.info());
  ASSERT_EQ(::seteuid(user), 0);
  EXPECT_EQ(error.kind(), ErrorKind::denied);
  EXPECT_THAT(error.next_step(), HasSubstr("root"));
}

TEST_F(EngineClientTest, WorksOverTcp) {
  StubEngine stub(io_, engine([](const std::string&) { return json_answer(200, R"([{"Id":"a1"}])"); }), true);
  auto client = client_of(stub.endpoint());
  EXPECT_THAT(run_task(io_, client.list_containers()), ElementsAre("a1"));
}

TEST_F(EngineClientTest, NeverSendsANameThatWouldChangeThePath) {
  StubEngine stub(io_, engine([](const std::string&) { return json_answer(200, "{}"); }));
  auto client = client_of(stub.endpoint());
  for (const std::string& id :
       {std::string("../info"), std::string("a/b"), std::string(), std::string("a?x=1"), std::string("a b"),
        std::string(".."), std::string("a\r\nX: y")}) {
    EXPECT_EQ(error_of(client.inspect_container(id)).kind(), ErrorKind::invalid) << id;
    EXPECT_EQ(error_of(client.stop_container(id, 1)).kind(), ErrorKind::invalid) << id;
  }
  EXPECT_TRUE(stub.requests().empty());
  run_task(io_, client.inspect_network_json("my net"));
  EXPECT_EQ(stub.count("GET /v1.41/networks/my%20net"), 1u);
}

TEST_F(EngineClientTest, LeavesOutContainersThatVanishWhileInspectingMany) {
  StubEngine stub(io_, engine([](const std::string& target) {
                    if (target.find("/gone/") != std::string::npos)
                      return json_answer(404, R"({"message":"No such container: gone"})");
                    return json_answer(
                        200, R"({"Id":")" + target.substr(target.find("containers/") + 11, 2) + R"("})");
                  }));
  auto client = client_of(stub.endpoint());
  const auto found = run_task(io_, inspect_all(client, {"a1", "gone", "b2", "c3"}, 2));
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].id, "a1");
  EXPECT_EQ(found[2].id, "c3");
}

TEST_F(EngineClientTest, InspectingManyEndsWithTheFirstRealError) {
  StubEngine stub(
      io_, engine([](const std::string&) { return json_answer(500, R"({"message":"disk on fire"})"); }));
  auto client = client_of(stub.endpoint());
  EXPECT_EQ(error_of(inspect_all(client, {"a1", "b2", "c3"}, 8)).kind(), ErrorKind::failed);
  EXPECT_TRUE(run_task(io_, inspect_all(client, {}, 8)).empty());
}

TEST_F(EngineClientTest, EndsAtOnceWhenItsCoroutineIsCancelled) {
  StubAnswer silent;
  silent.hold = true;
  StubEngine stub(io_, engine([silent](const std::string&) { return silent; }));
  auto client = client_of(stub.endpoint());
  boost::asio::cancellation_signal cancel;
  std::exception_ptr error;
  boost::asio::co_spawn(
      io_, client.start_container("abc"),
      boost::asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr e, StateChange) {
        error = e;
        io_.stop();
      }));
  boost::asio::steady_timer timer(io_, Milliseconds(50));
  timer.async_wait([&](boost::system::error_code) { cancel.emit(boost::asio::cancellation_type::terminal); });
  io_.restart();
  io_.run();
  ASSERT_TRUE(error);
  EXPECT_EQ(to_error(error).kind(), ErrorKind::cancelled);
}

}  // namespace
}  // namespace kopidocka
