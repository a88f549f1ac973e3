#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "daemon/inside.hpp"
#include "daemon/keeping.hpp"
#include "daemon/service.hpp"
#include "daemon/service_parts.hpp"
#include "daemon/views.hpp"

/// The verbs that are about restore points: what there is, what is in them, which stay and which go.
namespace kopidocka {

using nlohmann::json;

std::string one_line(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

ControlReply reply(const json& value, ExitCode code) { return ControlReply(one_line(value), code); }

std::string text_arg(const json& args, const char* name) { return args.value(name, std::string()); }

std::vector<std::string> list_arg(const json& args, const char* name) { return args.value(name, std::vector<std::string>()); }

namespace {

PointsWish points_wish(const json& args) {
  PointsWish wish;
  wish.unit = text_arg(args, "unit");
  wish.at = text_arg(args, "at");
  wish.machine = text_arg(args, "machine");
  wish.all = args.value("all", false);
  if (wish.unit.empty()) throw Error(ErrorKind::usage, "no unit is named");
  if (wish.all == !wish.at.empty()) throw Error(ErrorKind::usage, "say which backup: either --at WHEN or --all");
  return wish;
}

PlaceWish place_wish(const json& args) {
  PlaceWish wish;
  wish.unit = text_arg(args, "unit");
  if (wish.unit.empty()) throw Error(ErrorKind::usage, "no unit is named");
  wish.at = args.value("at", std::string("latest"));
  wish.machine = text_arg(args, "machine");
  wish.place = text_arg(args, "place");
  return wish;
}

}  // namespace

Task<ControlReply> Service::files(const Json& args, Cancel cancel) {
  const auto listed = co_await list_place(coordinator_, place_wish(args), cancel);
  co_return reply(listed);
}

Task<ControlReply> Service::cat(const Json& args, Cancel cancel) {
  co_await send_file(coordinator_, place_wish(args), text_arg(args, "pipe"), cancel);
  co_return reply(json::object());
}

Task<ControlReply> Service::pin(const Json& args, bool pinned, Cancel cancel) {
  const auto point = co_await pin_point(coordinator_, points_wish(args), pinned, cancel);
  co_return reply(point);
}

Task<ControlReply> Service::remove_points(const Json& args, Cancel cancel) {
  const auto points = co_await delete_points(coordinator_, points_wish(args), args.value("dry_run", false), cancel);
  co_return reply(points);
}

}  // namespace kopidocka
