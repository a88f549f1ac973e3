#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kopidocka {

/// Where the Docker Engine listens: a unix socket (path set) or plain TCP (host and port set).
struct Endpoint {
  std::string path;
  std::string host;
  std::uint16_t port = 0;

  bool is_unix() const { return !path.empty(); }
  /// "unix:///var/run/docker.sock" or "tcp://host:2375".
  std::string text() const;
  /// What the Host header says; Go's server refuses a request without one.
  std::string host_header() const;
};

/// Reads DOCKER_HOST: unix:///path, tcp://host[:port] (port 2375 when left out), http:// as tcp://. Empty
/// means unix:///var/run/docker.sock. ErrorKind::invalid with what is expected; https, ssh, npipe and fd are
/// not supported yet.
Result<Endpoint> parse_docker_host(std::string_view text);

}  // namespace kopidocka
