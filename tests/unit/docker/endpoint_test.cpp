#include "docker/endpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "docker/api_version.hpp"
#include "docker/request_target.hpp"

namespace kopidocka {
namespace {
using ::testing::HasSubstr;

TEST(Endpoint, EmptyMeansTheUsualSocket) {
  const auto endpoint = parse_docker_host("");
  ASSERT_TRUE(endpoint);
  EXPECT_EQ(endpoint->text(), "unix:///var/run/docker.sock");
}

TEST(Endpoint, ReadsSocketsAndTcpAddresses) {
  EXPECT_EQ(parse_docker_host("unix:///run/user/1000/docker.sock")->path, "/run/user/1000/docker.sock");
  const auto proxy = *parse_docker_host("tcp://socket-proxy:2376");
  EXPECT_EQ(proxy.host, "socket-proxy");
  EXPECT_EQ(proxy.port, 2376);
  EXPECT_EQ(parse_docker_host("tcp://proxy/")->text(), "tcp://proxy:2375");
  const auto v6 = *parse_docker_host("tcp://[fd00::1]:99");
  EXPECT_EQ(v6.host, "fd00::1");
  EXPECT_EQ(v6.host_header(), "[fd00::1]:99");
}

TEST(Endpoint, RefusesWhatItCannotSpeakAndSaysSo) {
  for (const auto* text : {"https://host", "ssh://user@host", "npipe:////./pipe/docker_engine"}) {
    const auto endpoint = parse_docker_host(text);
    ASSERT_FALSE(endpoint) << text;
    EXPECT_EQ(endpoint.error().kind(), ErrorKind::invalid);
    EXPECT_THAT(endpoint.error().text(), HasSubstr("not supported yet"));
  }
}

TEST(Endpoint, RefusesWhatIsNoAddress) {
  const std::string long_path = "unix:///" + std::string(120, 'x');
  for (const std::string& text :
       {std::string("docker.sock"), std::string("unix://"), std::string("unix://relative.sock"), long_path,
        std::string("tcp://"), std::string("tcp://:2375"), std::string("tcp://host:0"),
        std::string("tcp://host:70000"), std::string("tcp://host:23x"), std::string("tcp://[::1"),
        std::string("tcp://host:1/path"), std::string("tcp://host/path"), std::string("tcp://user@host:1"),
        std::string("tcp://ho\nst:1"), std::string("carrier://pigeon")}) {
    const auto endpoint = parse_docker_host(text);
    EXPECT_FALSE(endpoint) << text;
    if (!endpoint) {
      EXPECT_FALSE(endpoint.error().next_step().empty()) << text;
    }
  }
}

TEST(ApiVersion, IsTheSmallerOfBoth) {
  EXPECT_EQ(*choose_api_version("1.40"), "1.40");
  EXPECT_EQ(*choose_api_version("1.41"), "1.41");
  EXPECT_EQ(*choose_api_version("1.56"), "1.56");
  EXPECT_EQ(*choose_api_version("1.100"), "1.56");
  EXPECT_EQ(*choose_api_version("2.0"), "1.56");
}

TEST(ApiVersion, RefusesTooOldEnginesAndNonsense) {
  EXPECT_EQ(choose_api_version("1.39").error().kind(), ErrorKind::refused);
  EXPECT_EQ(choose_api_version("1.9").error().kind(), ErrorKind::refused);
  for (const auto* text : {"", "1", "1.", ".41", "1.41a", "-1.41", "99999999999.1"}) {
    EXPECT_EQ(choose_api_version(text).error().kind(), ErrorKind::failed) << text;
  }
}

TEST(RequestTarget, TakesOnlyWhatDockerCallsAContainer) {
  EXPECT_EQ(*container_segment("shop_db.1-x"), "shop_db.1-x");
  for (const auto* id : {"", ".", "..", "-x", "a/b", "a%2fb", "a b", "\xc3\xa4"})
    EXPECT_FALSE(container_segment(id)) << id;
  EXPECT_FALSE(container_segment(std::string(300, 'a')));
}

TEST(RequestTarget, EncodesUnusualNamesAndRefusesPaths) {
  EXPECT_EQ(*name_segment("back end?#"), "back%20end%3F%23");
  for (const auto* name : {"", ".", "..", "a/b", "a\nb"}) EXPECT_FALSE(name_segment(name)) << name;
  EXPECT_EQ(query_value("{\"a\":1}~"), "%7B%22a%22%3A1%7D~");
}

}  // namespace
}  // namespace kopidocka
