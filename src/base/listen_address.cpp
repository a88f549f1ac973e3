#include "base/listen_address.hpp"

#include <charconv>

#include "base/text.hpp"

namespace kopidocka {
namespace {

Error wrong(std::string_view text, const std::string& why) {
  return {ErrorKind::invalid, "'" + printable(text, 200) + "' is not a listen address: " + why,
          "write it as :9464, 127.0.0.1:9464, [::1]:9464 or off"};
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  ListenAddress address;
  if (text == "off") {
    address.off = true;
    return address;
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong(text, "the port is missing");
  auto host = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (code != std::errc() || end != port.data() + port.size())
    return wrong(text, "the port is not a number up to 65535");
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4) return wrong(text, "the IPv6 address is not closed by ]");
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong(text, "an IPv6 address stands in [ ]");
  }
  if (host.find_first_of(" \t/[]@") != std::string_view::npos || printable(host) != host)
    return wrong(text, "the host is wrong");
  address.host = host;
  return address;
}

}  // namespace kopidocka
