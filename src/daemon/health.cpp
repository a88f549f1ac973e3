#include "daemon/health.hpp"

namespace kopidocka {

void add_health_routes(WebRoutes& routes, std::function<bool()> ready, std::function<std::string()> metrics) {
  routes.add("GET", "/healthz", [](const WebRequest&) { return plain(200, "alive\n"); });
  routes.add("GET", "/readyz", [ready = std::move(ready)](const WebRequest&) {
    return ready() ? plain(200, "ready\n") : plain(503, "not ready yet, see the log\n");
  });
  routes.add("GET", "/metrics", [metrics = std::move(metrics)](const WebRequest&) {
    WebResponse response;
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    response.body = metrics();
    return response;
  });
}

}  // namespace kopidocka
