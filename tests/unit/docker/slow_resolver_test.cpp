#include <dlfcn.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <chrono>
#include <string_view>
#include <thread>

#include "docker/engine_client.hpp"
#include "support/run_task.hpp"

namespace {

constexpr std::string_view kSilentHost = "docker.silent.invalid";

}  // namespace

/// The system's resolver, but for one name that its servers do not answer.
extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto system = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  if (node == nullptr || node != kSilentHost) return system(node, service, hints, result);
  std::this_thread::sleep_for(std::chrono::seconds(2));
  return EAI_AGAIN;
}

namespace kopidocka::testing {
namespace {

TEST(SlowResolver, ANameThatNobodyAnswersForCostsOneDeadline) {
  boost::asio::io_context io;
  DockerSettings settings;
  settings.endpoint.host = kSilentHost;
  settings.endpoint.port = 2375;
  settings.request_limit = Milliseconds(100);
  EngineClient client(io.get_executor(), settings);
  try {
    run_task(io, client.list_containers());
    FAIL() << "there is no such engine";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::timeout) << error.text();
  }
}

}  // namespace
}  // namespace kopidocka::testing
