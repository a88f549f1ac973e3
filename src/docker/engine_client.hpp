#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>

#include "base/error.hpp"
#include "docker/docker.hpp"
#include "docker/endpoint.hpp"
#include "docker/http_transport.hpp"

namespace kopidocka {

/// How one request went, for metrics.
struct DockerRequest {
  std::string_view operation;  ///< of a short list: "list_containers", never a path with an id
  double seconds = 0;
  std::optional<ErrorKind> error;
};

struct DockerSettings {
  Endpoint endpoint;
  Milliseconds request_limit{30'000};
  Milliseconds start_limit{60'000};  ///< starting may mount network volumes first
  Milliseconds stop_margin{30'000};  ///< on top of the grace time: killing and unmounting come after it
  size_t body_limit = 64u << 20;     ///< bytes of one answer
  std::function<void(const DockerRequest&)> on_request;  ///< told of every one; must not throw; may be empty
};

/// The word for a call such as "GET /containers/abc/json".
std::string_view operation_of(std::string_view call);

/// The Docker Engine over its HTTP API; see Docker for what each call promises. Holds no connection between
/// calls.
///
/// The API version is negotiated at the first call, at every info(), and again after the engine was
/// unreachable (it may have been updated). Statuses become errors: 404 not_found, 409 busy, 401 and 403
/// denied naming the call (a socket proxy answers so), 502 and a page with 503 unreachable, 504 timeout,
/// everything else failed with the engine's message.
///
/// Connect failures are ErrorKind::unreachable (ENOENT, ECONNREFUSED, no route) or denied (EACCES). When only
/// the socket FILE is bind-mounted and dockerd was restarted, every connect fails with ECONNREFUSED until the
/// container is created or restarted: an owner that sees connects fail for long while they worked before
/// should exit non-zero, so that its restart policy mounts the new socket
/// (EventCounters::connect_failures_in_row counts them).
class EngineClient : public Docker {
 public:
  EngineClient(boost::asio::any_io_executor executor, DockerSettings settings);

  Task<EngineInfo> info() override;
  Task<std::vector<std::string>> list_containers() override;
  Task<Container> inspect_container(std::string id) override;
  Task<std::string> inspect_container_json(std::string id) override;
  Task<std::vector<Volume>> list_volumes() override;
  Task<std::string> inspect_network_json(std::string name) override;
  Task<StateChange> stop_container(std::string id, int grace) override;
  Task<StateChange> start_container(std::string id) override;
  Task<StateChange> pause_container(std::string id) override;
  Task<StateChange> unpause_container(std::string id) override;

  /// GET /events with this query; returns when the engine has answered with 200.
  Task<std::unique_ptr<HttpStream>> open_events(std::string query);

  /// The engine's own time in whole seconds since 1970, 0 when it does not tell. Its clock need not be ours.
  Task<std::int64_t> engine_seconds();

  std::shared_ptr<void> keep_connections() override { return transport_.keep_connections(); }

  const Endpoint& endpoint() const { return transport_.endpoint(); }

 private:
  /// One request and its answer; a status that is no success is thrown.
  Task<HttpResponse> send(HttpRequest request);
  Task<std::unique_ptr<HttpStream>> open(HttpRequest request);
  void tell(const HttpRequest& request, std::chrono::steady_clock::time_point began, std::optional<ErrorKind> error) const;
  Task<HttpResponse> get_unversioned(std::string path);
  /// Asks the engine and keeps the answer.
  Task<std::string> negotiate();
  Task<HttpResponse> exchange(std::string method, std::string path, std::string query, Milliseconds limit);
  Task<std::string> get(std::string path, std::string query);
  Task<StateChange> change(std::string path, std::string query, Milliseconds limit);
  Task<StateChange> change_unless(std::string id, std::string verb, std::string wanted);
  void forget_version_after(const Error& error);

  DockerSettings settings_;
  HttpTransport transport_;
  std::string version_;  ///< negotiated, empty when unknown
};

}  // namespace kopidocka
