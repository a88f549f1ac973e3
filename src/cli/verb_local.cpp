#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "cli/ask.hpp"
#include "cli/help.hpp"
#include "cli/table.hpp"
#include "cli/verb_functions.hpp"
#include "daemon/assembly.hpp"
#include "daemon/daemon.hpp"
#include "labels/docs.hpp"
#include "notify/http.hpp"
#include "worker/worker_main.hpp"

namespace kopidocka {
namespace {

/// Where our own daemon's HTTP port is reached from here.
std::string own_url(const std::string& path) {
  const auto settings = settings_or_error();
  if (settings.listen.off) {
    throw Error(ErrorKind::refused, "the HTTP port is off", "set KOPI_DOCKA_LISTEN, for example to 127.0.0.1:9464");
  }
  const auto& host = settings.listen.host;
  const bool any = host.empty() || host == "0.0.0.0" || host == "::";
  const auto shown = any ? std::string("127.0.0.1") : host.find(':') != std::string::npos ? "[" + host + "]" : host;
  return "http://" + shown + ":" + std::to_string(settings.listen.port) + path;
}

}  // namespace

ExitCode verb_daemon(const VerbContext&) {
  boost::asio::io_context io(1);
  Daemon daemon(io.get_executor(), settings_or_error());
  std::exception_ptr failure;
  boost::asio::co_spawn(io, daemon.run(), [&failure](const std::exception_ptr& error) { failure = error; });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return ExitCode::ok;
}

ExitCode verb_worker(const VerbContext& context) { return static_cast<ExitCode>(worker_main(std::cin, context.out)); }

ExitCode verb_metrics(const VerbContext& context) {
  const auto answer = http_get(own_url("/metrics"), Milliseconds(10'000));
  if (!answer) throw answer.error();
  context.out << answer->body << std::flush;
  return answer->status == 200 ? ExitCode::ok : ExitCode::failed;
}

ExitCode verb_health(const VerbContext& context) {
  const bool live = context.arguments.has("live");
  const auto answer = http_get(own_url(live ? "/healthz" : "/readyz"), Milliseconds(5'000));
  if (!answer) throw answer.error();
  context.out << answer->body << std::flush;
  return answer->status == 200 ? ExitCode::ok : ExitCode::failed;
}

ExitCode verb_labels(const VerbContext& context) {
  if (context.arguments.has("json")) {
    context.out << labels_json() << std::endl;
  } else if (context.arguments.has("markdown")) {
    context.out << labels_markdown() << std::flush;
  } else {
    context.out << labels_text() << std::flush;
  }
  return ExitCode::ok;
}

ExitCode verb_config(const VerbContext& context) {
  if (context.arguments.has("markdown")) {
    context.out << settings_markdown() << std::flush;
    return ExitCode::ok;
  }
  const auto loaded = load_settings(process_environment(), running_in_container());
  if (context.arguments.has("json")) {
    context.out << settings_to_json(loaded.values).dump(2) << std::endl;
  } else {
    Table table({"SETTING", "VALUE", "SOURCE"});
    for (const auto& value : loaded.values) table.add({value.name, printable(value.shown), printable(value.source)});
    table.print(context.out);
  }
  for (const auto& warning : loaded.warnings) context.err << "warning: " << printable(warning) << "\n";
  for (const auto& problem : loaded.problems) context.err << "error: " << printable(problem.what()) << "\n";
  return loaded.problems.empty() ? ExitCode::ok : ExitCode::usage;
}

ExitCode verb_version(const VerbContext& context) {
  if (context.arguments.has("json")) {
    context.out << nlohmann::json{{"version", KOPIDOCKA_VERSION}}.dump() << std::endl;
  } else {
    context.out << "kopi-docka " << KOPIDOCKA_VERSION << std::endl;
  }
  return ExitCode::ok;
}

ExitCode verb_completion(const VerbContext& context) {
  if (!context.arguments.words.empty() && context.arguments.words.front() != "bash") {
    throw Error(ErrorKind::usage, "there is no completion for '" + printable(context.arguments.words.front()) + "'", "use bash");
  }
  context.out << bash_completion() << std::flush;
  return ExitCode::ok;
}

ExitCode verb_help(const VerbContext& context) {
  if (context.arguments.has("markdown")) {
    context.out << cli_markdown() << std::flush;
    return ExitCode::ok;
  }
  if (context.arguments.words.empty()) {
    context.out << program_help() << std::flush;
    return ExitCode::ok;
  }
  const auto* verb = find_verb(context.arguments.words.front());
  if (verb == nullptr) throw Error(ErrorKind::usage, "there is no verb '" + printable(context.arguments.words.front()) + "'");
  context.out << verb_help(*verb) << std::flush;
  return ExitCode::ok;
}

}  // namespace kopidocka
