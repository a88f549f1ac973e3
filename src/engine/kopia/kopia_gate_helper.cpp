#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/kopia/kopia_gate.hpp"
#include "engine/kopia/kopia_gate_socket.hpp"

/// A program of its own kind: it runs inside Kopia's process group, has nothing but its environment, and blocks.
namespace kopidocka {

GateAddress::GateAddress(const std::string& folder, const std::string& name) : folder_(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
  address_.sun_family = AF_UNIX;
  std::snprintf(address_.sun_path, sizeof address_.sun_path, "/proc/self/fd/%d/%s", folder_.get(), name.c_str());
}

namespace {

std::string variable(std::string_view name) {
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? std::string() : value;
}

/// Out of the memory that /proc shows, too.
void drop_password() {
  if (char* value = std::getenv("KOPIA_PASSWORD")) ::explicit_bzero(value, std::strlen(value));
  ::unsetenv("KOPIA_PASSWORD");
}

bool send_all(int socket, const std::string& text) { return ::send(socket, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size()); }

/// The daemon's answer without its newline; empty when the connection was closed before it came.
std::string receive_line(int socket) {
  std::string line;
  char buffer[1024];
  ssize_t count = 0;
  while ((count = ::recv(socket, buffer, sizeof buffer, 0)) > 0) {
    line.append(buffer, static_cast<size_t>(count));
    if (line.back() == '\n') return line.substr(0, line.size() - 1);
  }
  return {};
}

/// Until the daemon answers. Kopia is to be interrupted meanwhile, and we with it, being of its group. When the daemon has died,
/// Kopia is about to be killed: given its answer before that, it would save as complete what was read from running containers.
std::string hold_out(int socket) {
  constexpr unsigned kSecondsToDie = 5;
  (void)std::signal(SIGINT, SIG_IGN);
  if (!send_all(socket, std::string(kGateWait))) return {};
  auto answer = receive_line(socket);
  if (answer.empty()) ::sleep(kSecondsToDie);
  return answer;
}

}  // namespace

int kopia_gate_main() {
  drop_password();
  const FileDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const GateAddress address(variable(kGateFolder), variable(kGateName));
  if (!socket || ::connect(socket.get(), address.get(), address.size()) != 0) return 1;
  if (!send_all(socket.get(), variable(kGateToken) + " " + variable("KOPIA_ACTION") + "\n")) return 1;
  auto answer = receive_line(socket.get());
  if (answer + '\n' == kGateWait) answer = hold_out(socket.get());
  return answer == "go" ? 0 : 1;
}

}  // namespace kopidocka
