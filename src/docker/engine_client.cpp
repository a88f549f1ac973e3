#include "docker/engine_client.hpp"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "base/text.hpp"
#include "docker/api_version.hpp"
#include "docker/decode.hpp"
#include "docker/request_target.hpp"

namespace kopidocka {
namespace {

constexpr const char* kProxyAdvice = "allow this call in the socket proxy, or mount the Docker socket itself";

/// The engine's words, or a few of the proxy's, never a whole page.
std::string reason(const HttpResponse& response, bool& from_engine) {
  auto message = decode_message(response.body);
  from_engine = !message.empty();
  if (from_engine) return printable(message, 1000);
  if (response.content_type.find("html") != std::string::npos ||
      response.body.find("<html") != std::string::npos) {
    return "answered with a page, so by a proxy and not by the Docker Engine";
  }
  const auto body = trim(response.body.substr(0, 300));
  return body.empty() ? "no reason given" : printable(body, 300);
}

Error status_error(const Endpoint& endpoint, const std::string& call, const HttpResponse& response) {
  bool from_engine = false;
  const auto why = reason(response, from_engine);
  const auto message = call + " at " + endpoint.text() + ": " + std::to_string(response.status) + ": " + why;
  switch (response.status) {
    case 401:
    case 403:
      return {ErrorKind::denied, message, from_engine ? std::string() : kProxyAdvice};
    case 404:
      return {ErrorKind::not_found, message};
    case 409:
      return {ErrorKind::busy, message};
    case 502:
      return {ErrorKind::unreachable, message, "is dockerd running behind the proxy?"};
    case 503:
      return {from_engine ? ErrorKind::failed : ErrorKind::unreachable, message};
    case 504:
      return {ErrorKind::timeout, message};
    default:
      break;
  }
  if (response.status == 400 && why.find("client version") != std::string::npos) {
    return {ErrorKind::refused, message,
            "this program speaks Docker Engine API " + std::string(kOldestApi) + " to " +
                std::string(kNewestApi)};
  }
  return {ErrorKind::failed, message};
}

HttpRequest make_request(const std::string& method, const std::string& version, const std::string& path,
                         const std::string& query, Milliseconds limit) {
  HttpRequest request;
  request.method = method;
  request.call = method + " " + path;
  request.target =
      (version.empty() ? std::string() : "/v" + version) + path + (query.empty() ? "" : "?" + query);
  request.limit = limit;
  return request;
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" as seconds since 1970, 0 when it is anything else.
std::int64_t from_http_date(const std::string& text) {
  std::tm time{};
  const char* const end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &time);
  return end != nullptr && *end == '\0' ? ::timegm(&time) : 0;
}

/// A Result's value, or its error thrown, for coroutines.
template <class T>
T take(Result<T> result, const std::string& call) {
  if (result) return *std::move(result);
  throw Error(result.error()).in(call);
}

std::string container_path(const std::string& id, const std::string& verb) {
  return "/containers/" + take(container_segment(id), "container") + "/" + verb;
}

}  // namespace

std::string_view operation_of(std::string_view call) {
  const auto path = call.substr(std::min(call.find('/'), call.size()));
  if (path == "/_ping") return "ping";
  if (path == "/version") return "version";
  if (path == "/info") return "info";
  if (path == "/events") return "events";
  if (path == "/volumes") return "list_volumes";
  if (path == "/containers/json") return "list_containers";
  if (path.starts_with("/networks/")) return "inspect_network";
  if (path.starts_with("/containers/")) {
    if (path.ends_with("/json")) return "inspect_container";
    if (path.ends_with("/stop")) return "stop_container";
    if (path.ends_with("/start")) return "start_container";
    if (path.ends_with("/pause")) return "pause_container";
    if (path.ends_with("/unpause")) return "unpause_container";
  }
  return "other";
}

EngineClient::EngineClient(boost::asio::any_io_executor executor, DockerSettings settings)
    : settings_(std::move(settings)),
      transport_(std::move(executor), settings_.endpoint, settings_.body_limit) {}

void EngineClient::tell(const HttpRequest& request, std::chrono::steady_clock::time_point began, std::optional<ErrorKind> error) const {
  if (!settings_.on_request) return;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  settings_.on_request({operation_of(request.call), took.count(), error});
}

Task<HttpResponse> EngineClient::send(HttpRequest request) {
  const auto began = std::chrono::steady_clock::now();
  try {
    auto response = co_await transport_.send(request);
    const bool success = response.status >= 200 && response.status < 300;
    if (!success && response.status != 304) throw status_error(endpoint(), request.call, response);
    tell(request, began, {});
    co_return response;
  } catch (const Error& error) {
    tell(request, began, error.kind());
    throw;
  }
}

Task<std::unique_ptr<HttpStream>> EngineClient::open(HttpRequest request) {
  const auto began = std::chrono::steady_clock::now();
  try {
    auto stream = co_await transport_.open(request);
    if (stream->head().status != 200) throw status_error(endpoint(), request.call, stream->head());
    tell(request, began, {});
    co_return stream;
  } catch (const Error& error) {
    tell(request, began, error.kind());
    throw;
  }
}

Task<HttpResponse> EngineClient::get_unversioned(std::string path) {
  auto request = make_request("GET", "", path, "", settings_.request_limit);
  auto response = co_await send(request);
  if (response.status != 200) throw status_error(endpoint(), request.call, response);
  co_return response;
}

Task<std::string> EngineClient::negotiate() {
  const auto answer = co_await get_unversioned("/_ping");
  auto server = answer.api_version;
  if (server.empty()) {
    const auto described = co_await get_unversioned("/version");
    server = take(decode_api_version(described.body), "GET /version");
  }
  version_ = take(choose_api_version(server), endpoint().text());
  co_return version_;
}

void EngineClient::forget_version_after(const Error& error) {
  if (error.kind() == ErrorKind::unreachable || error.kind() == ErrorKind::refused) version_.clear();
}

Task<HttpResponse> EngineClient::exchange(std::string method, std::string path, std::string query,
                                          Milliseconds limit) {
  auto version = version_;
  if (version.empty()) version = co_await negotiate();
  try {
    auto request = make_request(method, version, path, query, limit);
    co_return co_await send(std::move(request));
  } catch (const Error& error) {
    forget_version_after(error);
    throw;
  }
}

Task<std::string> EngineClient::get(std::string path, std::string query) {
  auto response = co_await exchange("GET", path, query, settings_.request_limit);
  if (response.status != 200) throw status_error(endpoint(), "GET " + path, response);
  co_return std::move(response.body);
}

Task<StateChange> EngineClient::change(std::string path, std::string query, Milliseconds limit) {
  const auto response = co_await exchange("POST", path, query, limit);
  co_return response.status == 304 ? StateChange::already : StateChange::changed;
}

Task<EngineInfo> EngineClient::info() {
  const auto version = co_await negotiate();
  const auto body = co_await get("/info", "");
  auto info = take(decode_info(body), "GET /info");
  info.api_version = version;
  co_return info;
}

Task<std::vector<std::string>> EngineClient::list_containers() {
  const auto body = co_await get("/containers/json", "all=1");
  co_return take(decode_container_ids(body), "GET /containers/json");
}

Task<std::string> EngineClient::inspect_container_json(std::string id) {
  co_return co_await get(container_path(id, "json"), "");
}

Task<Container> EngineClient::inspect_container(std::string id) {
  const auto path = container_path(id, "json");
  const auto body = co_await get(path, "");
  co_return take(decode_container(body), "GET " + path);
}

Task<std::vector<Volume>> EngineClient::list_volumes() {
  const auto body = co_await get("/volumes", "");
  co_return take(decode_volumes(body), "GET /volumes");
}

Task<std::string> EngineClient::inspect_network_json(std::string name) {
  co_return co_await get("/networks/" + take(name_segment(name), "network"), "");
}

Task<StateChange> EngineClient::stop_container(std::string id, int grace) {
  if (grace < 0) throw Error(ErrorKind::internal, "a stop without a limit was asked for " + printable(id));
  const auto limit = std::chrono::seconds(grace) + settings_.stop_margin;
  co_return co_await change(container_path(id, "stop"), "t=" + std::to_string(grace), limit);
}

Task<StateChange> EngineClient::start_container(std::string id) {
  co_return co_await change(container_path(id, "start"), "", settings_.start_limit);
}

/// Engines answer 409 or 500 when it was so already, and just the same when it cannot be: the state tells which.
Task<StateChange> EngineClient::change_unless(std::string id, std::string verb, std::string wanted) {
  const auto path = container_path(id, verb);
  std::exception_ptr failure;
  try {
    co_return co_await change(path, "", settings_.request_limit);
  } catch (const Error& error) {
    failure = std::current_exception();
    if (error.kind() != ErrorKind::busy && error.kind() != ErrorKind::failed) throw;
  }
  const auto now = co_await inspect_container(id);
  if (now.state.status != wanted) std::rethrow_exception(failure);
  co_return StateChange::already;
}

Task<StateChange> EngineClient::pause_container(std::string id) { co_return co_await change_unless(id, "pause", "paused"); }

Task<StateChange> EngineClient::unpause_container(std::string id) { co_return co_await change_unless(id, "unpause", "running"); }

Task<std::unique_ptr<HttpStream>> EngineClient::open_events(std::string query) {
  auto version = version_;
  if (version.empty()) version = co_await negotiate();
  try {
    auto request = make_request("GET", version, "/events", query, settings_.request_limit);
    co_return co_await open(std::move(request));
  } catch (const Error& error) {
    forget_version_after(error);
    throw;
  }
}

Task<std::int64_t> EngineClient::engine_seconds() {
  const auto answer = co_await get_unversioned("/_ping");
  co_return from_http_date(answer.date);
}

}  // namespace kopidocka
