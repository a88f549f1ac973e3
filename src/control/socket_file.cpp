#include "control/socket_file.hpp"

#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace kopidocka {
namespace {

FileDescriptor unix_socket() {
  return FileDescriptor(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
}

Result<void> clear_the_way(const std::filesystem::path& path, const sockaddr_un& address) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return system_error(errno, "look at " + path.string());
  }
  if (!S_ISSOCK(info.st_mode)) {
    return Error{ErrorKind::refused, path.string() + " is not a socket",
                 "remove it or choose another state folder"};
  }
  const auto probe = unix_socket();
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
      errno == EAGAIN) {
    return Error{ErrorKind::busy, "another daemon answers on " + path.string(),
                 "stop it, or use another state folder"};
  }
  if (errno != ECONNREFUSED) return system_error(errno, "try " + path.string());
  if (::unlink(path.c_str()) != 0) return system_error(errno, "remove " + path.string());
  return {};
}

}  // namespace

Result<FileDescriptor> listen_on(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    return Error{ErrorKind::invalid, "the path " + path.string() + " is too long for a unix socket",
                 "use a shorter state folder"};
  }
  std::memcpy(address.sun_path, path.c_str(), path.string().size());
  if (const auto folder = make_private_folder(path.parent_path()); !folder) return folder.error();
  if (const auto clear = clear_the_way(path, address); !clear) return clear.error();
  auto socket = unix_socket();
  if (!socket) return system_error(errno, "create a socket");
  // The mode of the unbound socket becomes that of its file, so there is no moment with a wider one.
  if (::fchmod(socket.get(), 0600) != 0) return system_error(errno, "set the mode of " + path.string());
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return system_error(errno, "create the socket " + path.string());
  }
  if (::chmod(path.c_str(), 0600) != 0) return system_error(errno, "set the mode of " + path.string());
  if (::listen(socket.get(), 64) != 0) return system_error(errno, "listen on " + path.string());
  return socket;
}

bool peer_is_allowed(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace kopidocka
