#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>
#include <ostream>

#include "base/text.hpp"
#include "cli/ask.hpp"
#include "cli/help.hpp"
#include "cli/show.hpp"
#include "cli/verb_functions.hpp"
#include "daemon/assembly.hpp"
#include "daemon/daemon.hpp"
#include "engine/kopia/kopia_gate.hpp"
#include "labels/docs.hpp"
#include "worker/worker_main.hpp"

namespace kopidocka {
ExitCode verb_daemon(const VerbContext&) {
  boost::asio::io_context io(1);
  auto settings = settings_or_error();
  Daemon daemon(io.get_executor(), std::move(settings), load_settings(process_environment(), running_in_container()).warnings);
  std::exception_ptr failure;
  boost::asio::co_spawn(io, daemon.run(), [&failure](const std::exception_ptr& error) { failure = error; });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return ExitCode::ok;
}

ExitCode verb_worker(const VerbContext& context) { return static_cast<ExitCode>(worker_main(std::cin, context.out)); }
ExitCode verb_gate(const VerbContext&) { return static_cast<ExitCode>(kopia_gate_main()); }

namespace {

/// What labels begin with here; the default one while the settings are wrong.
std::string prefix_here() {
  const auto loaded = load_settings(process_environment(), running_in_container());
  return loaded.settings ? loaded.settings->label_prefix + "." : label_contract().prefix();
}

}  // namespace

ExitCode verb_labels(const VerbContext& context) {
  if (context.arguments.has("json")) {
    context.out << labels_json() << std::endl;
  } else if (context.arguments.has("markdown")) {
    context.out << labels_markdown() << std::flush;
  } else {
    context.out << labels_text(prefix_here()) << std::flush;
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
    show_settings(context.out, loaded.values);
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
