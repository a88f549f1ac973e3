#include "daemon/hangup.hpp"

#include <csignal>

namespace kopidocka {

void listen_for_hangup(boost::asio::signal_set& signals) {
  struct sigaction now {};
  if (::sigaction(SIGHUP, nullptr, &now) == 0 && now.sa_handler == SIG_IGN) return;
  signals.add(SIGHUP);
}

}  // namespace kopidocka
