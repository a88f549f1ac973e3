#include "web/route.hpp"

#include <exception>

namespace kopidocka {

WebResponse plain(unsigned status, std::string text) {
  WebResponse response;
  response.status = status;
  response.body = std::move(text);
  return response;
}

void WebRoutes::add(std::string method, std::string path, WebRoute route) {
  routes_[std::move(path)][std::move(method)] = std::move(route);
}

WebResponse WebRoutes::answer(const WebRequest& request) const {
  const auto path = routes_.find(request.path);
  if (path == routes_.end()) return plain(404, "not found\n");
  const auto method = path->second.find(request.method == "HEAD" ? "GET" : request.method);
  if (method == path->second.end()) {
    auto refusal = plain(405, "method not allowed\n");
    for (const auto& [name, route] : path->second) {
      refusal.allow += (refusal.allow.empty() ? "" : ", ") + (name == "GET" ? "GET, HEAD" : name);
    }
    return refusal;
  }
  try {
    return method->second(request);
  } catch (const std::exception&) {
    // The text of the exception may name paths, and whoever asks here is nobody we know.
    return plain(500, "internal error\n");
  }
}

}  // namespace kopidocka
