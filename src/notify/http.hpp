#pragma once

#include <atomic>
#include <string>

#include "base/duration.hpp"
#include "base/result.hpp"

namespace kopidocka {

struct HttpAnswer {
  long status = 0;
  std::string body;
};

/// One GET, past any proxy; blocks. For the command line, which asks the daemon's own address.
/// ErrorKind::unreachable or timeout when there is no answer; any status is an answer. At most 16 MiB of
/// body.
Result<HttpAnswer> http_get(const std::string& url, Milliseconds timeout);

/// One POST of a JSON text; blocks. Redirects are not followed. Ends early when `stop` becomes true.
/// No error names the URL: it often holds a token.
Result<HttpAnswer> http_post_json(const std::string& url, const std::string& json, Milliseconds timeout,
                                  const std::atomic<bool>& stop);

}  // namespace kopidocka
