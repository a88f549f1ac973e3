#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kopidocka {

/// Where a server listens. An empty host means every address of the machine.
struct ListenAddress {
  std::string host;
  std::uint16_t port = 0;
  bool off = false;
  bool operator==(const ListenAddress&) const = default;
};

/// Reads ":9464", "127.0.0.1:9464", "[::1]:9464", "localhost:9464" and "off". Port 0 lets the kernel choose.
Result<ListenAddress> parse_listen_address(std::string_view text);

}  // namespace kopidocka
