#pragma once

#include <filesystem>

#include "base/file.hpp"

namespace kopidocka {

/// A listening unix socket at `path`, mode 0600, its folder 0700. What is in the way: a live server =
/// ErrorKind::busy, a socket nobody answers = replaced, anything else = ErrorKind::refused.
Result<FileDescriptor> listen_on(const std::filesystem::path& path);

/// Whether the other end of a connected unix socket is our own user or root.
bool peer_is_allowed(int socket);

}  // namespace kopidocka
