#include "docker/endpoint.hpp"

#include <charconv>
#include <optional>
#include <sys/un.h>

#include "base/text.hpp"

namespace kopidocka {
namespace {

constexpr std::uint16_t kPlainPort = 2375;
constexpr const char* kExpected = "use unix:///path/to/docker.sock or tcp://host:port";

Error wrong_host(std::string_view text, const std::string& why) {
  return {ErrorKind::invalid, "DOCKER_HOST \"" + printable(text, 200) + "\": " + why, kExpected};
}

Result<Endpoint> parse_unix(std::string_view text, std::string_view path) {
  if (path.empty() || path.front() != '/') return wrong_host(text, "the socket path must be absolute");
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return wrong_host(text, "a socket path may have at most " +
                                std::to_string(sizeof(sockaddr_un::sun_path) - 1) + " bytes");
  }
  if (path.find('\0') != std::string_view::npos) return wrong_host(text, "the socket path holds a zero byte");
  Endpoint endpoint;
  endpoint.path = path;
  return endpoint;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port == 0) return std::nullopt;
  return port;
}

Result<Endpoint> parse_tcp(std::string_view text, std::string_view authority) {
  if (!authority.empty() && authority.back() == '/') authority.remove_suffix(1);
  std::string_view host = authority;
  std::string_view port;
  if (!authority.empty() && authority.front() == '[') {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return wrong_host(text, "the IPv6 address is not closed with ]");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (!port.empty() && port.front() != ':') return wrong_host(text, "after ] only :port may follow");
  } else if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon);
  }
  if (host.empty()) return wrong_host(text, "the host is missing");
  for (const char letter : host) {
    if (std::string_view("/@?# ").find(letter) != std::string_view::npos ||
        static_cast<unsigned char>(letter) < 0x20) {
      return wrong_host(text, "only a host and a port may stand after tcp://");
    }
  }
  Endpoint endpoint;
  endpoint.host = host;
  endpoint.port = kPlainPort;
  if (!port.empty()) {
    const auto number = parse_port(port.substr(1));
    if (!number) return wrong_host(text, "the port must be a number from 1 to 65535");
    endpoint.port = *number;
  }
  return endpoint;
}

}  // namespace

std::string Endpoint::text() const { return is_unix() ? "unix://" + path : "tcp://" + host_header(); }

std::string Endpoint::host_header() const {
  if (is_unix()) return "docker";
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<Endpoint> parse_docker_host(std::string_view text) {
  if (text.empty()) text = "unix:///var/run/docker.sock";
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return wrong_host(text, "the scheme is missing");
  const auto scheme = lower(text.substr(0, colon));
  const auto rest = text.substr(colon + 3);
  if (scheme == "unix") return parse_unix(text, rest);
  if (scheme == "tcp" || scheme == "http") return parse_tcp(text, rest);
  if (scheme == "https" || scheme == "ssh" || scheme == "npipe" || scheme == "fd") {
    return wrong_host(text, scheme + ":// is not supported yet");
  }
  return wrong_host(text, "unknown scheme " + printable(scheme, 40));
}

}  // namespace kopidocka
