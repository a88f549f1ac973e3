#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <string_view>

#include "base/file.hpp"

namespace kopidocka {

/// Variables by which a helper finds its way to the gate.
inline constexpr std::string_view kGateFolder = "KOPI_DOCKA_GATE_FOLDER";
inline constexpr std::string_view kGateName = "KOPI_DOCKA_GATE_NAME";
inline constexpr std::string_view kGateToken = "KOPI_DOCKA_GATE_TOKEN";

/// The answer that asks a helper to hold out, and what it says once it does.
inline constexpr std::string_view kGateWait = "wait\n";

/// The address of a socket in a folder, however long the folder's path is: it goes by the open folder. Use it while this lives.
class GateAddress {
 public:
  GateAddress(const std::string& folder, const std::string& name);
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  socklen_t size() const { return sizeof address_; }

 private:
  FileDescriptor folder_;
  sockaddr_un address_{};
};

}  // namespace kopidocka
