#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "cli/ask.hpp"
#include "cli/verb_functions.hpp"
#include "control/client.hpp"
#include "notify/http.hpp"

namespace kopidocka {
namespace {

/// Shorter than the time a container's health check is given, so that the reason is told.
constexpr Milliseconds kPatience{5'000};

/// Where our own daemon's HTTP port is reached from here.
std::string own_url(const ListenAddress& listen, const std::string& path) {
  const auto& host = listen.host;
  const bool any = host.empty() || host == "0.0.0.0" || host == "::";
  const auto shown = any ? std::string("127.0.0.1") : host.find(':') != std::string::npos ? "[" + host + "]" : host;
  return "http://" + shown + ":" + std::to_string(listen.port) + path;
}

Task<> ask_health(ControlClient& client, ControlReply& reply) {
  const std::function<void(const std::string&)> no_progress;
  reply = co_await client.call(ControlRequest("health"), no_progress, kPatience);
}

/// The daemon's word over its control socket, where it has no HTTP port.
bool well_by_socket(const Settings& settings, bool live) {
  boost::asio::io_context io(1);
  ControlClient client(io.get_executor(), settings.control_socket());
  ControlReply reply;
  std::exception_ptr failure;
  boost::asio::co_spawn(io, ask_health(client, reply), [&failure](const std::exception_ptr& error) { failure = error; });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return nlohmann::json::parse(reply.result).value(live ? "live" : "ready", false);
}

bool well_by_http(const Settings& settings, bool live) {
  const auto answer = http_get(own_url(settings.listen, live ? "/healthz" : "/readyz"), kPatience);
  if (!answer) throw answer.error();
  return answer->status == 200;
}

bool is_well(bool live) {
  const auto settings = settings_or_error();
  const bool well = settings.listen.off ? well_by_socket(settings, live) : well_by_http(settings, live);
  if (!well) throw Error(ErrorKind::failed, "not ready yet", "see the daemon's log, or 'kopi-docka doctor'");
  return well;
}

}  // namespace

ExitCode verb_metrics(const VerbContext& context) {
  const auto settings = settings_or_error();
  if (settings.listen.off) {
    throw Error(ErrorKind::refused, "the HTTP port is off", "set KOPI_DOCKA_LISTEN, for example to 127.0.0.1:9464");
  }
  const auto answer = http_get(own_url(settings.listen, "/metrics"), Milliseconds(10'000));
  if (!answer) throw answer.error();
  context.out << answer->body << std::flush;
  return answer->status == 200 ? ExitCode::ok : ExitCode::failed;
}

ExitCode verb_health(const VerbContext& context) {
  const bool live = context.arguments.has("live");
  // Whatever is wrong, the answer is one of two: whoever asks (Docker, a script) has no use for more.
  std::exception_ptr failure;
  try {
    (void)is_well(live);
  } catch (...) {
    failure = std::current_exception();
  }
  const auto problem = failure ? to_error(failure) : Error();
  if (context.arguments.has("json")) {
    nlohmann::json answer = {{live ? "live" : "ready", !failure}, {"problem", failure ? printable(problem.text()) : ""}};
    context.out << answer.dump(2) << std::endl;
  } else if (!failure) {
    context.out << (live ? "alive" : "ready") << std::endl;
  } else {
    context.err << "kopi-docka: " << problem.text() << "\n";
    if (!problem.next_step().empty()) context.err << "  -> " << problem.next_step() << std::endl;
  }
  return failure ? ExitCode::failed : ExitCode::ok;
}

}  // namespace kopidocka
