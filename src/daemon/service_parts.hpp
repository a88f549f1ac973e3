#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "control/target.hpp"

namespace kopidocka {

// What the answers to verbs have in common.

std::string one_line(const nlohmann::json& value);
ControlReply reply(const nlohmann::json& value, ExitCode code = ExitCode::ok);
/// Of the arguments of a request; empty when there is none of that name.
std::string text_arg(const nlohmann::json& args, const char* name);
std::vector<std::string> list_arg(const nlohmann::json& args, const char* name);

}  // namespace kopidocka
