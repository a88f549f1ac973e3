#pragma once

#include <functional>
#include <string_view>

#include "config/settings.hpp"

namespace kopidocka {

/// Sends the log to standard error in the form of the settings, one line a message whatever it contains.
/// `counted` is told the level of every line.
void set_up_log(const Settings& settings, std::function<void(std::string_view level)> counted);

}  // namespace kopidocka
