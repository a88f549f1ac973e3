#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/verbs.hpp"
#include "config/settings.hpp"
#include "control/protocol.hpp"

namespace kopidocka {

/// The settings of environment and file; ErrorKind::invalid with every problem when something is wrong.
Settings settings_or_error();

/// Asks the daemon (or, with --inline, does the work in this process) and waits for the answer. Ctrl-C asks the work to
/// end: what it stopped is started, then it answers. Progress goes to `context.err`, never to the output.
ControlReply ask(const VerbContext& context, const std::string& verb, const nlohmann::json& args);

}  // namespace kopidocka
