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
#include "daemon/hangup.hpp"
#include "daemon/log_setup.hpp"
#include "daemon/service.hpp"

namespace kopidocka {
namespace {

namespace asio = boost::asio;

/// Verbs that stop containers: two programs must not do that at once. Recovery only starts what this state folder owes.
bool acts(const std::string& verb) { return verb == "backup" || verb == "restore"; }

/// First Ctrl-C: end in order. The second is the same wish; containers are being started.
Task<> pass_on_signals(asio::signal_set& signals, std::function<void()> cancel) {
  while (true) {
    boost::system::error_code code;
    (void)co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, code));
    if (code) co_return;
    cancel();
  }
}

constexpr int kPayAttempts = 4;
constexpr Milliseconds kPayPause{5'000};

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

/// A first backup makes the default repository. What cannot be opened is the run's own affair: it probes, skips and
/// reports, as it does in the daemon; here its reason is only told in full.
Task<> try_repository(Assembly& assembly, ProgressPrinter& progress, Cancel cancel) {
  try {
    (void)co_await assembly.open_repository(cancel);
  } catch (const Error& error) {
    progress.say("repository: " + printable(error.text()) + (error.next_step().empty() ? "" : "\n  -> " + printable(error.next_step())));
  }
}

Task<> recover_here(Coordinator& coordinator, ProgressPrinter& progress) {
  const auto outcome = co_await coordinator.recover();
  for (const auto& name : outcome.started) progress.say("started " + printable(name) + ", which an earlier run had stopped");
}

/// No daemon comes after us to pay what the run could not: it is tried some more before we go.
Task<> pay_what_is_owed(Coordinator& coordinator, ProgressPrinter& progress) {
  const auto& held = coordinator.assembly().held;
  for (int attempt = 0; attempt < kPayAttempts && !held.by_unit().empty(); ++attempt) {
    if (attempt > 0) co_await sleep_for(kPayPause);
    try {
      co_await recover_here(coordinator, progress);
    } catch (const Error& error) {
      progress.say("recovery: " + printable(error.text()));
    }
  }
  for (const auto& [unit, containers] : held.by_unit()) {
    progress.say("unit " + printable(unit) + " still has containers held stopped: " + printable(join({containers.begin(), containers.end()}, ", ")) +
                 "\n  -> when the Docker Engine answers again: kopi-docka recover --inline");
  }
}

bool changes_nothing(const ControlRequest& request) { return nlohmann::json::parse(request.args).value("dry_run", false); }

Task<> answer_here(Assembly& assembly, Conversation& talk, ProgressPrinter& progress, Cancel cancel) {
  const auto& verb = talk.request.verb;
  Coordinator coordinator(assembly);
  Service service(coordinator, {});
  // A doctor who cannot come because the patient is ill helps nobody: it meets what there is by itself.
  if (verb != "doctor") co_await assembly.meet_surroundings();
  const bool runs = acts(verb) && !changes_nothing(talk.request);
  if (runs) co_await recover_here(coordinator, progress);
  if (assembly.identity_trouble && verb != "recover") throw *assembly.identity_trouble;
  if (acts(verb)) co_await assembly.refuse_rivals();
  if (runs && verb == "backup") co_await try_repository(assembly, progress, cancel);
  std::exception_ptr failure;
  try {
    talk.reply = co_await service.handle(talk.request, [&progress](const std::string& line) { progress.show(line); }, cancel);
  } catch (...) {
    failure = std::current_exception();
  }
  if (runs) co_await pay_what_is_owed(coordinator, progress);
  if (failure) std::rethrow_exception(failure);
}

Task<> work_here(Settings settings, Conversation& talk, ProgressPrinter& progress, Cancel cancel, asio::signal_set& signals) {
  try {
    Assembly assembly(co_await asio::this_coro::executor, std::move(settings));
    co_await answer_here(assembly, talk, progress, cancel);
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
  // A terminal that goes away must not end a run in its hold. A run of the daemon goes on without us.
  if (here) listen_for_hangup(signals);
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
