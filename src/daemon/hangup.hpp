#pragma once

#include <boost/asio/signal_set.hpp>

namespace kopidocka {

/// Adds SIGHUP, the end of the terminal, to `signals`, unless whoever started us (nohup) has it ignored.
void listen_for_hangup(boost::asio::signal_set& signals);

}  // namespace kopidocka
