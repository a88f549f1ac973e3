#include "cli/ask.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <exception>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "cli/progress.hpp"
#include "control/client.hpp"
#include "daemon/log_setup.hpp"
#include "daemon/service.hpp"

namespace kopidocka {
namespace {

namespace asio = boost::asio;

/// Verbs that change something on the engine or in the repository: two programs must not do that at once.
bool acts(const std::string& verb) { return verb == "backup" || verb == "restore" || verb == "recover"; }

/// First Ctrl-C: end in order. The second is the same wish; containers are being started.
Task<> pass_on_signals(asio::signal_set& signals, std::function<void()> cancel) {
  while (true) {
    boost::system::error_code code;
    (void)co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, code));
    if (code) co_return;
    cancel();
  }
}

struct Conversation {
  ControlRequest request;
  ControlReply reply;
  std::exception_ptr failure;
};

Task<> call_daemon(ControlClient& client, Conversation& talk, ProgressPrinter& progress, asio::signal_set& signals) {
  try {
    talk.reply = co_await client.call(talk.request, [&progress](const std::string& line) { progress.show(line); });
  } catch (...) {
    talk.failure = std::current_exception();
  }
  signals.cancel();
}

Task<> work_here(Settings settings, Conversation& talk, ProgressPrinter& progress, Cancel cancel, asio::signal_set& signals) {
  try {
    const auto executor = co_await asio::this_coro::executor;
    Assembly assembly(executor, std::move(settings));
    co_await assembly.meet_surroundings();
    if (acts(talk.request.verb)) co_await assembly.refuse_rivals();
    Coordinator coordinator(assembly);
    Service service(coordinator, {});
    if (talk.request.verb == "backup" || talk.request.verb == "restore") {
      const auto outcome = co_await coordinator.recover();
      for (const auto& name : outcome.started) progress.say("started " + printable(name) + ", which an earlier run had stopped");
    }
    if (talk.request.verb == "backup") (void)co_await assembly.open_repository(cancel);
    talk.reply = co_await service.handle(talk.request, [&progress](const std::string& line) { progress.show(line); }, cancel);
  } catch (...) {
    talk.failure = std::current_exception();
  }
  signals.cancel();
}

}  // namespace

Settings settings_or_error() {
  auto loaded = load_settings(process_environment(), running_in_container());
  if (loaded.settings) return std::move(*loaded.settings);
  std::string problems;
  for (const auto& problem : loaded.problems) problems += "\n  " + std::string(problem.what());
  throw Error(ErrorKind::invalid, "the settings are wrong:" + problems, "'kopi-docka config' shows all of them");
}

ControlReply ask(const VerbContext& context, const std::string& verb, const nlohmann::json& args) {
  auto settings = settings_or_error();
  asio::io_context io(1);
  asio::signal_set signals(io, SIGINT, SIGTERM);
  Conversation talk;
  talk.request = ControlRequest(verb, args.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  ProgressPrinter progress(context.err, context.arguments.has("json"));
  Cancel cancel;
  ControlClient client(io.get_executor(), settings.control_socket());
  const bool here = context.arguments.has("inline");
  std::exception_ptr unexpected;
  const auto keep = [&unexpected](const std::exception_ptr& error) {
    if (error) unexpected = error;
  };
  const std::function<void()> on_signal = [&] {
    progress.say("ending; what was stopped is started first");
    if (here) {
      cancel.request(CancelGrade::abort_step);
    } else {
      client.cancel(CancelGrade::abort_step);
    }
  };
  asio::co_spawn(io, pass_on_signals(signals, on_signal), keep);
  if (here) {
    set_up_log(settings, {});
    asio::co_spawn(io, work_here(std::move(settings), talk, progress, cancel, signals), keep);
  } else {
    asio::co_spawn(io, call_daemon(client, talk, progress, signals), keep);
  }
  io.run();
  progress.end();
  if (unexpected) std::rethrow_exception(unexpected);
  if (talk.failure) std::rethrow_exception(talk.failure);
  return talk.reply;
}

}  // namespace kopidocka
