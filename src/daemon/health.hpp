#pragma once

#include <functional>
#include <string>

#include "web/route.hpp"

namespace kopidocka {

/// /healthz (this process lives: always 200), /readyz (200 when units and repository are known), /metrics.
void add_health_routes(WebRoutes& routes, std::function<bool()> ready, std::function<std::string()> metrics);

}  // namespace kopidocka
