#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace kopidocka {

struct WebRequest {
  std::string method;
  std::string path;   ///< before '?', as it was sent
  std::string query;  ///< after '?', as it was sent
  std::string body;
};

struct WebResponse {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
  std::string allow;  ///< of a 405: the methods that would do
};

WebResponse plain(unsigned status, std::string text);

/// Runs in the server's thread, so it must answer at once. What it throws becomes a 500 without details.
using WebRoute = std::function<WebResponse(const WebRequest&)>;

/// Method and path to function. HEAD is answered where GET is.
class WebRoutes {
 public:
  void add(std::string method, std::string path, WebRoute route);

  /// 404 for an unknown path, 405 for a known path with another method.
  WebResponse answer(const WebRequest& request) const;

 private:
  std::map<std::string, std::map<std::string, WebRoute>> routes_;
};

}  // namespace kopidocka
